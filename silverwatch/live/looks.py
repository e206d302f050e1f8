"""Who is looked at by a screen that opens regions: a first look is noted in the audit, polls and pushes are not."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from silverwatch.domain import audit
from silverwatch.domain.alerts import queries
from silverwatch.live.places import Where
from silverwatch.live.regions import ALL, Key

PATIENT_VIEW: Final = "patient"
"""What the audit calls the page of a patient, whichever of its regions is read."""


class Look(NamedTuple):
    """A view that this session has not opened yet, and who is shown in it."""

    view: str
    patient_ids: list[UUID]
    ward_id: UUID | None


def first_looks(session: Session, regions: Mapping[Key, Where], *, now: datetime) -> list[Look]:
    """The looks at these regions that the audit does not know of yet."""
    looks = []
    of_patients = {w.patient_id: w.ward_id for w in regions.values() if w.patient_id}
    for ward_id in {w.ward_id for w in regions.values() if w.ward_id and not w.patient_id}:
        unseen = queries.unseen(session, ward_id, now=now)
        if unseen:
            looks.append(Look(queries.WARD_VIEW, unseen, ward_id))
    for patient_id, where in of_patients.items():
        if not audit.is_viewed_patient(session, PATIENT_VIEW, patient_id=patient_id):
            looks.append(Look(PATIENT_VIEW, [patient_id], where))
    for (name, subject_id), place in regions.items():
        region = ALL[name]
        if region.shows is not None and not audit.is_viewed(session, name, ward_id=place.ward_id):
            view = region.load(session, [subject_id], now).get(subject_id)
            if view is not None:
                looks.append(Look(name, region.shows(view), place.ward_id))
    return looks
