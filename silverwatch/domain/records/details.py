"""Who a patient is: registered once, corrected with what it was before. The caller commits."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit
from silverwatch.domain.access import Actor
from silverwatch.domain.accounts.directory import plain
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.records.care_team import join
from silverwatch.domain.records.details_rules import Details
from silverwatch.domain.records.models import Patient
from silverwatch.domain.records.record_models import PatientChange
from silverwatch.domain.records.service import create_patient

MOST_SAME_DAY: Final = 500
"""So many who were born on one day are compared at most."""
MOST_CHANGES: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """A correction: each field's name with what it was and what it became, and by whom."""

    at: datetime
    by: str
    changed: dict[str, list[str]]


def details_of(patient: Patient) -> Details:
    """As they stand."""
    return Details(
        hospital_number=patient.hospital_number,
        family_name=patient.family_name,
        given_name=patient.given_name,
        born_on=patient.born_on,
        sex=patient.sex,
        title=patient.title or "",
        phone=patient.phone,
        address=patient.address,
    )


Same = tuple[date, frozenset[str]]
"""What two who may be one have in common."""

_BORN = """
SELECT id, hospital_number, family_name, given_name, born_on FROM (
  SELECT p.*, row_number() OVER (PARTITION BY born_on ORDER BY id) AS n FROM patient p
  WHERE born_on = ANY(:days) AND merged_into IS NULL) p
WHERE n <= :most ORDER BY id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Somebody who is registered and may be the same person."""

    id: UUID
    hospital_number: str
    family_name: str
    given_name: str
    born_on: date


def same(who: Details | Alike) -> Same:
    """The same for two who may be one: birthday and name, however it is written, or with the names exchanged."""
    return who.born_on, frozenset({plain(who.family_name), plain(who.given_name)})


def possible_duplicates(session: Session, details: Details) -> list[Alike]:
    """Who is registered and may be this person."""
    return all_alike(session, [details]).get(same(details), [])


def all_alike(session: Session, wanted: Iterable[Details]) -> dict[Same, list[Alike]]:
    """The same for many; one statement."""
    keys = {same(details) for details in wanted}
    params = {"days": sorted({day for day, _ in keys}), "most": MOST_SAME_DAY}
    found: dict[Same, list[Alike]] = {}
    for row in session.execute(text(_BORN), params):
        who = Alike(**row._mapping)
        if same(who) in keys:
            found.setdefault(same(who), []).append(who)
    return found


def registered_as(session: Session, details: Details) -> UUID | None:
    """The patient who is registered with exactly these details."""
    query = select(Patient).where(
        Patient.hospital_number == details.hospital_number, Patient.merged_into.is_(None)
    )
    patient = session.scalar(query)
    return patient.id if patient is not None and details_of(patient) == details else None


def register(
    session: Session, actor: Actor, details: Details, *, now: datetime, joins: bool = True
) -> Patient:
    """A new patient, who lies in no bed yet: whoever registers them is of their care team, so that they can go on.

    `joins` false for a program, which looks after nobody. Raises ConflictError if the hospital number is taken.
    """
    patient = create_patient(
        session,
        hospital_number=details.hospital_number,
        family_name=details.family_name,
        given_name=details.given_name,
        born_on=details.born_on,
        sex=details.sex,
        title=details.title or None,
    )
    patient.phone, patient.address = details.phone, details.address
    session.flush()
    audit.record(session, "patient.registered", subject=("patient", patient.id), patient_ids=[patient.id])
    if joins:
        join(session, actor, patient_id=patient.id, account_id=actor.account_id, now=now)
    return patient


def change(session: Session, actor: Actor, patient_id: UUID, details: Details, *, now: datetime) -> bool:
    """Correct the details; what they were is kept. False when nothing is different.

    Raises ConflictError if another patient has the hospital number.
    """
    patient = session.get_one(Patient, patient_id, with_for_update=True)
    before, after = asdict(details_of(patient)), asdict(details)
    changed = {
        name: [str(before[name]), str(value)] for name, value in after.items() if value != before[name]
    }
    if not changed:
        return False
    try:
        with session.begin_nested():
            for name in changed:
                setattr(patient, name, after[name])
    except IntegrityError as error:
        raise ConflictError(f"Another patient has the hospital number {details.hospital_number}.") from error
    session.add(
        PatientChange(
            id=clock.new_id(), patient_id=patient_id, at=now, account_id=actor.account_id, changed=changed
        )
    )
    detail: dict[str, Any] = {"fields": sorted(changed)}
    audit.record(
        session, "patient.changed", subject=("patient", patient_id), patient_ids=[patient_id], detail=detail
    )
    return True


_CHANGES = """
SELECT c.at, a.name, c.changed FROM patient_change c JOIN account a ON a.id = c.account_id
WHERE c.patient_id = :patient ORDER BY c.at DESC, c.id DESC LIMIT :most
"""


def changes_of(session: Session, patient_id: UUID) -> list[ChangeView]:
    """The corrections of a patient's details, the newest first."""
    rows = session.execute(text(_CHANGES), {"patient": patient_id, "most": MOST_CHANGES})
    return [ChangeView(at=row.at, by=row.name, changed=row.changed) for row in rows]
