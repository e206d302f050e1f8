"""NEWS2, the score of the Royal College of Physicians (2017): the table, the score, and what may be scored now.

Not for patients under 16 or pregnant. Scale 2 is for confirmed hypercapnic failure with a prescribed
saturation of 88 to 92 %, chosen by a clinician: callers pass `scale=2` only for that, never by default.
Pure: no clock, no session. Source: clinical facts 1 and 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import inf
from typing import Final, Literal, cast

from silverwatch.domain.readings.vitals import ACVPU, CONSCIOUSNESS

Risk = Literal["none", "low", "low-medium", "medium", "high"]
Scale = Literal[1, 2]
Value = float | str

MIN_AGE_YEARS: Final = 16
"""The chart is not for anybody younger."""


def scored_from(born_on: date) -> datetime:
    """The beginning, in UTC, of the day on which somebody is old enough to be scored."""
    try:
        day = born_on.replace(year=born_on.year + MIN_AGE_YEARS)
    except ValueError:  # born on 29 February
        day = date(born_on.year + MIN_AGE_YEARS, 3, 1)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def scale_for(scale: int, *, born_on: date, on: date) -> Scale | None:
    """The scale of SpO2 that somebody is scored on; None for who is too young to be scored."""
    return cast(Scale, scale) if scored_from(born_on).date() <= on else None


PARTS: Final = (
    "respiratory_rate",
    "oxygen_saturation",
    "supplemental_oxygen",
    "systolic_bp",
    "heart_rate",
    CONSCIOUSNESS,
    "temperature",
)

Bands = tuple[tuple[float, int], ...]
"""(highest value of the band, its points), ascending: each value belongs to the first band that holds it."""

_BANDS: Final[dict[str, Bands]] = {
    "respiratory_rate": ((8, 3), (11, 1), (20, 0), (24, 2), (inf, 3)),
    "oxygen_saturation": ((91, 3), (93, 2), (95, 1), (inf, 0)),
    "systolic_bp": ((90, 3), (100, 2), (110, 1), (219, 0), (inf, 3)),
    "heart_rate": ((40, 3), (50, 1), (90, 0), (110, 1), (130, 2), (inf, 3)),
    "pulse_rate": ((40, 3), (50, 1), (90, 0), (110, 1), (130, 2), (inf, 3)),
    "temperature": ((35.0, 3), (36.0, 1), (38.0, 0), (39.0, 1), (inf, 2)),
}
_SCALE_2_ON_AIR: Final[Bands] = ((83, 3), (85, 2), (87, 1), (inf, 0))
_SCALE_2_ON_OXYGEN: Final[Bands] = ((83, 3), (85, 2), (87, 1), (92, 0), (94, 1), (96, 2), (inf, 3))
_SCALE_2_NEEDS_OXYGEN_ABOVE: Final = 92
SCALE_2_NEEDS_OXYGEN_FROM: Final = _SCALE_2_NEEDS_OXYGEN_ABOVE + 0.5
"""On scale 2 a saturation from here on earns points only on oxygen; it is rounded half up first."""

_STEP: Final[dict[str, Decimal]] = {name: Decimal("0.1" if name == "temperature" else "1") for name in _BANDS}

_FREQUENT_AGE_S: Final = 15 * 60.0
_FREQUENT: Final = frozenset({"respiratory_rate", "oxygen_saturation", "heart_rate", "pulse_rate"})
_GRACE_S: Final = 30 * 60.0
_LONGEST_AGE_S: Final = 12.5 * 3600.0

_INTERVAL_S: Final[dict[Risk, int]] = {
    "none": 12 * 3600,
    # The chart says 4 to 6 hours; the shorter end until a nurse decides otherwise.
    "low": 4 * 3600,
    "low-medium": 3600,
    "medium": 3600,
    # The chart says continuous monitoring; a set by hand is due each half hour beside it.
    "high": 1800,
}


@dataclass(frozen=True, slots=True)
class Band:
    """The values from `low` to `high`, both included (None: without end), earn `points`."""

    low: float | None
    high: float | None
    points: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A value (number, or an ACVPU letter) and the event time it was measured at (aware UTC)."""

    value: Value
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class News2:
    """A complete score. `single_three`: one part alone has 3 points. `points` holds all seven parts."""

    total: int
    risk: Risk
    single_three: bool
    points: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the seven parts. `points` is None when it cannot be scored now; `value` and `at` still tell
    what was measured last (None: never)."""

    name: str
    points: int | None
    value: Value | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What can be said now. `score` is None unless every part is present and young enough.

    `at_least` sums the parts that are present: the true score cannot be lower. `single_three`: one of them has
    3 points. `oldest_at` is the time of the oldest part that counts, None when none does.
    """

    score: News2 | None
    at_least: int
    single_three: bool
    parts: tuple[Part, ...]
    oldest_at: datetime | None


