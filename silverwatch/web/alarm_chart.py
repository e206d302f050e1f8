"""The trend of an alarm as SVG geometry: a line, the limit, the ground beyond it, and a scale of round numbers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil, floor
from typing import Final

from silverwatch.clock import epoch_ms
from silverwatch.domain.alerts.inbox import AlarmTrend
from silverwatch.web import filters
from silverwatch.web.charts import RANGES

WIDTH, HEIGHT = 480, 186
LEFT, RIGHT, TOP, BOTTOM = 34, 470, 12, 160
LABEL: Final = 18
"""The label of the limit stands so far below it, or above it where there is no room."""

STEPS: Final = (0.5, 1, 2, 4, 5, 10, 20, 25, 50)
LINES: Final = 5
EVERY: Final = timedelta(minutes=30)
DAMPED: Final = 0.08
"""Of the range of a sparkline: so high is the chart at least, so that noise is no mountain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A line of the scale, and what it is called."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmDrawing:
    """SVG geometry in a box of WIDTH by HEIGHT. `last` is the newest point; `zone_*` the ground beyond the limit."""

    line: str
    dots: str
    last: tuple[float, float] | None
    values: tuple[Tick, ...]
    times: tuple[Tick, ...]
    limit_y: float | None
    zone_y: float
    zone_height: float
    label_y: float


def draw_alarm(trend: AlarmTrend) -> AlarmDrawing:
    """The drawing of a trend. A gap breaks the line."""
    known = [point[1] for point in trend.points if point]
    low, high, step = _scale(trend, known)

    def y(value: float) -> float:
        return round(BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP), 1)

    runs = [
        [(round(LEFT + point[0] * (RIGHT - LEFT), 1), y(point[1])) for point in run if point]
        for is_known, run in groupby(trend.points, key=lambda point: point is not None)
        if is_known
    ]
    every = [point for run in runs for point in run]
    limit_y = y(trend.limit) if trend.limit is not None and trend.relation else None
    below = trend.relation == "below"
    few = len(every) <= 30
    return AlarmDrawing(
        line="".join("M" + "L".join(f"{a:g} {b:g}" for a, b in run) for run in runs if len(run) > 1),
        dots="".join(f"M{a:g} {b:g}h0" for a, b in every) if few else "",
        last=every[-1] if every else None,
        values=tuple(
            Tick(at=y(low + number * step), label=f"{low + number * step:g}")
            for number in range(round((high - low) / step) + 1)
        ),
        times=_times(trend.since, trend.until),
        limit_y=limit_y,
        zone_y=(limit_y if below else TOP) if limit_y is not None else 0,
        zone_height=round((BOTTOM - limit_y) if below else (limit_y - TOP), 1) if limit_y is not None else 0,
        label_y=_label_y(limit_y, below=below) if limit_y is not None else 0,
    )


def _label_y(limit_y: float, *, below: bool) -> float:
    """Inside the ground beyond the limit, or on the other side where that is too low for a word."""
    room = BOTTOM - limit_y if below else limit_y - TOP
    inside = room >= LABEL + 4
    return round(limit_y + LABEL - 3 if below == inside else limit_y - 6, 1)


def _scale(trend: AlarmTrend, known: list[float]) -> tuple[float, float, float]:
    """The lowest and highest value of the chart and the step between its lines, all round."""
    name = "blood_pressure" if trend.vital.endswith("_bp") else trend.vital
    least, most = RANGES.get("heart_rate" if name == "pulse_rate" else name, (0.0, 100.0))
    values = [*known, *([trend.limit] if trend.limit is not None else [])] or [least, most]
    low, high = min(values), max(values)
    room = max((most - least) * DAMPED, (high - low) * 0.15)
    low, high = low - room, high + room
    step = next((step for step in STEPS if (high - low) / step <= LINES), STEPS[-1])
    # No scale of a saturation goes beyond a hundred.
    top = ceil(high / step) * step
    if trend.vital == "oxygen_saturation":
        top = min(top, ceil(100 / step) * step)
    return max(0.0, floor(low / step) * step), top, step


def _times(since: datetime, until: datetime) -> tuple[Tick, ...]:
    every_ms = int(EVERY.total_seconds() * 1000)
    begin, end = epoch_ms(since), epoch_ms(until)
    first = -(-begin // every_ms) * every_ms
    return tuple(
        Tick(
            at=round(LEFT + (at - begin) / (end - begin) * (RIGHT - LEFT), 1),
            label=filters.clock_time(since + timedelta(milliseconds=at - begin)),
        )
        for at in range(first, end + 1, every_ms)
    )
