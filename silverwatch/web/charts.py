"""Sparkline geometry: SVG paths in a box of 100 by 100 that the page stretches over a cell."""

from dataclasses import dataclass
from itertools import groupby
from typing import Final

from silverwatch.domain.alerts.board import Spark

RANGES: Final[dict[str, tuple[float, float]]] = {
    "heart_rate": (40, 140),
    "oxygen_saturation": (80, 100),
    "blood_pressure": (70, 200),
    "respiratory_rate": (4, 36),
    "temperature": (35, 40.5),
}
"""What the height of a sparkline spans. One range for all beds, so that beds can be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """`line` and `dots` are SVG path data; a dot is a line of no length with a round cap."""

    line: str
    dots: str
    last: str
    band_y: float
    band_height: float


def draw(spark: Spark) -> Drawing:
    """The paths of a sparkline. A gap in the data breaks the line and is never joined."""
    low, high = RANGES[spark.name]

    def y(value: float) -> float:
        return round(100 - 100 * (min(max(value, low), high) - low) / (high - low), 1)

    runs = [
        [(round(point[0] * 100, 1), y(point[1])) for point in run if point]
        for known, run in groupby(spark.points, key=lambda point: point is not None)
        if known
    ]
    every = [point for run in runs for point in run]
    top = y(high if spark.high is None else spark.high)
    bottom = y(low if spark.low is None else spark.low)
    return Drawing(
        line="".join("M" + "L".join(f"{x:g} {y:g}" for x, y in run) for run in runs if len(run) > 1),
        dots="".join(_dot(point) for point in every) if spark.dots else "",
        last=_dot(every[-1]) if every else "",
        band_y=top,
        band_height=round(bottom - top, 1),
    )


def _dot(point: tuple[float, float]) -> str:
    return f"M{point[0]:g} {point[1]:g}h0"


@dataclass(frozen=True, slots=True, kw_only=True)
class HourBar:
    """One hour of a day: a bar in a box of 480 by 120."""

    hour: int
    count: int
    x: float
    y: float
    height: float


BAR_ROOM: Final = 92.0
BAR_STEP: Final = 20


def hour_bars(hours: tuple[int, ...]) -> tuple[HourBar, ...]:
    """The alarms by hour of the day as bars; the highest one fills the room."""
    most = max(hours, default=0) or 1
    return tuple(
        HourBar(
            hour=hour,
            count=count,
            x=hour * BAR_STEP + 2,
            y=round(100 - BAR_ROOM * count / most, 1),
            height=round(BAR_ROOM * count / most, 1),
        )
        for hour, count in enumerate(hours)
    )