def points(name: str, value: Value, *, scale: Scale = 1, on_oxygen: bool = False) -> int:
    """Points of one part, 0 to 3. `supplemental_oxygen` in L/min, `consciousness` one of ACVPU, temperature in °C.

    Raises ValueError for a value that is no value of this part, KeyError for a name that is no part.
    """
    if name == CONSCIOUSNESS:
        if value not in ACVPU:
            raise ValueError(f"not a level of consciousness: {value!r}")
        return 0 if value == "A" else 3
    number = _number(name, value)
    if name == "supplemental_oxygen":
        return 2 if number > 0 else 0
    bands = _bands(name, scale=scale, on_oxygen=on_oxygen)
    # The bands of the chart leave gaps between whole numbers (91.5, 36.05): round half up first.
    rounded = float(number.quantize(_STEP[name], ROUND_HALF_UP))
    return next(earned for highest, earned in bands if rounded <= highest)


def bands(name: str, *, scale: Scale = 1, on_oxygen: bool = False) -> Bands:
    """The bands of a part that is a number, as a chart draws them: each ends where the next value is rounded up."""
    half = float(_STEP[name]) / 2
    return tuple(
        (highest + half, earned) for highest, earned in _bands(name, scale=scale, on_oxygen=on_oxygen)
    )


def band_of(name: str, value: Value, *, scale: Scale = 1, on_oxygen: bool = False) -> Band:
    """The band of the chart that this value of a part that is a number belongs to."""
    step = _STEP[name]
    low: float | None = None
    rounded = float(_number(name, value).quantize(step, ROUND_HALF_UP))
    for highest, earned in _bands(name, scale=scale, on_oxygen=on_oxygen):
        if rounded <= highest:
            return Band(low, None if highest == inf else highest, earned)
        low = float(Decimal(str(highest)) + step)
    raise ValueError(f"no band of {name} holds {value!r}")


def risk_of(total: int, *, single_three: bool) -> Risk:
    """The clinical risk, tested in the order of the chart: the total first, then a single 3."""
    if total >= 7:
        return "high"
    if total >= 5:
        return "medium"
    if single_three:
        return "low-medium"
    return "low" if total >= 1 else "none"


def score(values: Mapping[str, Value], *, scale: Scale = 1) -> News2:
    """The score of a complete set: `values` holds all of PARTS (or pulse_rate for heart_rate), else KeyError."""
    named = dict(values)
    if "heart_rate" not in named:
        named["heart_rate"] = named["pulse_rate"]
    on_oxygen = points("supplemental_oxygen", named["supplemental_oxygen"]) > 0
    return _sum({name: points(name, named[name], scale=scale, on_oxygen=on_oxygen) for name in PARTS})


