"""The geometry of the trend chart: five plots over one time axis, and the rows of the sets below them.

A plot is as wide as the page lets it be and `HEIGHT` pixels high: what lies side by side is said in per cent of the
width, heights in pixels, and paths in a box of `WIDTH` that the page stretches. So text and dots are never stretched.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import Final, TypeVar

from silverwatch.domain.alerts.course import Course, Line, Point
from silverwatch.domain.alerts.scores import Score
from silverwatch.domain.readings import news2
from silverwatch.web import filters

HEIGHT: Final = 104
WIDTH: Final = 1000
PAD: Final = 5.0
LABEL_ROOM: Final = 12.0
"""Two lines of text closer than this overlap."""

RANGES: Final[dict[str, tuple[float, float]]] = {
    "respiratory_rate": (6, 30),
    "oxygen_saturation": (84, 100),
    "blood_pressure": (80, 170),
    "heart_rate": (45, 135),
    "temperature": (35.4, 39.4),
}
"""What the height of a plot spans at least: the bands that matter are always in the picture."""
TICKS: Final[dict[str, tuple[float, ...]]] = {
    "respiratory_rate": (8, 12, 20, 24, 35, 50),
    "oxygen_saturation": (50, 60, 70, 80, 85, 91, 95, 100),
    "blood_pressure": (60, 90, 110, 140, 170, 200, 220, 250),
    "heart_rate": (40, 50, 90, 110, 130, 160, 200),
    "temperature": (33, 34, 35, 36, 37, 38, 39, 40, 41),
}
EVERY: Final[dict[int, timedelta]] = {
    4: timedelta(hours=1),
    12: timedelta(hours=2),
    24: timedelta(hours=4),
    72: timedelta(hours=12),
    720: timedelta(days=5),
}
"""How far apart the times below the chart stand."""
APART: Final = 3.6
APART_NARROW: Final = 11.0
"""Boxes closer than so many per cent of the width overlap, on a desk and on a telephone."""
MARKS_APART: Final = 2.5
WORDS_APART: Final = 7.5
WORDS_APART_NARROW: Final = 25.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """What NEWS2 gives `points` for, 1 to 3, from `y` downwards."""

    y: float
    height: float
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Something that stands at `x`. `narrow`: there is room for it on a telephone too."""

    x: float
    text: str
    y: float = 0.0
    look: str = ""
    narrow: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One line. `x` and widths are per cent, `y` and heights pixels; `path` and `area` are paths in WIDTH by HEIGHT."""

    name: str
    bands: tuple[Band, ...]
    limits: tuple[float, ...]
    gaps: tuple[tuple[float, float], ...]
    path: str
    area: str
    dots: tuple[tuple[float, float], ...]
    last: tuple[float, float] | None
    words: tuple[Sign, ...]
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """The whole chart."""

    plots: tuple[Plot, ...]
    times: tuple[Sign, ...]
    marks: tuple[Sign, ...]
    oxygen: tuple[Sign, ...]
    consciousness: tuple[Sign, ...]
    scores: tuple[Sign, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A numbered event."""

    number: int
    at: datetime


def draw(course: Course, *, banded: bool, marks: Iterable[Mark] = ()) -> Drawing:
    """The chart of a course; `banded`: with the bands of NEWS2 behind the lines."""

    start_s = course.since.timestamp()
    per_s = 100 / (course.until.timestamp() - start_s)

    def x(moment: datetime) -> float:
        return round((moment.timestamp() - start_s) * per_s, 2)

    return Drawing(
        plots=tuple(_plot(line, course, x, banded=banded) for line in course.lines),
        times=_times(course, x),
        marks=_marks([mark for mark in marks if course.since <= mark.at <= course.now], x),
        **_rows(course.sets, x),
    )


def _marks(marks: Sequence[Mark], x: Callable[[datetime], float]) -> tuple[Sign, ...]:
    """The number stands over its line, or left of the next number where that one is near: `y` is its place across."""
    found: list[Sign] = []
    room = inf
    for mark in sorted(marks, key=lambda mark: mark.at, reverse=True):
        room = min(x(mark.at), room - MARKS_APART)
        found.append(Sign(x=x(mark.at), y=round(room, 2), text=str(mark.number)))
    return tuple(reversed(found))


def _plot(line: Line, course: Course, x: Callable[[datetime], float], *, banded: bool) -> Plot:
    points = line.points
    low, high = _range(line, points)

    def y(value: float) -> float:
        inside = min(max(value, low), high)
        return round(HEIGHT - PAD - (HEIGHT - 2 * PAD) * (inside - low) / (high - low), 1)

    runs = [[(x(p.at), y(p.mean), y(p.low), y(p.high)) for p in run] for run in line.runs]
    spots = [(across, down) for run in runs for across, down, _, _ in run]
    return Plot(
        name=line.name,
        bands=_bands(line, course, y, low=low, high=high) if banded else (),
        limits=tuple(y(bound) for bound in (line.limit.low, line.limit.high) if bound is not None),
        gaps=tuple((x(gap.start), round(x(gap.end) - x(gap.start), 2)) for gap in line.gaps),
        path="".join(_path([spot[:2] for spot in run]) for run in runs if len(run) > 1),
        area="" if line.dotted else "".join(_area(run) for run in runs if len(run) > 1),
        # A value between two gaps has no line to be seen by.
        dots=tuple(spots) if line.dotted else tuple(run[0][:2] for run in runs if len(run) == 1),
        last=spots[-1] if spots else None,
        words=_pressures(points, x, y) if line.name == "blood_pressure" else (),
        ticks=_ticks(line.name, y, low=low, high=high),
    )


