"""Many patients at once, from a file: who is known is looked up, the good rows are stored. The caller commits."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit
from silverwatch.domain.access import Actor, Permission, may_keep_record
from silverwatch.domain.admissions import importing, moving, queries
from silverwatch.domain.admissions.importing import Known, Line, Sheet, Wards
from silverwatch.domain.alerts.whereabouts import wards_of as whereabouts
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.records import details, entries
from silverwatch.domain.records.models import Patient
from silverwatch.domain.wards.queries import ids_by_word, wards_of

BECAUSE = "Came with a file of patients."
"""Why a flag stands that nobody set by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What became of a file: how many were registered, and how many of them admitted."""

    registered: int = 0
    admitted: int = 0


def look(
    session: Session, actor: Actor, text: str, *, sure: Collection[int] = (), today: date, now: datetime
) -> Sheet:
    """The rows of a file beside who is registered; so many statements for however many rows."""
    sheet = importing.read(text, wards=_wards(session, actor), today=today)
    found = [line.details for line in sheet.lines if line.details is not None]
    numbers = {item.hospital_number.upper() for item in found}
    return importing.compare(
        sheet,
        known=_known(session, actor, numbers, now=now),
        alike=details.all_alike(session, found),
        sure=sure,
    )


def _wards(session: Session, actor: Actor) -> Wards:
    ids = ids_by_word(wards_of(session, actor))
    free = queries.free_beds(session, list(actor.ward_ids))
    return Wards(
        ids=ids,
        free={(ward.ward_id, label.casefold()): bed_id for ward in free for bed_id, label in ward.beds},
    )


def _known(session: Session, actor: Actor, numbers: Iterable[str], *, now: datetime) -> dict[str, Known]:
    query = select(Patient).where(func.upper(Patient.hospital_number).in_(set(numbers))).order_by(Patient.id)
    rows = list(session.scalars(query))
    into = {row.id: row.merged_into or row.id for row in rows}
    patients = {
        row.id: row for row in session.scalars(select(Patient).where(Patient.id.in_(set(into.values()))))
    }
    lying = whereabouts(session, patients, now=now)
    found = {}
    for row in rows:
        patient = patients[into[row.id]]
        is_theirs = may_keep_record(actor, patient.id, ward_id=lying.get(patient.id))
        stands = details.details_of(patient) if is_theirs else None
        found[row.hospital_number.upper()] = Known(id=patient.id, stands=stands)
    return found


def store(session: Session, actor: Actor, lines: Iterable[Line], *, now: datetime) -> Stored:
    """Register these, with what is known of them, and admit those of whom a bed is said.

    Raises ConflictError where somebody was faster with a number or a bed: then nothing of it is stored.
    """
    if not actor.may(Permission.REGISTER_PATIENTS):
        raise NotFoundError("There is nothing to register here.")
    # In the order of numbers, then of beds: two who store the same file cannot wait for each other.
    ordered = sorted(lines, key=lambda line: line.written["hospital_number"])
    made = [(line, _register(session, actor, line, now=now)) for line in ordered]
    admitted = [(line.to, patient_id) for line, patient_id in made if line.to is not None]
    for to, patient_id in sorted(admitted, key=lambda item: _order(item[0])):
        moving.admit(session, actor, patient_id=patient_id, to=to, now=now)
    if made:
        audit.record(
            session, "patients.imported", patient_ids=[patient_id for _, patient_id in made],
            detail={"registered": len(made), "admitted": len(admitted)},
        )  # fmt: skip
    return Stored(registered=len(made), admitted=len(admitted))


def _order(to: moving.Target) -> tuple[int, int]:
    """Wards of places at home first, then beds: the order of `records.stays`."""
    return (0, to.ward_id.int) if to.bed_id is None else (1, to.bed_id.int)


def _register(session: Session, actor: Actor, line: Line, *, now: datetime) -> UUID:
    assert line.details is not None  # noqa: S101 - only rows that can be taken come here
    patient_id = details.register(session, actor, line.details, now=now).id
    for kind, found, detail in (("allergy", line.allergies, ""), ("flag", line.flags, BECAUSE)):
        for what in found:
            entries.add(
                session, actor, entry_id=clock.new_id(), patient_id=patient_id, kind=kind, what=what, detail=detail,
                now=now,
            )  # fmt: skip
    if line.no_allergies:
        entries.say_none(session, actor, entry_id=clock.new_id(), patient_id=patient_id, now=now)
    return patient_id
