"""The patients that somebody may read, as rows for programs: in their wards now, or theirs by name."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whose patients: those who lie in these wards now, and these by name."""

    ward_ids: Collection[UUID] = ()
    patient_ids: Collection[UUID] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRow:
    """A patient, and where they lie; None for nowhere."""

    id: UUID
    hospital_number: str
    family_name: str
    given_name: str
    title: str | None
    born_on: date
    sex: str
    spo2_scale: int
    simulated: bool
    ward_id: UUID | None
    ward: str | None
    bed: str | None
    admitted_at: datetime | None


_FROM: Final = """
FROM patient p
LEFT JOIN stay s ON s.patient_id = p.id AND s.during @> CAST(:now AS timestamptz)
LEFT JOIN bed b ON b.id = s.bed_id
LEFT JOIN ward w ON w.id = b.ward_id
WHERE (b.ward_id = ANY(:wards) OR p.id = ANY(:patients))
  AND (CAST(:ward AS uuid) IS NULL OR b.ward_id = :ward)
  AND (CAST(:number AS text) IS NULL OR p.hospital_number = :number)
  AND (CAST(:one AS uuid) IS NULL OR p.id = :one)
"""
_ROWS: Final = f"""
SELECT p.id, p.hospital_number, p.family_name, p.given_name, p.title, p.born_on, p.sex, p.spo2_scale, p.simulated,
       b.ward_id, w.slug AS ward, b.label AS bed, lower(s.during) AS admitted_at {_FROM}
ORDER BY p.family_name, p.given_name, p.id LIMIT :limit OFFSET :offset
"""


def patients(
    session: Session,
    reach: Reach,
    *,
    now: datetime,
    ward_id: UUID | None = None,
    hospital_number: str | None = None,
    patient_id: UUID | None = None,
    limit: int = 1,
    offset: int = 0,
) -> tuple[int, list[PatientRow]]:
    """How many fit, and this part of them by name; two statements, however many they are."""
    params: dict[str, Any] = {
        "now": now,
        "wards": list(reach.ward_ids),
        "patients": list(reach.patient_ids),
        "ward": ward_id,
        "number": hospital_number,
        "one": patient_id,
        "limit": limit,
        "offset": offset,
    }
    total: int = session.execute(text(f"SELECT count(*) {_FROM}"), params).scalar_one()
    rows = session.execute(text(_ROWS), params)
    return total, [PatientRow(**row._mapping) for row in rows]