def _range(line: Line, points: Sequence[Point]) -> tuple[float, float]:
    low, high = RANGES[line.name]
    bounds = [bound for bound in (line.limit.low, line.limit.high) if bound is not None]
    room = (high - low) / 20
    lowest = min((*(point.low for point in points), *bounds), default=low)
    highest = max((*(point.high for point in points), *bounds), default=high)
    top = 100.0 if line.name == "oxygen_saturation" else inf
    return min(low, lowest - room), max(high, min(highest + room, top))


def _bands(
    line: Line, course: Course, y: Callable[[float], float], *, low: float, high: float
) -> tuple[Band, ...]:
    scale: news2.Scale = 2 if course.spo2_scale == 2 else 1
    found, bottom = [], float(HEIGHT)
    for end, points in news2.bands(line.vital, scale=scale, on_oxygen=course.on_oxygen):
        if end <= low:
            continue
        top = y(end) if end < high else 0.0
        if points:
            found.append(Band(y=top, height=round(bottom - top, 1), points=points))
        bottom = top
        if end >= high:
            break
    return tuple(found)


def _path(spots: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join([f"{across * WIDTH / 100:.1f} {down}" for across, down in spots])


def _area(run: Sequence[tuple[float, float, float, float]]) -> str:
    """Between the smallest and the largest value of each bin: a short dip must not vanish in a mean."""
    if all(lowest - highest < 1 for _, _, lowest, highest in run):
        return ""
    edge = [(across, highest) for across, _, _, highest in run]
    edge += [(across, lowest) for across, _, lowest, _ in reversed(run)]
    return _path(edge) + "Z"


def _pressures(
    points: Sequence[Point], x: Callable[[datetime], float], y: Callable[[float], float]
) -> tuple[Sign, ...]:
    words = [
        Sign(
            x=min(max(x(point.at), 2.5), 97.5),
            y=max(y(point.mean) - 8, 10.0),
            text=f"{point.mean:.0f}/{point.second:.0f}",
        )
        for point in reversed(points)
        if point.second is not None
    ]
    return _fitting(words, WORDS_APART, WORDS_APART_NARROW)


def _ticks(
    name: str, y: Callable[[float], float], *, low: float, high: float
) -> tuple[tuple[float, str], ...]:
    found: list[tuple[float, str]] = []
    for value in TICKS[name]:
        if low <= value <= high and (not found or found[-1][0] - y(value) >= LABEL_ROOM):
            found.append((y(value), f"{value:g}"))
    return tuple(found)


def _times(course: Course, x: Callable[[datetime], float]) -> tuple[Sign, ...]:
    """Whole hours, or days, of the site's zone; and the present moment."""
    every = EVERY[course.span.hours]
    by_day = course.span.hours > 24
    moment = filters.midnight(course.since)
    found = [Sign(x=x(course.now), text=filters.clock_time(course.now), look="now")]
    while moment < course.now:
        if moment >= course.since:
            starts_day = filters.midnight(moment) == moment
            text = filters.short_day(moment) if by_day and starts_day else filters.clock_time(moment)
            found.append(Sign(x=x(moment), text=text))
        moment += every
    return _fitting(found, 6.5, 17.0)


def _rows(sets: Sequence[Score], x: Callable[[datetime], float]) -> Mapping[str, tuple[Sign, ...]]:
    """The newest first, then the highest: where there is no room for all, no peak is left out."""
    order = sorted(sets, key=lambda item: item.at, reverse=True)
    ranked = order[:1] + sorted(order[1:], key=lambda item: -(item.total or 0))
    return {
        "oxygen": _fitting(
            [
                Sign(
                    x=x(item.at),
                    text=f"{item.oxygen_l_min:g} L",
                    look="given" if item.oxygen_l_min else "air",
                )
                for item in order
                if item.oxygen_l_min is not None
            ],
            APART,
            APART_NARROW,
        ),
        "consciousness": _fitting(
            [
                Sign(x=x(item.at), text=item.consciousness, look="" if item.consciousness == "A" else "given")
                for item in order
                if item.consciousness
            ],
            APART,
            APART_NARROW,
        ),
        "scores": _fitting(
            [_score(item, x(item.at)) for item in ranked if item.applies], APART, APART_NARROW
        ),
    }


def _score(item: Score, across: float) -> Sign:
    if item.total is None:
        return Sign(x=across, text=f"≥{item.at_least}", look="partial")
    return Sign(x=across, text=str(item.total), look=f"risk-{item.risk}")


def _fitting(signs: Iterable[Sign], apart: float, apart_narrow: float) -> tuple[Sign, ...]:
    """Those for which there is room, the first ones first."""
    wide: list[Sign] = []
    narrow: list[float] = []
    for sign in signs:
        if any(abs(sign.x - other.x) < apart for other in wide):
            continue
        fits = all(abs(sign.x - other) >= apart_narrow for other in narrow)
        if fits:
            narrow.append(sign.x)
        wide.append(Sign(x=sign.x, y=sign.y, text=sign.text, look=sign.look, narrow=fits))
    return tuple(sorted(wide, key=lambda sign: sign.x))
