"""Who a patient is: registered once, corrected with what it was before. The caller commits."""

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
from silverwatch.domain.records.models import Patient
from silverwatch.domain.records.record_models import PatientChange
from silverwatch.domain.records.service import create_patient

SEXES: Final = ("F", "M", "O", "U")
MOST_TEXT: Final = 100
MOST_ADDRESS: Final = 300
OLDEST_YEARS: Final = 130
MOST_SAME_DAY: Final = 500
"""So many who were born on one day are compared at most."""
MOST_CHANGES: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Who a patient is. `sex` is F, M, O or U."""

    hospital_number: str
    family_name: str
    given_name: str
    born_on: date
    sex: str
    title: str = ""
    phone: str = ""
    address: str = ""


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


def possible_duplicates(session: Session, details: Details) -> list[Patient]:
    """Who is registered with the same birthday and name, however it is written, or with the names exchanged."""
    born = select(Patient).where(Patient.born_on == details.born_on).order_by(Patient.id).limit(MOST_SAME_DAY)
    wanted = _names(details.family_name, details.given_name)
    return [found for found in session.scalars(born) if _names(found.family_name, found.given_name) == wanted]


def _names(family: str, given: str) -> frozenset[str]:
    return frozenset({plain(family), plain(given)})


def register(session: Session, actor: Actor, details: Details, *, now: datetime) -> Patient:
    """A new patient, who lies in no bed yet: whoever registers them is of their care team, so that they can go on.

    Raises ConflictError if the hospital number is taken.
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
