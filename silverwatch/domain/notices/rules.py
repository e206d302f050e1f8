"""When somebody is told, on which channel, and how often it is tried. Pure: no session, no clock."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from silverwatch.domain.alerts.steps import CHANNELS, Channel

BACK_OFF: Final = tuple(timedelta(seconds=s) for s in (5, 15, 60, 300))
GIVEN_UP_AFTER: Final = timedelta(minutes=30)
"""An alarm of half an hour ago that nobody could be told of has been through the whole chain since."""
TOO_OLD: Final = "Given up: it was not taken within 30 minutes."
LEASE: Final = timedelta(seconds=3)
"""Whoever makes an attempt says so again and again while it lasts: silent for so long, they have died."""
KEPT_EVERY_S: Final = 1.0
DOWN_AFTER: Final = 2
"""A way of which so many attempts in a row were not taken is down: who waits for it is told another way at once."""
PROBE: Final = timedelta(seconds=2)
"""A way that is down is tried by one notice at a time, no more often than this."""
ONE_IN: Final = timedelta(minutes=5)
"""The same condition of the same patient tells the same person once in this time: 12 times in an hour of flapping."""
MOST_AN_HOUR: Final = 30
"""Notices on one channel to one person in an hour; beyond it only what is high goes out."""

Held = Literal["quiet", "throttled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """From when until when somebody is not to be disturbed, by the clock of the site; may go over midnight."""

    begin: time
    end: time

    def holds(self, now: datetime, *, zone: ZoneInfo) -> bool:
        """Is it that time now?"""
        at = now.astimezone(zone).time()
        if self.begin <= self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What somebody was told lately on a channel: the last notice about the same, and how many in the hour."""

    last_at: datetime | None = None
    last_priority: str = "low"
    in_hour: int = 0


RANK: Final = {"low": 0, "medium": 1, "high": 2}


def held(
    channel: str, priority: str, *, told: Told, quiet: Quiet | None, now: datetime, zone: ZoneInfo
) -> Held | None:
    """Why a notice is not sent now; None when it is. High is never held by quiet hours or by the hourly number."""
    if (
        told.last_at is not None
        and now - told.last_at < ONE_IN
        and RANK[told.last_priority] >= RANK[priority]
    ):
        return "throttled"
    if priority == "high" or channel == "web":
        return None
    if quiet is not None and quiet.holds(now, zone=zone):
        return "quiet"
    return "throttled" if told.in_hour >= MOST_AN_HOUR else None


def channels_of(wanted: Sequence[Channel], reachable: Collection[str]) -> list[Channel]:
    """On which channels a person is told: the step's that reach them, or else the first other one that does."""
    out: list[Channel] = [channel for channel in wanted if channel != "web" and channel in reachable]
    if not out and any(channel != "web" for channel in wanted):
        out = [channel for channel in CHANNELS if channel in reachable][:1]
    return ["web", *out]


def next_channel(tried: Collection[str], reachable: Collection[str]) -> Channel | None:
    """Where to try after a failure."""
    return next((channel for channel in CHANNELS if channel in reachable and channel not in tried), None)


def back_off(attempts: int) -> timedelta:
    """How long to wait after so many attempts."""
    return BACK_OFF[min(max(attempts, 1), len(BACK_OFF)) - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is told. `reachable`: channel to the id of the verified address, None for the account's e-mail."""

    account_id: UUID
    name: str
    reachable: Mapping[str, UUID | None]
    quiet: Quiet | None = None
