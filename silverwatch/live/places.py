"""Whom a region is about, and who may have it on a screen."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor, may_keep_devices, may_see_patient, may_see_ward
from silverwatch.domain.alerts import whereabouts
from silverwatch.domain.readings import pairing_panel
from silverwatch.domain.wards.queries import wards_of_beds
from silverwatch.live.region import Subject
from silverwatch.live.regions import ALL, Key


class Where(NamedTuple):
    """Whom a region is about. What does not apply, or is not known of it, is None."""

    ward_id: UUID | None = None
    patient_id: UUID | None = None
    account_id: UUID | None = None
    devices_of: UUID | None = None
    """The ward whose device it is: nothing of the ward's patients."""


def places_of(session: Session, keys: Iterable[Key], *, now: datetime) -> dict[Key, Where]:
    """Whom each of these regions is about; those of subjects that do not exist are left out."""
    by_subject: dict[Subject, list[Key]] = {}
    for key in keys:
        by_subject.setdefault(ALL[key[0]].subject, []).append(key)
    found: dict[Key, Where] = {}
    for subject, wanted in by_subject.items():
        places = _places(session, subject, [subject_id for _, subject_id in wanted], now=now)
        found.update({key: places[key[1]] for key in wanted if key[1] in places})
    return found


def _places(session: Session, subject: Subject, ids: list[UUID], *, now: datetime) -> dict[UUID, Where]:
    match subject:
        case "bed":
            return {bed: Where(ward_id=ward) for bed, ward in wards_of_beds(session, ids).items()}
        case "ward":
            return {ward_id: Where(ward_id=ward_id) for ward_id in ids}
        case "account":
            return {account_id: Where(account_id=account_id) for account_id in ids}
        case "patient":
            rows = whereabouts.wards_of(session, ids, now=now)
            return {patient: Where(ward, patient) for patient, ward in rows.items()}
        case "alert":
            alerts = whereabouts.places_of_alerts(session, ids, now=now)
            return {alert: Where(ward, patient) for alert, (ward, patient) in alerts.items()}
        case "pairing":
            wards = pairing_panel.wards_of(session, ids)
            return {pairing: Where(devices_of=ward) for pairing, ward in wards.items()}


def may_show(actor: Actor, key: Key, where: Where) -> bool:
    """May this region be on the actor's screen?"""
    region = ALL[key[0]]
    if not actor.may(region.permission):
        return False
    if region.subject == "pairing":
        return may_keep_devices(actor, where.devices_of)
    if region.subject == "account":
        return where.account_id == actor.account_id
    if where.patient_id is not None:
        return may_see_patient(actor, where.patient_id, ward_id=where.ward_id)
    # An alert of no patient and no ward is about the system: whoever may see wards may know.
    return where.ward_id is None or may_see_ward(actor, where.ward_id)
