"""A test of a channel: a notice like any other, by the same gateway and rows, about no alarm. The caller commits."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit, events, throttle
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.notices.facts import TestAsked
from silverwatch.domain.notices.models import Notice, NoticeAddress
from silverwatch.domain.notices.ready import TEST

TRIES: Final = throttle.Limit(name="notice-test", tries=3, per=timedelta(minutes=5))
"""Each costs money or somebody's attention."""
SHOWN_FOR: Final = timedelta(hours=24)

State = Literal["sending", "delivered", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The last test of a channel: how it stands, since when, and why it was not taken."""

    id: UUID
    channel: str
    address_id: UUID | None
    address: str | None
    state: State
    at: datetime
    error: str | None


def ask(session: Session, account_id: UUID, *, channel: str, address_id: UUID | None, now: datetime) -> UUID:
    """Send a test there; raises ConflictError when there were several just now. `address_id` is one of this person."""
    wait_s = throttle.take(session, TRIES, str(account_id), now=now)
    if wait_s is not None:
        raise ConflictError(
            f"Three tests were sent just now. Wait {max(1, ceil(wait_s / 60))} min, then send another one."
        )
    row = Notice(
        id=clock.new_id(), kind=TEST, account_id=account_id, channel=channel, address_id=address_id,
        # Behind every alarm.
        priority="low", created_at=now, next_attempt_at=now,
    )  # fmt: skip
    session.add(row)
    audit.record(session, "notice.tested", subject=("account", account_id), detail={"channel": channel})
    events.record(session, TestAsked(account_id=account_id))
    session.flush()
    return row.id


def own_address(session: Session, account_id: UUID, address_id: UUID) -> NoticeAddress:
    """A verified address of this person; raises NotFoundError for any other."""
    row = session.scalar(
        select(NoticeAddress).where(
            NoticeAddress.id == address_id,
            NoticeAddress.account_id == account_id,
            NoticeAddress.verified_at.is_not(None),
            NoticeAddress.removed_at.is_(None),
        )
    )
    if row is None:
        raise NotFoundError("There is no such address.")
    return row


_LAST: Final = """
SELECT DISTINCT ON (n.channel, CASE WHEN a.removed_at IS NULL THEN n.address_id END)
  n.id, n.channel, n.address_id, a.address, n.created_at, n.delivered_at, n.failed_at, n.error
FROM notice n LEFT JOIN notice_address a ON a.id = n.address_id
WHERE n.account_id = :account AND n.kind = 'test' AND n.created_at > CAST(:since AS timestamptz)
ORDER BY n.channel, CASE WHEN a.removed_at IS NULL THEN n.address_id END, n.created_at DESC LIMIT 50
"""


def last(session: Session, account_id: UUID, *, now: datetime) -> list[Trial]:
    """The last test of each channel and address that this person asked for, the newest first."""
    params = {"account": account_id, "since": now - SHOWN_FOR}
    found = [
        Trial(
            id=row.id,
            channel=row.channel,
            address_id=row.address_id,
            address=row.address,
            state="delivered" if row.delivered_at else "failed" if row.failed_at else "sending",
            at=row.delivered_at or row.failed_at or row.created_at,
            error=row.error,
        )
        for row in session.execute(text(_LAST), params)
    ]
    return sorted(found, key=lambda trial: trial.at, reverse=True)


def is_over(session: Session, notice_id: UUID) -> bool:
    """Has it been taken or refused?"""
    row = session.get(Notice, notice_id)
    return row is None or row.next_attempt_at is None
