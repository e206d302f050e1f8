"""Patients and their stays. The caller commits."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.records.models import Patient, Stay


def create_patient(
    session: Session,
    *,
    hospital_number: str,
    family_name: str,
    given_name: str,
    born_on: date,
    sex: str,
    title: str | None = None,
    spo2_scale: int = 1,
    simulated: bool = False,
) -> Patient:
    """A new patient. `sex` is F, M, O or U. Raises ConflictError if the hospital number is taken."""
    patient = Patient(
        id=clock.new_id(),
        hospital_number=hospital_number,
        family_name=family_name,
        given_name=given_name,
        title=title,
        born_on=born_on,
        sex=sex,
        spo2_scale=spo2_scale,
        simulated=simulated,
        created_at=clock.now(),
    )
    try:
        with session.begin_nested():
            session.add(patient)
    except IntegrityError as error:
        raise ConflictError(f"There is a patient {hospital_number} already.") from error
    return patient


def admit(session: Session, *, patient_id: UUID, bed_id: UUID, at: datetime) -> Stay:
    """The patient lies in the bed from `at`; raises ConflictError if either is taken then."""
    stay = Stay(id=clock.new_id(), patient_id=patient_id, bed_id=bed_id, during=Range(at, None, bounds="[)"))
    try:
        with session.begin_nested():
            session.add(stay)
    except IntegrityError as error:
        raise ConflictError("The bed is taken, or the patient lies in another one.") from error
    return stay
