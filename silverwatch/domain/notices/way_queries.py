"""How each way to people does, for the administrator's page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch.domain.notices import rules

State = Literal["works", "failing", "down", "unused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way: a channel, or one webhook of somebody (`name`, `address`).

    `failing`: the last attempt was not taken; `down`: several in a row; `since` when that began. `waiting`: notices
    that are still to go.
    """

    channel: str
    name: str | None
    address: str | None
    state: State
    since: datetime | None
    delivered_at: datetime | None
    error: str | None
    waiting: int


_WAYS: Final = """
WITH waiting AS (
  SELECT CASE WHEN channel = 'webhook' THEN 'webhook:' || address_id ELSE channel END AS way, channel,
    CASE WHEN channel = 'webhook' THEN address_id END AS address_id, count(*) AS waiting
  FROM notice WHERE next_attempt_at IS NOT NULL GROUP BY 1, 2, 3)
SELECT coalesce(s.channel, q.channel) AS channel, c.name, a.address, coalesce(s.failures, 0) AS failures,
  s.failing_since, s.delivered_at, s.error, coalesce(q.waiting, 0) AS waiting
FROM notice_way s FULL JOIN waiting q ON q.way = s.way
LEFT JOIN notice_address a ON a.id = coalesce(s.address_id, q.address_id)
LEFT JOIN account c ON c.id = a.account_id
WHERE a.removed_at IS NULL
ORDER BY c.name NULLS FIRST, a.address LIMIT 200
"""


def ways(session: Session, channels: Sequence[str]) -> list[Way]:
    """The ways of these channels, those not used yet too; in the order of the channels."""
    found: dict[str, list[Way]] = {channel: [] for channel in channels}
    for row in session.execute(text(_WAYS)):
        # What was taken out of the settings is nobody's business, unless something still waits for it.
        if row.channel in found or row.waiting:
            found.setdefault(row.channel, []).append(
                Way(
                    channel=row.channel,
                    name=row.name,
                    address=row.address,
                    state=_state(row.failures, row.delivered_at),
                    since=row.failing_since,
                    delivered_at=row.delivered_at,
                    error=row.error,
                    waiting=row.waiting,
                )
            )
    return [way for channel, rows in found.items() for way in rows or [_unused(channel)]]


def _state(failures: int, delivered_at: datetime | None) -> State:
    if failures >= rules.DOWN_AFTER:
        return "down"
    if failures:
        return "failing"
    return "works" if delivered_at else "unused"


def _unused(channel: str) -> Way:
    return Way(
        channel=channel,
        name=None,
        address=None,
        state="unused",
        since=None,
        delivered_at=None,
        error=None,
        waiting=0,
    )
