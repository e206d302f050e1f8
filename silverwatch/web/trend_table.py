"""The same values as the trend chart, in words and figures: for readers who see no picture, and for files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from silverwatch.domain.alerts.course import Course, Line, Point
from silverwatch.domain.alerts.scores import Score
from silverwatch.domain.devices.check_list import Overdue
from silverwatch.web import filters


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A bin with the values of its lines, a set of observations, or (`until`) a time without any value at all."""

    at: datetime
    cells: dict[str, str] = field(default_factory=dict)
    score: Score | None = None
    until: datetime | None = None


def rows(course: Course) -> Iterator[TableRow]:
    """Newest first. A bin is told by its beginning."""
    bins: dict[datetime, dict[str, str]] = {}
    for line in course.lines:
        for point in line.points:
            bins.setdefault(_begin(course, point), {})[line.name] = cell(line, point)
    found = [TableRow(at=at, cells=cells) for at, cells in bins.items()]
    found += [TableRow(at=score.at, score=score) for score in course.sets]
    found += [TableRow(at=start, until=end) for start, end in silences(course, bins)]
    yield from sorted(found, key=lambda row: row.at, reverse=True)


def silences(course: Course, bins: dict[datetime, dict[str, str]]) -> Iterator[tuple[datetime, datetime]]:
    """Where all lines that come continuously have a gap, and nothing else came."""
    gaps = [set(line.gaps) for line in course.lines if not line.dotted]
    for gap in set.intersection(*gaps) if gaps else ():
        if not any(gap.start <= at < gap.end for at in bins):
            yield gap.start, gap.end


def cell(line: Line, point: Point) -> str:
    """118, or 118 (112–121) where it moved; 128/74 for a pressure."""
    name = line.vital
    mean = filters.number(point.mean, name)
    if point.second is not None:
        return f"{mean}/{filters.number(point.second, name)}"
    low, high = filters.number(point.low, name), filters.number(point.high, name)
    return mean if low == high else f"{mean} ({low}–{high})"


def lines(course: Course, overdue: Sequence[Overdue] = ()) -> Iterator[list[object]]:
    """The file: a head, then each bin with mean, smallest and largest of each line, oldest first; then the sets.

    The last column names the devices that were past their calibration then.
    """
    names = [line.name for line in course.lines]
    parts = [f"{name}_{part}" for name in names for part in ("mean", "min", "max")]
    yield [
        "what",
        "time (UTC)",
        *parts,
        "diastolic_bp_mean",
        "supplemental_oxygen",
        "consciousness",
        "news2",
        "calibration_overdue",
    ]
    bins: dict[datetime, dict[str, Point]] = {}
    for line in course.lines:
        for point in line.points:
            bins.setdefault(_begin(course, point), {})[line.name] = point
    minutes = course.span.step.total_seconds() / 60
    for at in sorted(bins):
        points = [bins[at].get(name) for name in names]
        values = [part for point in points for part in _values(point)]
        second = next((point.second for point in points if point and point.second is not None), None)
        yield [
            f"{minutes:g} min",
            at.isoformat(),
            *values,
            "" if second is None else round(second, 2),
            "",
            "",
            "",
            _uncalibrated(overdue, at, at + course.span.step),
        ]
    for score in course.sets:
        yield [*_set(score, names), ""]


def _uncalibrated(overdue: Sequence[Overdue], start: datetime, end: datetime) -> str:
    """The devices that were past their calibration at some time in between."""
    found = {
        item.serial for item in overdue if item.since < end and (item.until is None or item.until > start)
    }
    return " ".join(sorted(found))


def _values(point: Point | None) -> list[object]:
    return ["", "", ""] if point is None else [round(point.mean, 2), point.low, point.high]


def _set(score: Score, names: list[str]) -> list[object]:
    own = {"blood_pressure": score.values.get("systolic_bp"), **score.values}
    values = [part for name in names for part in (own.get(name, ""), "", "")]
    partial = f">={score.at_least}" if score.applies else ""
    total = partial if score.total is None else score.total
    return [
        "set", score.at.isoformat(), *["" if value is None else value for value in values],
        score.values.get("diastolic_bp", ""), "" if score.oxygen_l_min is None else score.oxygen_l_min,
        score.consciousness or "", total,
    ]  # fmt: skip


def _begin(course: Course, point: Point) -> datetime:
    steps = (point.at - course.since) // course.span.step
    return course.since + steps * course.span.step
