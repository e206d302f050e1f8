"""The open pauses, as screens show them."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts.board import PauseLine

_OPEN = """
SELECT p.id, p.scope, p.patient_id, p.ward_id, p.kind, p.reason, p.note, p.started_at, p.ends_at, c.name AS by
FROM pause p JOIN account c ON c.id = p.started_by
WHERE p.ended_at IS NULL AND (p.patient_id = ANY(:ids) OR p.ward_id = ANY(:ids))
ORDER BY p.scope DESC, p.ends_at
"""


def open_pauses(session: Session, subject_ids: Iterable[UUID]) -> dict[UUID, list[PauseLine]]:
    """The open pauses of these patients or wards; the standby of a patient before those of single alarms."""
    found: dict[UUID, list[PauseLine]] = {}
    for row in session.execute(text(_OPEN), {"ids": list(subject_ids)}):
        line = PauseLine(
            id=row.id,
            scope=row.scope,
            kind=row.kind,
            reason=row.reason,
            note=row.note,
            by=row.by,
            started_at=row.started_at,
            ends_at=row.ends_at,
        )
        found.setdefault(row.patient_id or row.ward_id, []).append(line)
    return found
