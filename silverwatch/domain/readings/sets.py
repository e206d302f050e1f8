"""What was measured of a patient, set by set: who or what measured it, and whether it was corrected."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.readings import vitals

SOURCES: Final = ("manual", "device", "all")
A_PAGE: Final = 50

_WHICH: Final = {
    "manual": "AND r.source_kind = 'manual'",
    "device": "AND r.source_kind <> 'manual'",
    "all": "",
}
_SETS = f"""
SELECT r.*, d.serial, a.name AS entered_by, e.entered_at, e.confirmed, c.number AS corrections, c.kind AS corrected_as,
       c.before,
       ca.name AS corrected_by
FROM (
  SELECT patient_id, measured_at, received_at, source_id, source_kind, {", ".join(vitals.NAMES)}
  FROM reading r
  WHERE r.patient_id = :patient AND r.measured_at > :since AND r.measured_at < :before {{which}}
  ORDER BY r.measured_at DESC, r.source_id LIMIT :limit) r
LEFT JOIN device d ON d.id = r.source_id
LEFT JOIN observation_entry e USING (patient_id, measured_at, source_id)
LEFT JOIN account a ON a.id = e.account_id
LEFT JOIN LATERAL (
  SELECT number, kind, before, account_id FROM correction c WHERE c.patient_id = r.patient_id
    AND c.measured_at = r.measured_at AND c.source_id = r.source_id ORDER BY number DESC LIMIT 1) c ON true
LEFT JOIN account ca ON ca.id = c.account_id
ORDER BY r.measured_at DESC, r.source_id
"""


def sets_of(
    session: Session, patient_id: UUID, *, source: str, since: datetime, before: datetime, limit: int = A_PAGE
) -> list[Row[Any]]:
    """The newest sets measured between two moments, newest first. `source` is one of SOURCES."""
    params = {"patient": patient_id, "since": since, "before": before, "limit": limit}
    return list(session.execute(text(_SETS.format(which=_WHICH[source])), params))
