"""What happens to a patient or a device: episodes, and courses that repeat them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from silverwatch.simulator.noise import uniform

JITTER = 0.08
"""An episode of the cycle comes up to this share of the period earlier or later, so that a ward never beats
in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One stretch of a course; times in seconds, targets in the vitals' units.

    The vitals move to `targets` in `rise_s`, stay for `hold_s` and come back in `fall_s`. What a device does
    wrong (`sensor_off`, `silent`, `motion`) lasts over the hold alone; `motion` is the share of disturbed
    moments. `observed` is what a nurse finds (consciousness, oxygen), `event` what the device reports when
    the hold begins.
    """

    at_s: float
    rise_s: float = 0.0
    hold_s: float = 0.0
    fall_s: float = 0.0
    targets: Mapping[str, float] = field(default_factory=dict)
    observed: Mapping[str, float | str] = field(default_factory=dict)
    sensor_off: tuple[str, ...] = ()
    silent: bool = False
    motion: float = 0.0
    event: str | None = None

    @property
    def length_s(self) -> float:
        """From the first change to the last, in seconds."""
        return self.rise_s + self.hold_s + self.fall_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """An episode at its place in time."""

    begin_s: float
    episode: Episode

    @property
    def hold_begin_s(self) -> float:
        """When the targets are reached, or the fault of the device begins."""
        return self.begin_s + self.episode.rise_s

    @property
    def hold_end_s(self) -> float:
        """When the way back begins."""
        return self.hold_begin_s + self.episode.hold_s

    def level(self, t_s: float) -> float:
        """How far the vitals are on the way to the targets: 0 to 1, smooth."""
        episode, since = self.episode, t_s - self.begin_s
        if since < 0 or since >= episode.length_s:
            return 0.0
        if since < episode.rise_s:
            return _smooth(since / episode.rise_s)
        back = since - episode.rise_s - episode.hold_s
        return 1.0 if back < 0 else 1 - _smooth(back / episode.fall_s)

    def holds(self, t_s: float) -> bool:
        """Is t_s between the rise and the fall?"""
        return self.hold_begin_s <= t_s < self.hold_end_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A script: the `opening` happens once at its own times (negative: before the start), the `cycle` again
    and again.

    Times of the cycle's episodes count from the begin of a cycle: `first_s`, then every `period_s`.
    """

    name: str
    opening: tuple[Episode, ...] = ()
    cycle: tuple[Episode, ...] = ()
    first_s: float = 0.0
    period_s: float = math.inf

    def occurrences(self, since_s: float, until_s: float, *, key: str) -> Iterator[Occurrence]:
        """The episodes that touch since_s..until_s; `key` moves those of the cycle a little, always the same
        way."""
        for occurrence in self._all_until(until_s, since_s, key):
            if occurrence.begin_s <= until_s and occurrence.begin_s + occurrence.episode.length_s >= since_s:
                yield occurrence

    def _all_until(self, until_s: float, since_s: float, key: str) -> Iterator[Occurrence]:
        for episode in self.opening:
            yield Occurrence(begin_s=episode.at_s, episode=episode)
        if not self.cycle:
            return
        first = max(math.floor((since_s - self.first_s) / self.period_s) - 1, 0)
        last = math.floor((until_s - self.first_s) / self.period_s) + 1
        for number in range(first, last + 1):
            for index, episode in enumerate(self.cycle):
                shift = (2 * uniform(key, self.name, number, index) - 1) * JITTER * self.period_s
                begin = self.first_s + number * self.period_s + episode.at_s + shift
                yield Occurrence(begin_s=begin, episode=episode)


def _smooth(x: float) -> float:
    return x * x * (3 - 2 * x)
