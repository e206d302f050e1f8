"""When a medication is due. Pure: versions of a plan in, moments out; no session, no clock.

A time of the day is one of the site's zone. Where the clock goes forward and skips it, the dose is due as much later
as the clock was set; where the clock goes back and shows it twice, at the first of the two. Two times that fall into
the same moment by that are one dose. Every so many hours means hours that have passed, whatever the clock shows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

TIMES: Final = "times"
INTERVAL: Final = "interval"
AS_NEEDED: Final = "as_needed"
KINDS: Final = (TIMES, INTERVAL, AS_NEEDED)
EVERY_DAY: Final = (0, 1, 2, 3, 4, 5, 6)
"""Days of the week, Monday is 0."""
ROUTES: Final = (
    "oral", "iv", "im", "sc", "inhaled", "topical", "rectal", "sublingual", "other",
)  # fmt: skip
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is given, how and when. Which of the parts of a schedule are set depends on `kind`.

    `times`: at these times of the day on these days of the week. `interval`: every so many hours, `first_at` first.
    `as_needed`: for `reason`, at least `least_min` minutes apart and at most `most_24h` times in 24 h.
    `ends_at` is when it is to end by itself, None for not by itself.
    """

    kind: str
    dose: str
    route: str
    times: tuple[time, ...] = ()
    weekdays: tuple[int, ...] = ()
    every_h: int | None = None
    first_at: datetime | None = None
    reason: str = ""
    least_min: int | None = None
    most_24h: int | None = None
    note: str = ""
    ends_at: datetime | None = None

    @property
    def clock_times(self) -> tuple[str, ...]:
        """The times of the day as a clock shows them."""
        return tuple(f"{at:%H:%M}" for at in self.times)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A plan that holds from `from_at` on, until its end or a newer version. `by` entered it at `at`."""

    number: int
    from_at: datetime
    plan: Plan
    at: datetime
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From a moment to before another one; None is without end."""

    start: datetime
    end: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Does the moment lie in it?"""
        return self.start <= at and (self.end is None or at < self.end)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Due:
    """A dose is due at `at` by the plan of that version."""

    at: datetime
    number: int


def version_at(versions: Sequence[Version], at: datetime) -> Version | None:
    """What holds at a moment: of the versions that have begun, the one that was entered last."""
    begun = [version for version in versions if version.from_at <= at]
    return max(begun, key=lambda version: version.number, default=None)


def end_of(versions: Sequence[Version], version: Version) -> datetime | None:
    """Until when a version holds: its own end, or that a newer one begins."""
    newer = [other.from_at for other in versions if other.number > version.number]
    own = [version.plan.ends_at] if version.plan.ends_at else []
    return min([*newer, *own], default=None)


def due(
    versions: Sequence[Version],
    *,
    since: datetime,
    until: datetime,
    zone: ZoneInfo,
    present: Iterable[Span],
    stopped_at: datetime | None = None,
) -> list[Due]:
    """The doses from `since` to before `until`, each once, in order. Nothing is due outside `present`."""
    spans = list(present)
    found = []
    for version in versions:
        begin = max(since, version.from_at)
        ends = [end for end in (until, stopped_at, end_of(versions, version)) if end is not None]
        moments = _moments(version.plan, begin, min(ends), zone)
        found += [
            Due(at=at, number=version.number) for at in moments if any(span.holds(at) for span in spans)
        ]
    return sorted(found)


def _moments(plan: Plan, begin: datetime, end: datetime, zone: ZoneInfo) -> Iterable[datetime]:
    if begin >= end:
        return []
    if plan.kind == TIMES:
        return {at for at in _of_days(plan, begin, end, zone) if begin <= at < end}
    if plan.kind == INTERVAL and plan.first_at is not None and plan.every_h:
        return _of_hours(plan.first_at, timedelta(hours=plan.every_h), begin, end)
    return []


def _of_days(plan: Plan, begin: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    # The day before, because a clock that skips midnight carries its last times into the first day.
    day = begin.astimezone(zone).date() - DAY
    while day <= end.astimezone(zone).date():
        if day.weekday() in plan.weekdays:
            for at in plan.times:
                yield datetime.combine(day, at, zone).astimezone(UTC)
        day += DAY


def _of_hours(first: datetime, step: timedelta, begin: datetime, end: datetime) -> Iterator[datetime]:
    at = first if begin <= first else first - (first - begin) // step * step
    while at < end:
        yield at.astimezone(UTC)
        at += step
