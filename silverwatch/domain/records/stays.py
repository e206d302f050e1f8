"""Where patients lie: stays begun and ended, rows locked in their order, places at home. The caller commits.

Order of locks for whoever moves a patient or changes who wears what: patients by id, then the ward of a place at home,
then beds by id, then `device_state` by id, `vital_state` by patient, readings, alerts. A patient's row is locked so
that rows that refer to it can still be written meanwhile.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records.models import Patient, Stay
from silverwatch.domain.wards.models import Bed, Ward

TAKEN: Final = {
    "ex_stay_bed": "Somebody lies in this bed already. Choose a free one.",
    "ex_stay_patient": "This patient lies in a bed already. Transfer them instead.",
    "patient_merged": "This record was merged into another one. Look for the patient again.",
}
HOME: Final = "home"
AFTER_BEDS: Final = 1000
"""Places at home stand on the board after all beds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    """Somebody lies in a bed of a ward."""

    stay_id: UUID
    patient_id: UUID
    bed_id: UUID
    ward_id: UUID
    label: str
    since: datetime


def lock_patients(session: Session, patient_ids: Iterable[UUID]) -> None:
    """Nobody else moves them or changes what they wear until the transaction ends; raises NotFoundError."""
    wanted = set(patient_ids)
    query = select(Patient.id).where(Patient.id.in_(wanted)).order_by(Patient.id)
    if set(session.scalars(query.with_for_update(key_share=True))) != wanted:
        raise NotFoundError("There is no such patient.")


def lock_beds(session: Session, bed_ids: Iterable[UUID]) -> dict[UUID, Bed]:
    """Nobody else comes to these beds until the transaction ends; raises NotFoundError."""
    wanted = set(bed_ids)
    query = select(Bed).where(Bed.id.in_(wanted)).order_by(Bed.id)
    found = {bed.id: bed for bed in session.scalars(query.with_for_update(key_share=True))}
    if set(found) != wanted:
        raise NotFoundError("There is no such bed.")
    return found


def lying(session: Session, patient_ids: Iterable[UUID]) -> dict[UUID, Lying]:
    """Where each of these patients lies until further notice; who lies nowhere is left out."""
    query = (
        select(Stay.id, Stay.patient_id, Stay.bed_id, Bed.ward_id, Bed.label, func.lower(Stay.during))
        .join(Bed, Bed.id == Stay.bed_id)
        .where(Stay.patient_id.in_(set(patient_ids)), func.upper_inf(Stay.during))
    )
    return {
        row[1]: Lying(
            stay_id=row[0], patient_id=row[1], bed_id=row[2], ward_id=row[3], label=row[4], since=row[5]
        )
        for row in session.execute(query)
    }


def in_bed(session: Session, bed_id: UUID) -> UUID | None:
    """Who lies in the bed."""
    return session.scalar(select(Stay.patient_id).where(Stay.bed_id == bed_id, func.upper_inf(Stay.during)))


def gone(session: Session, patient_ids: Iterable[UUID]) -> set[UUID]:
    """Who of these was here and lies nowhere any more: nobody stands at their bed."""
    query = (
        select(Stay.patient_id)
        .where(Stay.patient_id.in_(set(patient_ids)))
        .group_by(Stay.patient_id)
        .having(~func.bool_or(func.upper_inf(Stay.during)))
    )
    return set(session.scalars(query))


def begin(session: Session, *, patient_id: UUID, bed_id: UUID, at: datetime) -> Stay:
    """The patient lies in the bed from `at`; raises ConflictError if either is taken then, or the bed is closed."""
    _refuse_closed(session, bed_id)
    stay = Stay(id=clock.new_id(), patient_id=patient_id, bed_id=bed_id, during=Range(at, None, bounds="[)"))
    try:
        with session.begin_nested():
            session.add(stay)
    except IntegrityError as error:
        raise ConflictError(
            refusal(error, TAKEN, "The bed is taken, or the patient lies in another one.")
        ) from error
    return stay


def end(session: Session, stay_id: UUID, *, at: datetime) -> None:
    """The stay is over; one that has only begun goes away."""
    stay = session.get_one(Stay, stay_id, with_for_update=True)
    if stay.during.lower is not None and stay.during.lower >= at:
        session.delete(stay)
    else:
        stay.during = Range(stay.during.lower, at, bounds="[)")
    session.flush()


def take_back(session: Session, *, patient_id: UUID, at: datetime) -> None:
    """The stay that begins at `at` never was."""
    query = delete(Stay).where(Stay.patient_id == patient_id, func.lower(Stay.during) == at)
    session.execute(query)


def go_on(session: Session, *, patient_id: UUID, bed_id: UUID, at: datetime) -> None:
    """The stay in this bed that ended at `at` goes on; raises ConflictError where that is not possible any more."""
    _refuse_closed(session, bed_id)
    query = select(Stay).where(
        Stay.patient_id == patient_id, Stay.bed_id == bed_id, func.upper(Stay.during) == at
    )
    stay = session.scalar(query.with_for_update())
    if stay is None:
        raise ConflictError("The stay before has changed meanwhile.")
    try:
        with session.begin_nested():
            stay.during = Range(stay.during.lower, None, bounds="[)")
    except IntegrityError as error:
        raise ConflictError(refusal(error, TAKEN, "The bed is taken.")) from error


def _refuse_closed(session: Session, bed_id: UUID) -> None:
    """Whoever closes the bed holds its row: it is asked for what it is after that."""
    query = select(Bed.closed_at, Ward.closed_at).join(Ward, Ward.id == Bed.ward_id).where(Bed.id == bed_id)
    row = session.execute(query.with_for_update(read=True, key_share=True, of=Bed)).first()
    if row is not None and (row[0] or row[1]):
        raise ConflictError("This bed is closed. Choose another one.")


def refusal(error: IntegrityError, words: dict[str, str], otherwise: str) -> str:
    """What the constraint that refused it means."""
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    return words.get(name or "", otherwise)


def free_home(session: Session, ward_id: UUID) -> Bed:
    """A place at home on the ward's board: a free one, or a new one. The ward is locked, so that two find two."""
    session.execute(select(Ward.id).where(Ward.id == ward_id).with_for_update(key_share=True))
    places = session.scalars(
        select(Bed).where(Bed.ward_id == ward_id, Bed.kind == HOME).order_by(Bed.position)
    ).all()
    taken = set(
        session.scalars(
            select(Stay.bed_id).where(
                Stay.bed_id.in_([place.id for place in places]), func.upper_inf(Stay.during)
            )
        )
    )
    for place in places:
        if place.id not in taken:
            return place
    used = set(session.scalars(select(Bed.label).where(Bed.ward_id == ward_id)))
    number = next(n for n in range(1, len(used) + 2) if f"Home {n}" not in used)
    place = Bed(
        id=clock.new_id(), ward_id=ward_id, label=f"Home {number}", position=AFTER_BEDS + number, kind=HOME
    )
    session.add(place)
    session.flush()
    return place
