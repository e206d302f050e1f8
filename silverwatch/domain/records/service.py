"""Patients. The caller commits."""

from datetime import date

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.records.models import Patient


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
