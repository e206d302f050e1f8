"""NEWS2 within the fold: the score at each reading, by event time. Source: clinical facts 7.

A score exists only for a complete set inside its age limits; how old the seldom ones may be hangs on the risk of
the last complete score. It is summed up only when a value leaves its band or a part becomes too old.
"""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from math import inf, nextafter
from typing import Final, cast

from msgspec import Struct
from msgspec.structs import replace

from silverwatch.clock import epoch_ms
from silverwatch.domain.alerts.reading import Reading
from silverwatch.domain.readings import news2
from silverwatch.domain.readings.news2 import PARTS, Scale
from silverwatch.domain.readings.vitals import CONSCIOUSNESS

Range = tuple[float, float]
"""Both ends included."""
Latest = Mapping[str, Reading]
"""Vital (and consciousness) to the newest reading that gave it."""

NEVER: Final = datetime.max.replace(tzinfo=UTC)
OXYGEN: Final = "supplemental_oxygen"
SATURATION: Final = "oxygen_saturation"
NUMBERS: Final = (*(part for part in PARTS if part != CONSCIOUSNESS), "pulse_rate")
_BIT: Final = {name: 1 << index for index, name in enumerate(PARTS)}
_WHOLE: Final = (1 << len(PARTS)) - 1
_NOTHING: Final[Range] = (inf, -inf)
_ANYTHING: Final[Range] = (-inf, inf)
_NONE: Final[Range] = (-inf, 0.0)
_SOME: Final[Range] = (nextafter(0.0, inf), inf)
_UNKNOWN: Final = dict.fromkeys(NUMBERS, _NOTHING)
_UNMINDED: Final = dict.fromkeys(NUMBERS, _ANYTHING)
_GIVEN_BY: Final = tuple((part, news2.vitals_of(part)) for part in PARTS)


class LastScore(Struct, frozen=True, kw_only=True):
    """The last complete score. `at`: time of its oldest part, `set_at`: of its newest set by hand, both epoch ms;
    `previous`: the score before that set."""

    score: int
    risk: news2.Risk
    at: int
    set_at: int
    previous: int | None = None


class NewsFold:
    """The score under way. `points`: of the parts that are young enough, `present` their mask, `total` their sum.

    `applies` is False for who is too young: nothing is scored, and no alarm on it stands.
    `ranges`: vital to the values that change no points. `check_at`: nothing becomes too old before.
    """

    def __init__(self, last: LastScore | None, *, scale: int | None) -> None:
        self.applies = scale is not None
        self.last = last if self.applies else None
        self.points: dict[str, int] = {}
        self.total = self.present = 0
        self.complete = False
        self.check_at = NEVER
        self.ranges: dict[str, Range] = dict(_UNKNOWN if self.applies else _UNMINDED)
        self._scale = cast(Scale, scale)
        self._given_by: dict[str, str] = {}
        self._on_oxygen: bool | None = None

    @property
    def rise(self) -> int | None:
        """The score against that before the newest set; None while it is not complete, or there was none."""
        if not self.complete or self.last is None or self.last.previous is None:
            return None
        return self.last.score - self.last.previous

    def settle(self, latest: Latest) -> None:
        """Note how old the present score is: values of the same band have come since it was summed up."""
        if self.complete and self.last is not None:
            self.last = replace(self.last, at=self._oldest(latest))

    def refresh(self, at: datetime, latest: Latest) -> None:
        """Sum up, and remember a complete score."""
        self.sum_up(at, latest)
        if not self.complete:
            return
        last, set_at = self.last, epoch_ms(latest[CONSCIOUSNESS].event_at)
        same_set = last is not None and last.set_at == set_at
        self.last = LastScore(
            score=self.total,
            risk=news2.risk_of(self.total, single_three=3 in self.points.values()),
            at=self._oldest(latest),
            set_at=set_at,
            previous=None if last is None else last.previous if same_set else last.score,
        )
        if last is None or last.risk != self.last.risk:
            # At another risk observations are due sooner or later: the next reading finds what is too old now.
            limits = _age_limits(self.last.risk)
            self.check_at = min(latest[name].event_at + limits[name] for name in self._given_by.values())

    def sum_up(self, at: datetime, latest: Latest) -> None:
        """Work out the points of every part that is young enough at `at`."""
        if not self.applies:
            return
        limits = _age_limits(self.last.risk if self.last else "none")
        given_by, check_at = self._given_by, NEVER
        given_by.clear()
        for part, names in _GIVEN_BY:
            for name in names:
                reading = latest.get(name)
                if reading is not None and at <= (until := reading.event_at + limits[name]):
                    given_by[part] = name
                    check_at = min(check_at, until)
                    break
        self.check_at = check_at
        self._on_oxygen = latest[OXYGEN].values[OXYGEN] > 0 if OXYGEN in given_by else None
        self.points = {}
        self.ranges.update(_UNKNOWN)
        for part, name in given_by.items():
            self._score(part, name, latest[name])
        self.total = sum(self.points.values())
        self.present = sum([_BIT[part] for part in self.points])
        self.complete = self.present == _WHOLE

    def _score(self, part: str, name: str, reading: Reading) -> None:
        if part == CONSCIOUSNESS:
            self.points[part] = 0 if reading.consciousness == "A" else 3
            return
        if part == OXYGEN:
            self.points[part] = 2 if self._on_oxygen else 0
            self.ranges[part] = _SOME if self._on_oxygen else _NONE
            return
        value = reading.values[name]
        if self._scale == 2 and self._hangs_on_oxygen(part, value):
            return
        edges, earned, ranges = _table(part, self._scale, bool(self._on_oxygen))
        place = bisect_right(edges, value)
        self.points[part] = earned[place]
        self.ranges[name] = ranges[place]
        if name == "heart_rate":
            # The pulse only stands in for it.
            self.ranges["pulse_rate"] = _ANYTHING

    def _hangs_on_oxygen(self, part: str, value: float) -> bool:
        """On scale 2 a high saturation earns points only on oxygen: not known while that is not known."""
        return part == SATURATION and self._on_oxygen is None and value >= news2.SCALE_2_NEEDS_OXYGEN_FROM

    def _oldest(self, latest: Latest) -> int:
        return epoch_ms(min(latest[name].event_at for name in self._given_by.values()))


@cache
def _age_limits(risk: news2.Risk) -> dict[str, timedelta]:
    interval_s = news2.observation_interval_s(risk)
    return {name: news2.age_limit(name, interval_s) for _, names in _GIVEN_BY for name in names}


@cache
def _table(
    part: str, scale: Scale, on_oxygen: bool
) -> tuple[tuple[float, ...], tuple[int, ...], tuple[Range, ...]]:
    """Ascending edges, each the value with which the next band begins; the points of the bands; the bands."""
    found = news2.bands(part, scale=scale, on_oxygen=on_oxygen)
    # The double must be the one that 38.05 is written as, not one beside it.
    edges = tuple(float(round(Decimal(end), 2)) for end, _ in found[:-1])
    ends = (-inf, *edges, inf)
    ranges = tuple((low, nextafter(high, -inf)) for low, high in pairwise(ends))
    return edges, tuple(earned for _, earned in found), ranges
