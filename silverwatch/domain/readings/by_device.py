"""What a device measured of patients who may be read, reading by reading: as rows for programs."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.readings import vitals

# Who wore it then, and may be read now: in these wards, or by name.
_FROM: Final = """
FROM (
  SELECT DISTINCT bi.patient_id FROM binding bi
  WHERE bi.device_id = :device AND bi.during && tstzrange(CAST(:since AS timestamptz), CAST(:until AS timestamptz))
    AND (bi.patient_id = ANY(:patients) OR EXISTS (
      SELECT FROM stay s JOIN bed b ON b.id = s.bed_id
      WHERE s.patient_id = bi.patient_id AND s.during @> CAST(:now AS timestamptz) AND b.ward_id = ANY(:wards)))) k
JOIN reading r ON r.patient_id = k.patient_id AND r.source_id = :device
  AND r.measured_at >= CAST(:since AS timestamptz) AND r.measured_at < CAST(:until AS timestamptz)
"""
_ROWS: Final = f"""
SELECT r.patient_id, r.measured_at, r.received_at, {", ".join(f"r.{name}" for name in vitals.NAMES)} {_FROM}
ORDER BY r.measured_at DESC, r.patient_id LIMIT :limit OFFSET :offset
"""


def readings_of(
    session: Session,
    device_id: UUID,
    *,
    ward_ids: Collection[UUID],
    patient_ids: Collection[UUID],
    since: datetime,
    until: datetime,
    now: datetime,
    limit: int,
    offset: int,
) -> tuple[int, list[Row[Any]]]:
    """How many it measured from `since` until before `until`, and this part of them, newest first; two statements."""
    params = {
        "device": device_id, "wards": list(ward_ids), "patients": list(patient_ids), "since": since, "until": until,
        "now": now, "limit": limit, "offset": offset,
    }  # fmt: skip
    total: int = session.execute(text(f"SELECT count(*) {_FROM}"), params).scalar_one()
    return total, list(session.execute(text(_ROWS), params))
