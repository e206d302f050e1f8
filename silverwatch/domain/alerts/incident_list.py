"""The incidents that an actor may see, newest first; and one with what stood in it before."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor
from silverwatch.domain.alerts.board import PatientHeader
from silverwatch.domain.alerts.tiles import patient_header

PAGE: Final = 50

_LIST = """
SELECT i.id, i.kind, i.at, i.values, i.closed_at, o.name AS opened_by, w.name AS ward, b.label AS bed,
       p.id AS patient_id, p.family_name, p.given_name, p.title, p.born_on, p.sex, p.simulated
FROM incident i
JOIN patient p ON p.id = i.patient_id
LEFT JOIN account o ON o.id = i.opened_by
LEFT JOIN ward w ON w.id = i.ward_id
LEFT JOIN stay s ON s.patient_id = i.patient_id AND s.during @> i.at
LEFT JOIN bed b ON b.id = s.bed_id
WHERE i.at > CAST(:now AS timestamptz) - interval '1 year'
  AND (i.ward_id = ANY(:wards) OR i.patient_id = ANY(:patients))
  AND (i.closed_at IS NOT NULL) = :closed
ORDER BY i.at DESC, i.id DESC LIMIT :limit OFFSET :skip
"""
_HISTORY = """
SELECT c.at, c.before, a.name AS by FROM incident_change c JOIN account a ON a.id = c.account_id
WHERE c.incident_id = :id ORDER BY c.at DESC, c.id DESC
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentLine:
    """One incident of the list. `opened_by` is None for a fall that a device reported."""

    id: UUID
    kind: str
    at: datetime
    patient: PatientHeader
    ward: str | None
    bed: str | None
    what: str
    injury: str
    opened_by: str | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What stood in an incident until `at`, when `by` changed it."""

    at: datetime
    by: str
    before: dict[str, Any]


def incidents_of(
    session: Session, actor: Actor, *, closed: bool, page: int, now: datetime
) -> tuple[list[IncidentLine], bool]:
    """One page of the incidents of the actor's wards and patients, and whether there are more."""
    params = {
        "wards": list(actor.ward_ids),
        "patients": list(actor.care_team_of | actor.emergency_for),
        "closed": closed,
        "limit": PAGE + 1,
        "skip": (page - 1) * PAGE,
        "now": now,
    }
    rows = session.execute(text(_LIST), params).all()
    lines = [
        IncidentLine(
            id=row.id,
            kind=row.kind,
            at=row.at,
            patient=patient_header(row, now=now),
            ward=row.ward,
            bed=row.bed,
            what=row.values.get("what", ""),
            injury=row.values.get("injury", ""),
            opened_by=row.opened_by,
            closed_at=row.closed_at,
        )
        for row in rows[:PAGE]
    ]
    return lines, len(rows) > PAGE


def history(session: Session, incident_id: UUID) -> list[Earlier]:
    """What stood there before, newest first."""
    rows = session.execute(text(_HISTORY), {"id": incident_id})
    return [Earlier(at=row.at, by=row.by, before=row.before) for row in rows]