def assess(
    latest: Mapping[str, Measured], *, now: datetime, observation_interval_s: float, scale: Scale = 1
) -> Assessment:
    """The score of the latest value of each vital, as far as each is young enough at `now`.

    A missing part is never 0 points. Keep the last complete score while `score` is None: a partial set never
    lowers it.
    """
    oxygen = _young(latest, "supplemental_oxygen", now=now, observation_interval_s=observation_interval_s)
    on_oxygen = None if oxygen is None else points("supplemental_oxygen", oxygen.value) > 0
    parts: list[Part] = []
    for name in PARTS:
        young = _young(latest, name, now=now, observation_interval_s=observation_interval_s)
        shown = young or _last(latest, name)
        earned = _present(name, young.value, scale=scale, on_oxygen=on_oxygen) if young else None
        parts.append(
            Part(
                name=name,
                points=earned,
                value=shown.value if shown else None,
                at=shown.at if shown else None,
            )
        )
    return _assessment(tuple(parts))


def observation_interval_s(risk: Risk) -> int:
    """Seconds until the next set of observations is due, by the minimum monitoring of RCP chart 4."""
    return _INTERVAL_S[risk]


def _bands(name: str, *, scale: Scale, on_oxygen: bool) -> Bands:
    if name == "oxygen_saturation" and scale == 2:
        return _SCALE_2_ON_OXYGEN if on_oxygen else _SCALE_2_ON_AIR
    return _BANDS[name]


def _assessment(parts: tuple[Part, ...]) -> Assessment:
    earned = {part.name: part.points for part in parts if part.points is not None}
    return Assessment(
        score=_sum(earned) if len(earned) == len(PARTS) else None,
        at_least=sum(earned.values()),
        single_three=3 in earned.values(),
        parts=parts,
        oldest_at=min((part.at for part in parts if part.points is not None and part.at), default=None),
    )


def _sum(earned: Mapping[str, int]) -> News2:
    total = sum(earned.values())
    single_three = 3 in earned.values()
    risk = risk_of(total, single_three=single_three)
    return News2(total=total, risk=risk, single_three=single_three, points=earned)


def _present(name: str, value: Value, *, scale: Scale, on_oxygen: bool | None) -> int | None:
    """Points of a part that is present; None where they hang on whether the patient has oxygen, unknown now."""
    if name == "oxygen_saturation" and scale == 2 and on_oxygen is None:
        rounded = _number(name, value).quantize(_STEP[name], ROUND_HALF_UP)
        if rounded > _SCALE_2_NEEDS_OXYGEN_ABOVE:
            return None
    return points(name, value, scale=scale, on_oxygen=bool(on_oxygen))


def _number(name: str, value: Value) -> Decimal:
    """The shortest decimal that the float prints as: 38.05 is meant, not 38.0499999999999971."""
    number = Decimal(str(value)) if isinstance(value, int | float) else None
    if number is None or not number.is_finite():
        raise ValueError(f"not a value of {name}: {value!r}")
    return number


def vitals_of(part: str) -> tuple[str, ...]:
    """The vitals that can give a part, the best first: the pulse stands in for a heart rate that is absent."""
    return (part, "pulse_rate") if part == "heart_rate" else (part,)


def _young(
    latest: Mapping[str, Measured], part: str, *, now: datetime, observation_interval_s: float
) -> Measured | None:
    for name in vitals_of(part):
        measured = latest.get(name)
        if measured and now - measured.at <= age_limit(name, observation_interval_s):
            return measured
    return None


def _last(latest: Mapping[str, Measured], part: str) -> Measured | None:
    known = [latest[name] for name in vitals_of(part) if name in latest]
    return max(known, key=lambda measured: measured.at, default=None)


def age_limit(name: str, observation_interval_s: float) -> timedelta:
    """How old a value of this vital may be to count, where a set is due every `observation_interval_s`."""
    if name in _FREQUENT:
        return timedelta(seconds=_FREQUENT_AGE_S)
    return timedelta(seconds=min(observation_interval_s + _GRACE_S, _LONGEST_AGE_S))
