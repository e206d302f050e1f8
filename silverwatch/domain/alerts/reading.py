"""A stored set as the rules see it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from typing import Final

from msgspec import Struct

from silverwatch.domain.readings.vitals import BY_NAME, CONSCIOUSNESS

SPOT: Final = frozenset(vital.name for vital in BY_NAME.values() if vital.spot)


class Reading(Struct, frozen=True, kw_only=True):
    """One stored set as the rules see it.

    `values`: vital -> valid number; `sensor_off`: mask of the vitals (vitals.BIT) whose sensor was off, which
    wins over a value. A 0 that means "off" is in the mask; a 0 in `values` is a measured 0, such as apnoea.
    `spot`: by hand, or from a device whose interval is > 60 s. `interval_s`: the interval expected of the source.
    `consciousness`: an ACVPU letter.
    """

    event_at: datetime
    values: Mapping[str, float]
    sensor_off: int = 0
    spot: bool = False
    interval_s: float = 1.0
    consciousness: str | None = None

    def order(self) -> tuple[object, ...]:
        """By event time; readings of one moment in an order that depends on nothing but what they say."""
        return (
            self.event_at, self.interval_s, self.spot, self.sensor_off, sorted(self.values.items()),
            self.consciousness or "",
        )  # fmt: skip


def in_order(readings: Sequence[Reading]) -> Sequence[Reading]:
    """By event time; readings of one moment in an order that depends on nothing but what they say, each once.

    The same one twice would count as time that goes on: a score that rose may make an older value too old for it.
    """
    if all(one.event_at < next_.event_at for one, next_ in pairwise(readings)):
        return readings
    return [one for one, _ in groupby(sorted(readings, key=Reading.order))]


class Said(Struct, frozen=True, array_like=True, omit_defaults=True):
    """What is remembered of a reading: of `values` those that are still the newest of their vital."""

    event_at: datetime
    interval_s: float
    spot: bool
    values: dict[str, float]
    consciousness: str | None = None

    def by_name(self) -> Iterator[tuple[str, Reading]]:
        """Each vital that it gave, consciousness too, with the reading as far as it is remembered."""
        reading = Reading(
            event_at=self.event_at,
            values=self.values,
            spot=self.spot,
            interval_s=self.interval_s,
            consciousness=self.consciousness,
        )
        yield from ((name, reading) for name in self.values)
        if self.consciousness:
            yield CONSCIOUSNESS, reading


def remember(latest: Mapping[str, Reading], names: frozenset[str]) -> tuple[Said, ...]:
    """The newest readings of these vitals, in an order that depends on nothing but what they say."""
    found: dict[tuple[datetime, float, bool], tuple[dict[str, float], list[str]]] = {}
    for name, reading in latest.items():
        if name not in names:
            continue
        values, level = found.setdefault((reading.event_at, reading.interval_s, reading.spot), ({}, []))
        if name != CONSCIOUSNESS:
            values[name] = reading.values[name]
        elif reading.consciousness:
            level.append(reading.consciousness)
    return tuple(
        Said(*key, values, level[0] if level else None) for key, (values, level) in sorted(found.items())
    )
