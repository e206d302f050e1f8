"""How the ways to people do: which are down, how often those are tried, and what follows when one is back.

A way is a channel, or one address of a webhook. The caller commits. Locks are taken in this order: a notice, then its
way; other notices only if nobody has them.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch.domain.notices import rules
from silverwatch.domain.notices.models import Notice, NoticeWay


def name_of(notice: Notice) -> str:
    """The way of a notice."""
    return f"webhook:{notice.address_id}" if notice.channel == "webhook" else notice.channel


def resting(session: Session, channel: str, *, now: datetime) -> Collection[NoticeWay]:
    """The ways of this channel that are down and were tried a moment ago."""
    query = select(NoticeWay).where(
        NoticeWay.channel == channel,
        NoticeWay.failures >= rules.DOWN_AFTER,
        NoticeWay.tried_at > now - rules.PROBE,
    )
    return session.scalars(query).all()


def may_try(session: Session, notice: Notice, *, now: datetime) -> bool:
    """May this notice be tried now? Of those that wait for a way that is down one at a time."""
    way = _present(session, notice)
    if way is None or way.failures < rules.DOWN_AFTER:
        return True
    if way.tried_at is not None and way.tried_at > now - rules.PROBE:
        return False
    mine = session.scalar(
        update(NoticeWay)
        .where(NoticeWay.way == way.way, NoticeWay.tried_at.is_not_distinct_from(way.tried_at))
        .values(tried_at=now)
        .returning(NoticeWay.way)
        .execution_options(synchronize_session=False)
    )
    return mine is not None


def worked(session: Session, notice: Notice, *, now: datetime) -> None:
    """An attempt was taken. What waited for a way that was down goes now, not when its own pause is over."""
    way = _present(session, notice)
    if way is not None and way.failures == 0 and way.delivered_at and now - way.delivered_at < rules.PROBE:
        return
    was_down = way is not None and way.failures >= rules.DOWN_AFTER
    good: dict[str, object] = {"failures": 0, "failing_since": None, "error": None, "delivered_at": now}
    _set(session, notice, good)
    if was_down:
        session.execute(text(_RELEASE), {"channel": notice.channel, "address": _address(notice), "now": now,
                                         "held": now + rules.LEASE})  # fmt: skip


# What is due within the lease goes by itself, and may be an attempt that is being made.
_RELEASE: Final = """
UPDATE notice SET next_attempt_at = :now WHERE id IN (
  SELECT id FROM notice WHERE channel = :channel AND next_attempt_at > CAST(:held AS timestamptz)
    AND (CAST(:address AS uuid) IS NULL OR address_id = CAST(:address AS uuid))
  FOR UPDATE SKIP LOCKED)
"""


def failed(session: Session, notice: Notice, *, error: str, now: datetime) -> None:
    """An attempt was not taken, and not because of its address."""
    _set(session, notice, {"failures": 1, "failing_since": now, "tried_at": now, "error": error})


def _present(session: Session, notice: Notice) -> NoticeWay | None:
    query = select(NoticeWay).where(NoticeWay.way == name_of(notice))
    return session.scalar(query.execution_options(populate_existing=True))


def _address(notice: Notice) -> UUID | None:
    return notice.address_id if notice.channel == "webhook" else None


def _set(session: Session, notice: Notice, values: dict[str, object]) -> None:
    row = insert(NoticeWay).values(
        way=name_of(notice), channel=notice.channel, address_id=_address(notice), **values
    )
    change: dict[str, object] = dict(values)
    if values["failures"]:
        change["failures"] = NoticeWay.failures + 1
        change["failing_since"] = text("coalesce(notice_way.failing_since, excluded.failing_since)")
    session.execute(row.on_conflict_do_update(index_elements=["way"], set_=change))


def down(session: Session) -> list[NoticeWay]:
    """The ways that are down now."""
    query = select(NoticeWay).where(NoticeWay.failures >= rules.DOWN_AFTER).order_by(NoticeWay.way)
    return list(session.scalars(query))
