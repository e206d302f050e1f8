"""Who was told about an alarm, when it was delivered, and what comes next; what a person was told."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts import chains, whereabouts
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.notices import people, takeback

State = Literal["delivered", "seen", "sending", "failed", "quiet", "throttled", "cancelled"]

SHOWN_FOR: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One person on one channel. `at`: when it was delivered or seen, failed, or was last tried."""

    name: str
    channel: str
    state: State
    at: datetime
    attempts: int
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A step that was taken. `role` or `person` is whom it names; `reached` 0: nobody had that duty.

    `by`: who took it before its time, `undone_by` who took that back; `fallback`: backup, planned, ward,
    admins, or None.
    """

    place: int
    at: datetime
    role: str | None
    person: str | None
    fallback: str | None
    reached: int
    by: str | None
    notices: tuple[Notice, ...]
    undone_at: datetime | None = None
    undone_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """The step that comes next if nobody takes the alarm: when, and whom it names now."""

    at: datetime
    role: str | None
    names: tuple[str, ...]
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The steps of an alarm that were taken, oldest first, and the next one."""

    steps: tuple[Taken, ...]
    next: Next | None

    def undo_until(self, now: datetime) -> datetime | None:
        """Until when somebody's escalation is offered to be undone; None when there is none, or not any more."""
        last = self.steps[-1] if self.steps else None
        if last is None or last.by is None or last.undone_at is not None or self.next is None:
            return None
        until = last.at + takeback.UNDO
        return until if now < until else None

    @property
    def failed(self) -> tuple[Notice, ...]:
        """The notices that could not be delivered."""
        return tuple(notice for step in self.steps for notice in step.notices if notice.state == "failed")


_STEPS: Final = """
SELECT e.id, e.place, e.taken_at, e.role, e.fallback, e.reached, c.name AS by, u.at AS undone_at, u.name AS undone_by
FROM escalation e LEFT JOIN account c ON c.id = e.taken_by
LEFT JOIN LATERAL (
  SELECT x.at, o.name FROM alert_action x JOIN account o ON o.id = x.account_id
  WHERE x.alert_id = e.alert_id AND x.what = 'undo_escalation' AND x.at >= e.taken_at AND NOT EXISTS (
    SELECT 1 FROM escalation l WHERE l.alert_id = e.alert_id AND l.taken_at > e.taken_at AND l.taken_at <= x.at)
  ORDER BY x.at LIMIT 1
) u ON true
WHERE e.alert_id = :alert ORDER BY e.taken_at, e.place LIMIT 200
"""

_NOTICES: Final = """
SELECT n.escalation_id, c.name, n.channel, n.created_at, n.delivered_at, n.failed_at, n.cancelled_at, n.held_as,
       n.seen_at, n.attempts, n.error, n.next_attempt_at
FROM notice n JOIN account c ON c.id = n.account_id
WHERE n.alert_id = :alert ORDER BY n.created_at, c.name, n.channel LIMIT 1000
"""


def told(session: Session, alert_id: UUID, *, now: datetime) -> Told:
    """Who was told about an alarm and when it was delivered, and what comes next. The caller checks the scope."""
    notices: dict[UUID, list[Notice]] = {}
    for row in session.execute(text(_NOTICES), {"alert": alert_id}):
        notices.setdefault(row.escalation_id, []).append(_notice(row))
    steps = tuple(
        Taken(
            place=row.place,
            at=row.taken_at,
            role=row.role,
            person=notices[row.id][0].name if row.role is None and row.id in notices else None,
            fallback=row.fallback,
            reached=row.reached,
            by=row.by,
            notices=tuple(notices.get(row.id, ())),
            undone_at=row.undone_at,
            undone_by=row.undone_by,
        )
        for row in session.execute(text(_STEPS), {"alert": alert_id})
    )
    return Told(steps=steps, next=_next(session, alert_id, now=now))


def _notice(row: Row[Any]) -> Notice:
    state, at = _state(row)
    return Notice(
        name=row.name, channel=row.channel, state=state, at=at, attempts=row.attempts, error=row.error
    )


def _state(row: Row[Any]) -> tuple[State, datetime]:
    if row.held_as is not None:
        return row.held_as, row.created_at
    if row.seen_at is not None:
        return "seen", row.seen_at
    if row.delivered_at is not None:
        return "delivered", row.delivered_at
    if row.cancelled_at is not None:
        return "cancelled", row.cancelled_at
    if row.failed_at is not None or row.error is not None:
        # It may be tried again: until it was delivered, it was not.
        return "failed", row.failed_at or row.created_at
    return "sending", row.created_at


def _next(session: Session, alert_id: UUID, *, now: datetime) -> Next | None:
    alert = session.get(Alert, alert_id)
    if alert is None or alert.escalate_at is None or alert.closed_at is not None:
        return None
    ward_id = whereabouts.places_of_alerts(session, [alert_id], now=now).get(alert_id, (None, None))[0]
    chain = chains.chains_for(session, [ward_id])[ward_id, alert.priority]
    crew = people.crews(session, [ward_id], now=now)[ward_id]
    place = chain.place(alert.step)
    named = crew.named(chain.steps[place])
    while named is None and place + 1 < len(chain.steps):
        place += 1
        named = crew.named(chain.steps[place])
    step = chain.steps[place]
    known = people.persons(session, (named or crew.last_resort()).account_ids)
    return Next(
        at=alert.escalate_at,
        role=step.role.value if step.role else None,
        names=tuple(sorted(person.name for person in known.values())),
        channels=step.channels,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """Notices that wait or fail: for the administrator's overview."""

    waiting: int
    failed: int
    oldest_at: datetime | None


def failing(session: Session, *, now: datetime) -> Failing:
    """How many notices are not delivered: those that wait now, and those given up in the last day."""
    row = session.execute(
        text(
            "SELECT count(*) FILTER (WHERE next_attempt_at IS NOT NULL) AS waiting,"
            " count(*) FILTER (WHERE failed_at IS NOT NULL) AS failed,"
            " min(created_at) FILTER (WHERE next_attempt_at IS NOT NULL) AS oldest"
            " FROM notice WHERE kind = 'alarm' AND created_at > CAST(:since AS timestamptz)"
        ),
        {"since": now - SHOWN_FOR},
    ).one()
    return Failing(waiting=row.waiting, failed=row.failed, oldest_at=row.oldest)
