"""What a person was told on screen, and what of it they have not seen. The caller commits.

Count and list ask for the same rows: the count is never of something that the list does not show.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain import events
from silverwatch.domain.notices.facts import NoticesSeen

KEPT_FOR: Final = timedelta(days=7)
PAGE: Final = 50
"""Notices on a page."""
State = Literal["open", "taken", "over"]

# On screen, not taken back, and about a ward that is still theirs.
_MINE: Final = """
FROM notice n JOIN escalation e ON e.id = n.escalation_id
WHERE n.channel = 'web' AND n.delivered_at IS NOT NULL AND n.cancelled_at IS NULL
  AND n.created_at > CAST(:since AS timestamptz)
  AND (e.ward_id IS NULL OR EXISTS (
    SELECT 1 FROM membership m WHERE m.account_id = n.account_id AND m.ward_id = e.ward_id))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """How many notices an account has not seen."""

    account_id: UUID
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One notice: what it was about, where, and how the alarm stands now. Names no patient."""

    id: UUID
    alert_id: UUID
    priority: str
    technical: bool
    kind: str
    vital: str | None
    side: str | None
    ward: str | None
    bed: str | None
    at: datetime
    seen_at: datetime | None
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """The newest notices of an account, how many of all it has not seen, and until when those that stand here came."""

    account_id: UUID
    lines: tuple[Line, ...]
    unseen: int
    has_more: bool

    @property
    def until(self) -> datetime | None:
        """When the newest of them came."""
        return self.lines[0].at if self.lines else None


def unseen(session: Session, account_ids: Sequence[UUID], now: datetime) -> dict[UUID, Unseen]:
    """The count of each of these accounts, in one statement."""
    query = (
        f"SELECT n.account_id, count(*) AS unseen {_MINE} AND n.account_id = ANY(:ids) AND n.seen_at IS NULL"
    )
    rows = session.execute(text(f"{query} GROUP BY 1"), {"ids": list(account_ids), "since": now - KEPT_FOR})
    counts = {row.account_id: row.unseen for row in rows}
    return {one: Unseen(account_id=one, count=counts.get(one, 0)) for one in account_ids}


_LIST: Final = f"""
SELECT n.id, n.alert_id, n.created_at, n.seen_at, a.priority, a.technical, a.kind, a.vital, a.side, a.closed_at,
  w.name AS ward, b.label AS bed,
  EXISTS (SELECT 1 FROM acknowledgement k WHERE k.alert_id = a.id AND k.ended_at IS NULL) AS taken
FROM (SELECT n.*, e.ward_id {_MINE} AND n.account_id = :account
      ORDER BY n.created_at DESC, n.id DESC LIMIT :limit OFFSET :offset) n
JOIN alert a ON a.id = n.alert_id
LEFT JOIN ward w ON w.id = n.ward_id
LEFT JOIN stay s ON s.patient_id = a.patient_id AND s.during @> n.created_at
LEFT JOIN bed b ON b.id = s.bed_id AND b.ward_id = n.ward_id
ORDER BY n.created_at DESC, n.id DESC
"""


def listed(session: Session, account_id: UUID, *, now: datetime, limit: int, offset: int = 0) -> list[Line]:
    """What this person was told on screen lately, the newest first."""
    params = {"account": account_id, "since": now - KEPT_FOR, "limit": limit, "offset": offset}
    return [_line(row) for row in session.execute(text(_LIST), params)]


def newest(session: Session, account_ids: Sequence[UUID], now: datetime) -> dict[UUID, Notices]:
    """The first page of each of these accounts. Open lists are few: each account is asked for."""
    counts, found = unseen(session, account_ids, now), {}
    for account_id in account_ids:
        lines = listed(session, account_id, now=now, limit=PAGE + 1)
        found[account_id] = Notices(
            account_id=account_id,
            lines=tuple(lines[:PAGE]),
            unseen=counts[account_id].count,
            has_more=len(lines) > PAGE,
        )
    return found


def _line(row: Row[Any]) -> Line:
    return Line(
        id=row.id,
        alert_id=row.alert_id,
        priority=row.priority,
        technical=row.technical,
        kind=row.kind,
        vital=row.vital,
        side=row.side,
        ward=row.ward,
        bed=row.bed,
        at=row.created_at,
        seen_at=row.seen_at,
        state="over" if row.closed_at else "taken" if row.taken else "open",
    )


def see_all(session: Session, account_id: UUID, *, until: datetime, now: datetime) -> int:
    """All of them were seen that came until then: not what came while the page was read. Gives how many."""
    return _see(session, account_id, "created_at <= CAST(:until AS timestamptz)", {"until": until}, now=now)


def see_alarm(session: Session, account_id: UUID, alert_id: UUID, *, now: datetime) -> int:
    """The alarm was looked at: its notices are seen. Gives how many were not."""
    return _see(session, account_id, "alert_id = :alert", {"alert": alert_id}, now=now)


def _see(session: Session, account_id: UUID, which: str, params: dict[str, object], *, now: datetime) -> int:
    rows = session.execute(
        text(
            "UPDATE notice SET seen_at = :now WHERE account_id = :account AND channel = 'web'"
            f" AND delivered_at IS NOT NULL AND seen_at IS NULL AND {which} RETURNING id"
        ),
        {"account": account_id, "now": now, **params},
    ).all()
    if rows:
        events.record(session, NoticesSeen(account_id=account_id))
    return len(rows)
