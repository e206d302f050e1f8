"""Questions about patients."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch.domain.records.models import Patient


def patient_by_number(session: Session, hospital_number: str) -> Patient | None:
    """The patient with this hospital number, whoever asks: for administrators who tie an account to a record."""
    # PostgreSQL cannot even be asked for a text with NUL in it.
    wanted = hospital_number.replace("\0", "").strip()
    found = session.scalar(select(Patient).where(Patient.hospital_number == wanted)) if wanted else None
    # The number of a record that was merged is one of the patient's former numbers.
    return session.get(Patient, found.merged_into) if found and found.merged_into else found


def former_numbers(session: Session, patient_id: UUID) -> list[str]:
    """The hospital numbers of the records that were merged into this one, the first one first."""
    query = (
        select(Patient.hospital_number).where(Patient.merged_into == patient_id).order_by(Patient.merged_at)
    )
    return list(session.scalars(query))


def hospital_numbers(session: Session, patient_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The hospital number of each of these patients that exists: for the audit, which knows them by id."""
    rows = session.execute(
        select(Patient.id, Patient.hospital_number).where(Patient.id.in_(set(patient_ids)))
    )
    return {row.id: row.hospital_number for row in rows}
