"""The alarm rules: what a patient's readings say about alarms, folded in event-time order.

`evaluate` is pure. A fold can stop after any reading and go on from the checkpoint with the same result.
Three things follow one another: a sensor that is off gives no value; a breach must last; it must end past the
hysteresis. Source: clinical facts 7. Technical alarms of devices (silent, battery) are not found here.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from math import inf
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from silverwatch.domain.alerts.episode import Episode, Watch, is_live, look
from silverwatch.domain.alerts.latch import Run, Sample, Side, is_settled, prolong
from silverwatch.domain.alerts.limits import SITE_DEFAULTS, Limit, Limits
from silverwatch.domain.readings.vitals import BIT, BY_NAME, names_in

__all__ = [
    "SENSOR_OFF",
    "SITE_DEFAULTS",
    "Checkpoint",
    "Episode",
    "Limit",
    "Limits",
    "Reading",
    "Verdict",
    "evaluate",
    "is_live",
]

SENSOR_OFF: Final = "sensor_off"
OFF_DELAY_S: Final = 30.0

_SPOT: Final = frozenset(vital.name for vital in BY_NAME.values() if vital.spot)
_UNLIMITED: Final = (-inf, inf)


class Reading(Struct, frozen=True, kw_only=True):
    """One stored set as the rules see it.

    `values`: vital -> valid number; `sensor_off`: mask of the vitals (vitals.BIT) whose sensor was off, which
    wins over a value. A 0 that means "off" is in the mask; a 0 in `values` is a measured 0, such as apnoea.
    `spot`: by hand, or from a device whose interval is > 60 s. `interval_s`: the interval expected of the source.
    """

    event_at: datetime
    values: Mapping[str, float]
    sensor_off: int = 0
    spot: bool = False
    interval_s: float = 1.0


class Verdict(Struct, frozen=True):
    """An episode as the readings leave it. `live`: it stands at `now`; else it is told in retrospect."""

    episode: Episode
    live: bool


class VitalState(Struct, frozen=True, omit_defaults=True):
    """What goes on with one vital."""

    low: Watch | None = None
    high: Watch | None = None


class Off(Struct, frozen=True, omit_defaults=True):
    """A sensor that is off: since its first off reading, and the valid values since it came back."""

    since: datetime
    back: Run | None = None


class Checkpoint(Struct, frozen=True, omit_defaults=True):
    """All that the fold remembers; a vital of which nothing is to be said is not in it. JSON through msgspec.

    `at` is the event time of the newest reading folded, None before the first.
    """

    at: datetime | None = None
    vitals: dict[str, VitalState] = field(default_factory=dict)
    off: dict[str, Off] = field(default_factory=dict)
    sensor_off: Episode | None = None

    @classmethod
    def empty(cls) -> "Checkpoint":
        return cls()


def evaluate(
    checkpoint: Checkpoint, readings: Sequence[Reading], *, limits: Limits, now: datetime
) -> tuple[Checkpoint, list[Verdict]]:
    """Fold `readings`, none older than the checkpoint, in order of event time.

    Gives the new checkpoint and a verdict for each episode that was open at the start or raised since, in order
    of raising. Raises ValueError for a reading older than the checkpoint and for NaN.
    """
    ordered = _in_order(readings)
    if ordered and checkpoint.at is not None and ordered[0].event_at < checkpoint.at:
        raise ValueError("a reading is older than the checkpoint: fold again from an earlier one")
    fold = _Fold(checkpoint, limits)
    for reading in ordered:
        fold.add(reading)
    after = Checkpoint(
        at=ordered[-1].event_at if ordered else checkpoint.at,
        vitals=fold.vitals,
        off=fold.off,
        sensor_off=fold.sensor_off,
    )
    found = sorted([*fold.ended, *_open(after)], key=lambda episode: (episode.raised_at, episode.kind))
    return after, [Verdict(episode, is_live(episode, now)) for episode in found]


class _Fold:
    """The fold under way. It owns its dictionaries; what they hold is immutable and shared with checkpoints."""

    def __init__(self, checkpoint: Checkpoint, limits: Limits) -> None:
        self.vitals = dict(checkpoint.vitals)
        self.off = dict(checkpoint.off)
        self.sensor_off = checkpoint.sensor_off
        self.ended: list[Episode] = []
        self._levels = limits.levels
        self._calm = limits.calm

    def add(self, reading: Reading) -> None:
        calm, vitals, mask = self._calm, self.vitals, reading.sensor_off
        for name, value in reading.values.items():
            low, high = calm.get(name, _UNLIMITED)
            # Nearly every value of a ward ends here: in range, and nothing going on.
            if low <= value <= high and name not in vitals:
                continue
            if not mask & BIT[name]:
                self._add_value(name, value, reading=reading)
        if mask or self.off:
            self._add_sensors(reading)

    def _add_value(self, name: str, value: float, *, reading: Reading) -> None:
        sample = _sample(name, value, reading=reading)
        before = self.vitals.get(name, VitalState())
        after = VitalState(
            self._look(before.low, name, side="low", sample=sample),
            self._look(before.high, name, side="high", sample=sample),
        )
        if after.low or after.high:
            self.vitals[name] = after
        else:
            self.vitals.pop(name, None)

    def _look(self, watch: Watch | None, name: str, *, side: Side, sample: Sample) -> Watch | None:
        after, ended = look(watch, name, levels=self._levels[name][side], sample=sample)
        if ended:
            self.ended.append(ended)
        return after

    def _add_sensors(self, reading: Reading) -> None:
        """One alarm for all sensors of a patient: once one has been off for long, until all are back."""
        masked = names_in(reading.sensor_off)
        back = [name for name in reading.values if name in self.off and name not in masked]
        for name in back:
            self._add_back(name, reading=reading)
        is_due = [self._add_off(name, reading=reading) for name in masked]
        if self.sensor_off is None:
            if any(is_due):
                self.sensor_off = self._raise_off(reading)
        elif not self.off:
            self.ended.append(replace(self.sensor_off, ended_at=reading.event_at))
            self.sensor_off = None
        elif back or masked:
            self.sensor_off = self._go_on_off(self.sensor_off, reading=reading)

    def _add_back(self, name: str, *, reading: Reading) -> None:
        sample = _sample(name, reading.values[name], reading=reading)
        calm = prolong(self.off[name].back, sample)
        if self.sensor_off is None or is_settled(calm, sample):
            del self.off[name]
        else:
            self.off[name] = Off(self.off[name].since, calm)

    def _add_off(self, name: str, *, reading: Reading) -> bool:
        """Note that the sensor is off; is it an alarm by now? A spot source says so with its second reading."""
        known = self.off.get(name)
        self.off[name] = Off(known.since if known else reading.event_at)
        lasted_s = (reading.event_at - self.off[name].since).total_seconds()
        return lasted_s >= OFF_DELAY_S or (lasted_s > 0 and (reading.spot or name in _SPOT))

    def _raise_off(self, reading: Reading) -> Episode:
        episode = Episode(
            kind=SENSOR_OFF,
            priority="low",
            peak_priority="low",
            run_from=min(off.since for off in self.off.values()),
            raised_at=reading.event_at,
            last_at=reading.event_at,
            spot=reading.spot,
            interval_s=reading.interval_s,
        )
        return self._go_on_off(episode, reading=reading)

    def _go_on_off(self, episode: Episode, *, reading: Reading) -> Episode:
        return replace(
            episode,
            last_at=reading.event_at,
            spot=reading.spot or self.off.keys() <= _SPOT,
            interval_s=reading.interval_s,
            off_vitals=tuple(name for name in BIT if name in self.off),
        )


def _sample(name: str, value: float, *, reading: Reading) -> Sample:
    return Sample(reading.event_at, value, reading.spot or name in _SPOT, reading.interval_s)


def _open(checkpoint: Checkpoint) -> Iterable[Episode]:
    for state in checkpoint.vitals.values():
        for watch in (state.low, state.high):
            if watch and watch.episode:
                yield watch.episode
    if checkpoint.sensor_off:
        yield checkpoint.sensor_off


def _in_order(readings: Sequence[Reading]) -> Sequence[Reading]:
    """By event time; readings of one moment in an order that depends on nothing but what they say."""
    if all(one.event_at < next_.event_at for one, next_ in pairwise(readings)):
        return readings
    return sorted(
        readings,
        key=lambda r: (r.event_at, r.interval_s, r.spot, r.sensor_off, sorted(r.values.items())),
    )
