"""Handing a ward over: remarks for the next shift, and who accepted duty when, with what sheet.

The caller commits.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit, events
from silverwatch.domain.access import Actor
from silverwatch.domain.alerts import sheet, sheet_queries
from silverwatch.domain.alerts.sheet import Sheet
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.records.facts import TasksChanged
from silverwatch.domain.records.models import Handover, HandoverRemark
from silverwatch.domain.wards import roster, shifts
from silverwatch.domain.wards.models import Ward

MOST_REMARK: Final = 500
LATE: Final = timedelta(hours=1)
"""So long after a shift began the one before is still being handed over."""
EARLIER: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A handover that was accepted."""

    id: UUID
    at: datetime
    by: str


def shift_begin(now: datetime, *, zone: ZoneInfo) -> datetime:
    """When the shift began that is handed over now: the present one, or in its first hour the one before."""
    day, pattern = shifts.pattern_at(now - LATE, zone=zone)
    return shifts.span(day, pattern, zone=zone)[0]


def remark(session: Session, actor: Actor, *, patient_id: UUID, written: str, now: datetime) -> None:
    """Say something about a patient to the next shift; the newest remark stands, an empty one takes it away."""
    session.add(
        HandoverRemark(
            id=clock.new_id(), patient_id=patient_id, account_id=actor.account_id, at=now, text=written
        )
    )
    session.flush()
    audit.record(session, "handover.remarked", patient_ids=[patient_id])
    events.record(session, TasksChanged(patient_id=patient_id))


def accept(
    session: Session, actor: Actor, ward: Ward, *, handover_id: UUID, since: datetime, now: datetime
) -> bool:
    """Accept duty in a ward, and keep the sheet as it was then. `handover_id` is the form's own: False for a resend."""
    roster.accept(session, actor, ward.id, now=now)
    handed = sheet_queries.build(session, ward, since=since, now=now)
    query = insert(Handover).values(
        id=handover_id, ward_id=ward.id, at=now, accepted_by=actor.account_id, sheet=sheet.plain(handed)
    )
    if session.execute(query.on_conflict_do_nothing().returning(Handover.id)).first() is None:
        return False
    audit.record(
        session,
        "handover.accepted",
        ward_id=ward.id,
        subject=("handover", handover_id),
        patient_ids=[line.patient.id for line in handed.lines],
    )
    return True


_PAST = """
SELECT h.id, h.at, a.name, {columns} FROM handover h JOIN account a ON a.id = h.accepted_by
WHERE h.ward_id = :ward AND {condition} ORDER BY h.at DESC LIMIT :most
"""


def earlier(session: Session, ward_id: UUID, *, now: datetime) -> list[Past]:
    """The newest handovers of a ward."""
    query = _PAST.format(columns="NULL AS sheet", condition="h.at <= :now")
    rows = session.execute(text(query), {"ward": ward_id, "now": now, "most": EARLIER})
    return [Past(id=row.id, at=row.at, by=row.name) for row in rows]


def stored(session: Session, ward_id: UUID, handover_id: UUID) -> tuple[Past, Sheet]:
    """What was handed over then; raises NotFoundError for another ward's as for none."""
    query = _PAST.format(columns="h.sheet", condition="h.id = :id")
    row = session.execute(text(query), {"ward": ward_id, "id": handover_id, "most": 1}).first()
    if row is None:
        raise NotFoundError("There is no such handover.")
    return Past(id=row.id, at=row.at, by=row.name), sheet.read(row.sheet)
