"""The alarm rules: what a patient's readings say about alarms, folded in event-time order.

`evaluate` is pure. A fold can stop after any reading and go on from the checkpoint with the same result.
Three things follow one another: a sensor that is off gives no value; a breach must last; it must end past the
hysteresis. House rules and NEWS2 are folded beside the limits. Source: clinical facts 7. Technical alarms of
devices (silent, battery) are not found here, nor is what only the clock finds.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import inf
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from silverwatch.domain.alerts.episode import Episode, Watch, is_live, look
from silverwatch.domain.alerts.evidence import Evidence, Trail
from silverwatch.domain.alerts.latch import Run, Sample, Side, is_settled, prolong
from silverwatch.domain.alerts.limits import SITE_DEFAULTS, Limit, Limits
from silverwatch.domain.alerts.news_fold import NUMBERS, LastScore, NewsFold
from silverwatch.domain.alerts.reading import SPOT, Reading, Said, in_order, remember
from silverwatch.domain.alerts.rule_fold import RuleFold
from silverwatch.domain.alerts.rule_set import NO_RULES, RuleSet
from silverwatch.domain.alerts.rule_state import Standing
from silverwatch.domain.readings.vitals import BIT, CONSCIOUSNESS, names_in

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

_UNLIMITED: Final = (-inf, inf)
_REMEMBERED: Final = frozenset({*NUMBERS, CONSCIOUSNESS, *SITE_DEFAULTS.by_vital})
"""Vitals whose newest values a checkpoint holds: for NEWS2, and to judge them again under other limits."""


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

    `at` is the event time of the newest reading folded, None before the first. `said`: the readings that gave the
    newest values, `news`: the last complete NEWS2, `trails`: values of before, for slopes; `rules`: kind of alarm to
    how its house rules stand.
    """

    at: datetime | None = None
    vitals: dict[str, VitalState] = field(default_factory=dict)
    off: dict[str, Off] = field(default_factory=dict)
    sensor_off: Episode | None = None
    said: tuple[Said, ...] = ()
    news: LastScore | None = None
    trails: dict[str, Trail] = field(default_factory=dict)
    rules: dict[str, Standing] = field(default_factory=dict)

    @classmethod
    def empty(cls) -> "Checkpoint":
        return cls()


def evaluate(
    checkpoint: Checkpoint, readings: Sequence[Reading], *, limits: Limits, now: datetime,
    rules: RuleSet = NO_RULES, scale: int | None = 1,
) -> tuple[Checkpoint, list[Verdict]]:  # fmt: skip
    """Fold `readings`, none older than the checkpoint, in order of event time; `scale`: of NEWS2, if any.

    Gives the new checkpoint and a verdict for each episode that was open at the start or raised since, in order
    of raising. Raises ValueError for a reading older than the checkpoint and for NaN.
    """
    ordered = in_order(readings)
    if ordered and checkpoint.at is not None and ordered[0].event_at < checkpoint.at:
        raise ValueError("a reading is older than the checkpoint: fold again from an earlier one")
    if ordered:
        fold = _Fold(checkpoint, limits, rules, scale=scale)
        for reading in ordered:
            fold.add(reading)
        after, ended = fold.checkpoint(ordered[-1].event_at), fold.ended
    else:
        after, ended = checkpoint, []
    # Readings of one moment can end and raise the same alarm: it is named by its moment, and the last of them counts.
    named = {(episode.raised_at, episode.kind): episode for episode in (*ended, *_open(after))}
    return after, [Verdict(named[name], is_live(named[name], now)) for name in sorted(named)]


