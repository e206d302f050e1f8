"""The one state machine of the alarm engine: a latch that a breach closes and time in range opens again.

Each (vital, side, level) has one. Everything here is immutable and pure: a step gives a new latch, and an
idle latch is None, so that a checkpoint holds only what is going on. Source: clinical facts 7.
"""

from datetime import datetime, timedelta
from math import isnan
from typing import Final, Literal

from msgspec import Struct

from silverwatch.domain.alerts.board import Priority
from silverwatch.domain.readings.vitals import silent_after_s

Side = Literal["low", "high"]

CLEAR_S: Final = 15.0
"""How long a value must be back before an alarm on it ends."""

RANK: Final[dict[Priority, int]] = {"low": 0, "medium": 1, "high": 2}


class Sample(Struct, frozen=True, gc=False):
    """One valid value. `interval_s` is the interval expected of its source. `spot`: it decides alone."""

    at: datetime
    value: float
    spot: bool
    interval_s: float


class Level(Struct, frozen=True, kw_only=True):
    """One limit of one side. `bound` and `back`, the value at which it counts as in range again, are in range;
    both are infinite where there is no limit, so that an alarm on a limit that was taken away ends by itself."""

    side: Side
    bound: float
    back: float
    delay_s: float
    priority: Priority

    def is_beyond(self, value: float) -> bool:
        return value < self.bound if self.side == "low" else value > self.bound

    def is_back(self, value: float) -> bool:
        return value >= self.back if self.side == "low" else value <= self.back

    def worse(self, one: float, other: float) -> float:
        return min(one, other) if self.side == "low" else max(one, other)


class Run(Struct, frozen=True, array_like=True):
    """Readings that say the same without a gap: the first and the newest of them."""

    first_at: datetime
    last_at: datetime

    def lasts(self) -> float:
        return (self.last_at - self.first_at).total_seconds()


class Latch(Struct, frozen=True, omit_defaults=True):
    """A breach of one level. `run`: the breaching readings that close it; `worst`: their worst value;
    `raised`: it is closed; `calm`: the readings that are opening it again; `moved`: the limit is another one since."""

    run: Run
    worst: float
    raised: bool = False
    calm: Run | None = None
    moved: bool = False


def prolong(run: Run | None, sample: Sample) -> Run:
    """The run with one more reading; a new run if there was none or the gap before it was too long."""
    # A pause that long is silence, and an alarm of its own; a shorter one is a bad radio link, under which a
    # patient who is below the limit in every reading that comes through must not stay unheard (decision 0002).
    if run is None or sample.at - run.last_at > timedelta(seconds=silent_after_s(sample.interval_s)):
        return Run(sample.at, sample.at)
    return Run(run.first_at, sample.at)


def is_settled(calm: Run, sample: Sample) -> bool:
    """Has it been good for long enough? A spot value decides alone."""
    return sample.spot or calm.lasts() >= CLEAR_S


def step(latch: Latch | None, level: Level, *, sample: Sample) -> Latch | None:
    """The latch after one more valid value of its vital. Raises ValueError for NaN, which is no value."""
    if isnan(sample.value):
        raise ValueError("NaN is not a value of a vital")
    if level.is_beyond(sample.value):
        return _breach(latch, level, sample=sample)
    if latch is None or not latch.raised or latch.moved:
        # The hysteresis belongs to a limit that was passed: under one that was not there is no alarm.
        return None
    if not level.is_back(sample.value):
        # Between bound and hysteresis: no breach, but neither time in range past the hysteresis.
        return Latch(latch.run, latch.worst, raised=True)
    calm = prolong(latch.calm, sample)
    return None if is_settled(calm, sample) else Latch(latch.run, latch.worst, raised=True, calm=calm)


def _breach(latch: Latch | None, level: Level, *, sample: Sample) -> Latch:
    if latch is None:
        run, worst = Run(sample.at, sample.at), sample.value
    elif latch.raised:
        # Once raised only time in range ends it: a gap does not.
        return Latch(latch.run, level.worse(latch.worst, sample.value), raised=True)
    else:
        run = prolong(latch.run, sample)
        same = run.first_at == latch.run.first_at
        worst = level.worse(latch.worst, sample.value) if same else sample.value
    return Latch(run, worst, raised=sample.spot or run.lasts() >= level.delay_s)
