"""One patient or one alert, if it is this actor's: what is another's looks like what does not exist."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor, Permission, may_acknowledge, may_see_patient
from silverwatch.domain.alerts import tiles as compose
from silverwatch.domain.alerts.board import PatientHeader
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.alerts.whereabouts import OF_PATIENTS, places_of
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.records.entries import FLAGS, known
from silverwatch.domain.wards.models import Ward

_PLACE = f"""
SELECT p.id AS patient_id, p.hospital_number, p.family_name, p.given_name, p.title, p.born_on, p.sex, p.simulated,
       b.id AS bed_id, b.label, w.id AS ward_id, w.slug, w.name AS ward_name,
       (SELECT min(lower(e.during)) FROM stay e WHERE e.patient_id = p.id) AS here_since,
       {known("flag")} AS flags, {known("allergy")} AS allergies, {known("no_allergies")} AS no_allergies
FROM {OF_PATIENTS}
LEFT JOIN ward w ON w.id = b.ward_id
WHERE p.id = :id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A patient and where they lie; bed and ward are empty for who lies nowhere now."""

    patient: PatientHeader
    hospital_number: str
    bed_id: UUID | None
    bed_label: str | None
    ward_id: UUID | None
    ward_slug: str | None
    ward_name: str | None
    here_since: datetime | None = None
    """Since when the patient has been in any of our beds."""
    flags: tuple[str, ...] = ()
    allergies: tuple[str, ...] | None = None
    """None where nobody has asked; empty where there are none."""


def patient_for(session: Session, actor: Actor, patient_id: UUID, *, now: datetime) -> Place:
    """A patient whose record is the actor's to see; raises NotFoundError for a foreign one as for none."""
    row = session.execute(text(_PLACE), {"id": patient_id, "now": now}).first()
    if row is None or not may_see_patient(actor, patient_id, ward_id=row.ward_id):
        raise NotFoundError("There is no such patient.")
    return Place(
        patient=compose.patient_header(row, now=now),
        hospital_number=row.hospital_number,
        bed_id=row.bed_id,
        bed_label=row.label,
        ward_id=row.ward_id,
        ward_slug=row.slug,
        ward_name=row.ward_name,
        here_since=row.here_since,
        flags=tuple(flag for flag in FLAGS if flag in row.flags),
        allergies=tuple(row.allergies) if row.allergies or row.no_allergies else None,
    )


def alert_for(session: Session, actor: Actor, alert_id: UUID, *, now: datetime, lock: bool = True) -> Alert:
    """An alert that this actor may take; raises NotFoundError for another ward's as for none."""
    alert = session.get(Alert, alert_id, with_for_update=lock)
    if alert is not None and alert.subject == "system" and _is_theirs(session, actor, alert):
        return alert
    if alert is None or alert.patient_id is None:
        raise NotFoundError("There is no such alarm.")
    place = places_of(session, [alert.patient_id], now=now).get(alert.patient_id)
    if place is None or not may_acknowledge(actor, place[1]):
        raise NotFoundError("There is no such alarm.")
    return alert


def _is_theirs(session: Session, actor: Actor, alert: Alert) -> bool:
    """An alarm about a whole ward is that ward's, one about the system everybody's who takes alarms."""
    ward = session.get(Ward, alert.subject_id)
    return may_acknowledge(actor, ward.id) if ward else actor.may(Permission.TAKE_ALARMS)
