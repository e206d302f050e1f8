"""Incidents: what happened to a patient besides their vitals, and what followed. Reports list them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.access import Actor, may_see_patient
from silverwatch.domain.alerts.care_models import Incident, IncidentChange
from silverwatch.domain.errors import DomainError, NotFoundError

FIELDS: Final = ("what", "place", "injury", "action", "follow_up")
INJURIES: Final = ("none", "minor", "moderate", "severe", "unknown")
MAX_TEXT: Final = 2000
NOT_THEIRS: Final = {
    "what": "Somebody else wore the device that reported this fall.",
    "injury": "none",
    "action": "Withdrawn when it was corrected who wore the device.",
}
ONE_FALL: Final = timedelta(minutes=2)
"""A device may report one fall more than once."""

_WARD = (
    "SELECT b.ward_id FROM stay s JOIN bed b ON b.id = s.bed_id"
    " WHERE s.patient_id = :patient AND s.during @> CAST(:at AS timestamptz)"
)


def open_for_fall(
    session: Session, *, patient_id: UUID, alert_id: UUID | None, at: datetime, now: datetime
) -> Incident | None:
    """An incident for a fall that a device reported; None where one of the same fall is there."""
    same = select(Incident.id).where(
        Incident.patient_id == patient_id,
        Incident.kind == "fall",
        Incident.at.between(at - ONE_FALL, at + ONE_FALL),
    )
    if session.scalar(same.limit(1)) is not None:
        return None
    return _open(
        session, patient_id=patient_id, kind="fall", at=at, now=now, alert_id=alert_id, by=None, values={}
    )


def report(
    session: Session,
    actor: Actor,
    *,
    patient_id: UUID,
    kind: str,
    at: datetime,
    values: Mapping[str, str],
    now: datetime,
) -> Incident:
    """An incident that a person reports. Raises DomainError for what cannot be."""
    if at > now:
        raise DomainError("An incident cannot lie in the future. Check the time.")
    return _open(
        session,
        patient_id=patient_id,
        kind=kind,
        at=at,
        now=now,
        alert_id=None,
        by=actor.account_id,
        values=_checked(values),
    )


def change(
    session: Session,
    actor: Actor,
    incident: Incident,
    *,
    values: Mapping[str, str],
    close: bool,
    now: datetime,
) -> None:
    """Write what is known now; what stood before stays. `close`: nothing is left to be done."""
    wanted = _checked(values)
    if close and not (wanted.get("what") and wanted.get("injury") and wanted.get("action")):
        raise DomainError("Say what happened, the injury and what was done before you close the incident.")
    if wanted != incident.values or close != (incident.closed_at is not None):
        before = {**incident.values, "closed": incident.closed_at is not None}
        session.add(
            IncidentChange(
                id=clock.new_id(), incident_id=incident.id, account_id=actor.account_id, at=now, before=before
            )
        )
    incident.values = wanted
    incident.closed_at, incident.closed_by = (now, actor.account_id) if close else (None, None)


def withdraw(session: Session, actor: Actor, alert_id: UUID, *, now: datetime) -> None:
    """The fall was somebody else's. What nobody has written in yet is closed; what somebody has is theirs to close."""
    query = select(Incident).where(
        Incident.alert_id == alert_id, Incident.opened_by.is_(None), Incident.closed_at.is_(None)
    )
    for incident in session.scalars(query.with_for_update()):
        if not incident.values:
            change(session, actor, incident, values=NOT_THEIRS, close=True, now=now)


def incident_for(session: Session, actor: Actor, incident_id: UUID, *, now: datetime) -> Incident:
    """An incident of a patient whom the actor may see; raises NotFoundError for another's as for none."""
    incident = session.get(Incident, incident_id)
    if incident is None:
        raise NotFoundError("There is no such incident.")
    ward_id = session.scalar(text(_WARD), {"patient": incident.patient_id, "at": now})
    if not may_see_patient(actor, incident.patient_id, ward_id=ward_id):
        raise NotFoundError("There is no such incident.")
    return incident


def _open(
    session: Session,
    *,
    patient_id: UUID,
    kind: str,
    at: datetime,
    now: datetime,
    alert_id: UUID | None,
    by: UUID | None,
    values: Mapping[str, str],
) -> Incident:
    incident = Incident(
        id=clock.new_id(),
        kind=kind,
        patient_id=patient_id,
        ward_id=session.scalar(text(_WARD), {"patient": patient_id, "at": at}),
        alert_id=alert_id,
        at=at,
        values=dict(values),
        opened_at=now,
        opened_by=by,
    )
    session.add(incident)
    session.flush()
    return incident


def _checked(values: Mapping[str, str]) -> dict[str, str]:
    found = {name: values[name].strip() for name in FIELDS if values.get(name, "").strip()}
    if any(len(written) > MAX_TEXT for written in found.values()):
        raise DomainError(f"Write at most {MAX_TEXT} characters in each field.")
    if found.get("injury") not in (None, *INJURIES):
        raise DomainError("Choose one of the injuries of the list.")
    return found
