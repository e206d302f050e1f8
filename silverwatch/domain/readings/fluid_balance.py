"""What went into a patient and what came out, added up. Pure: sums of hours in, a balance out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from silverwatch.domain.wards import shifts

INTAKE: Final = ("oral", "tube", "infusion", "blood", "other_in")
OUTPUT: Final = ("urine", "vomit", "stool", "drain", "aspirate", "bleeding", "other_out")
KINDS: Final = (*INTAKE, *OUTPUT)
MOST_ML: Final = 10_000
UNUSUAL_ML: Final = 2_000
"""More than this at once is looked at twice: it is nearly always a slip of the finger."""
DAYS: Final = 7
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """So many ml went in and came out."""

    taken: int = 0
    lost: int = 0

    @property
    def balance(self) -> int:
        """What stayed, in ml; below 0 where more came out."""
        return self.taken - self.lost

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(taken=self.taken + other.taken, lost=self.lost + other.lost)


NOTHING: Final = Sum()


@dataclass(frozen=True, slots=True, kw_only=True)
class HourSum:
    """The hour that begins `at`: all of it, and what of it lies in the last 24 h."""

    at: datetime
    whole: Sum
    recent: Sum


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One hour of the picture; `running` is the balance of the last 24 h until its end, in ml."""

    at: datetime
    sum: Sum
    running: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What a page of fluids says. `days` has the running day first, each with when it began.

    `bars` are the hours that touch the last 24 h: the first and the last one are parts of hours.
    """

    since: datetime
    today: Sum
    last_24_h: Sum
    bars: tuple[Bar, ...]
    days: tuple[tuple[datetime, Sum], ...]


def day_begin(now: datetime, *, zone: ZoneInfo, back: int = 0) -> datetime:
    """When the day of fluids began that runs now, or so many days before: with the early shift, 07:00."""
    begin = shifts.PATTERNS["early"][0]
    today = now.astimezone(zone).date()
    if now < datetime.combine(today, begin, zone):
        today -= timedelta(days=1)
    return datetime.combine(today - timedelta(days=back), begin, zone).astimezone(ZoneInfo("UTC"))


def balance(hours: Iterable[HourSum], *, now: datetime, zone: ZoneInfo) -> Balance:
    """Add the hours up; they are cut at full hours after the day's begin."""
    known = list(hours)
    begins = [day_begin(now, zone=zone, back=back) for back in range(DAYS)]
    days = []
    until = now + DAY
    for begin in begins:
        days.append((begin, _added(hour.whole for hour in known if begin <= hour.at < until)))
        until = begin
    return Balance(
        since=begins[0],
        today=days[0][1],
        last_24_h=_added(hour.recent for hour in known),
        bars=tuple(_bars(known, begin=begins[0], now=now)),
        days=tuple(days),
    )


def _bars(known: list[HourSum], *, begin: datetime, now: datetime) -> Iterable[Bar]:
    recent = {hour.at: hour.recent for hour in known}
    at = begin + HOUR * ((now - DAY - begin) // HOUR)
    running = 0
    while at <= now:
        total = recent.get(at, NOTHING)
        running += total.balance
        yield Bar(at=at, sum=total, running=running)
        at += HOUR


def _added(sums: Iterable[Sum]) -> Sum:
    return sum(sums, NOTHING)