class _Fold:
    """The fold under way. It owns its dictionaries; what they hold is immutable and shared with checkpoints."""

    def __init__(self, checkpoint: Checkpoint, limits: Limits, rules: RuleSet, *, scale: int | None) -> None:
        self.vitals = dict(checkpoint.vitals)
        self.off = dict(checkpoint.off)
        self.sensor_off = checkpoint.sensor_off
        self._ended: list[Episode] = []
        self._levels = limits.levels
        self._within = limits.calm
        self._latest = {name: reading for said in checkpoint.said for name, reading in said.by_name()}
        self._news = NewsFold(checkpoint.news, scale=scale)
        if checkpoint.at is not None:
            self._news.sum_up(checkpoint.at, self._latest)
        self._rules = RuleFold(checkpoint.rules, rules, Evidence(self._latest, self._news, checkpoint.trails))
        self._mind = rules.ranges
        self._tracked = rules.tracked | _REMEMBERED
        self._calm = dict(rules.calm(limits))
        self._base = {name: self._calm.get(name, _UNLIMITED) for name in NUMBERS}
        self._narrow()
        # A rule may be new since the last fold: it is asked once although no value has changed.
        self._ask_all = True
        self._by_time = rules.by_time

    @property
    def ended(self) -> list[Episode]:
        """What the readings have ended."""
        return self._ended + self._rules.ended

    def add(self, reading: Reading) -> None:
        calm, vitals, mask = self._calm, self.vitals, reading.sensor_off
        at, latest, moved = reading.event_at, self._latest, False
        if at > self._news.check_at:
            self._age(at)
        for name, value in reading.values.items():
            if mask and mask & BIT[name]:
                continue
            latest[name] = reading
            low, high = calm.get(name, _UNLIMITED)
            # Nearly every value of a ward ends here: in range, and nothing going on.
            if low <= value <= high and name not in vitals:
                continue
            moved = self._beyond(name, value, reading=reading) or moved
        if mask or self.off:
            self._add_sensors(reading)
        if moved or reading.consciousness:
            self._move(reading)
            self._rules.add(reading)
        elif self._rules.standing or self._ask_all or self._by_time:
            self._rules.add(reading)
        self._ask_all = False

    def checkpoint(self, at: datetime) -> Checkpoint:
        """All that is to be remembered after the reading at `at`."""
        self._news.settle(self._latest)
        return Checkpoint(
            at=at,
            vitals=self.vitals,
            off=self.off,
            sensor_off=self.sensor_off,
            said=remember(self._latest, self._tracked),
            news=self._news.last,
            trails=self._rules.trails,
            rules=self._rules.standing,
        )

    def _beyond(self, name: str, value: float, *, reading: Reading) -> bool:
        """A value of which something may be said; True when it is NEWS2 or a house rule that may say it."""
        low, high = self._within.get(name, _UNLIMITED)
        if not low <= value <= high or name in self.vitals:
            self._add_value(name, value, reading=reading)
        low, high = self._mind.get(name, _UNLIMITED)
        least, most = self._news.ranges.get(name, _UNLIMITED)
        return not (low <= value <= high and least <= value <= most)

    def _age(self, at: datetime) -> None:
        self._news.settle(self._latest)
        self._news.sum_up(at, self._latest)
        self._narrow()

    def _move(self, reading: Reading) -> None:
        if reading.consciousness:
            self._latest[CONSCIOUSNESS] = reading
        self._news.refresh(reading.event_at, self._latest)
        self._narrow()

    def _narrow(self) -> None:
        """What was calm by limits and rules is calm only within the band of NEWS2 that it is in now."""
        calm, base = self._calm, self._base
        for name, (low, high) in self._news.ranges.items():
            least, most = base[name]
            calm[name] = (low if low > least else least, high if high < most else most)

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
            self._ended.append(ended)
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
            self._ended.append(replace(self.sensor_off, ended_at=reading.event_at))
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
        return lasted_s >= OFF_DELAY_S or (lasted_s > 0 and (reading.spot or name in SPOT))

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
            spot=reading.spot or self.off.keys() <= SPOT,
            interval_s=reading.interval_s,
            off_vitals=tuple(name for name in BIT if name in self.off),
        )


def _sample(name: str, value: float, *, reading: Reading) -> Sample:
    return Sample(reading.event_at, value, reading.spot or name in SPOT, reading.interval_s)


def _open(checkpoint: Checkpoint) -> Iterable[Episode]:
    for state in checkpoint.vitals.values():
        for watch in (state.low, state.high):
            if watch and watch.episode:
                yield watch.episode
    if checkpoint.sensor_off:
        yield checkpoint.sensor_off
    for standing in checkpoint.rules.values():
        if standing.episode:
            yield standing.episode
