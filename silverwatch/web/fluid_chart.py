"""The geometry of the picture of fluids: bars of each hour, intake upwards and output downwards, and the balance.

What lies side by side is said in per cent of the width, heights in pixels: the page stretches the picture, never text.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from silverwatch.domain.readings.fluid_balance import Balance, Bar
from silverwatch.web import filters

HEIGHT: Final = 132
RUNNING_HEIGHT: Final = 72
PAD: Final = 8.0
LEAST_ML: Final = 250
"""The height spans at least so many ml each way, so that a cup of tea is no tower."""
STEPS: Final = (50, 100, 250, 500, 1000, 2500, 5000)
WIDTH: Final = 1000
"""Of the box of the line, which the page stretches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rect:
    """One bar: x and width in per cent, y and height in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FluidChart:
    """What the template draws. `ticks` are (y, text); `times` are (x, text): every
    third hour has a line, every sixth one is named."""

    taken: tuple[Rect, ...]
    lost: tuple[Rect, ...]
    zero: float
    ticks: tuple[tuple[float, str], ...]
    times: tuple[tuple[float, str], ...]
    day_x: float | None
    path: str
    running_zero: float
    running_ticks: tuple[tuple[float, str], ...]


def draw(balance: Balance) -> FluidChart:
    """The picture of the last 24 h."""
    bars = balance.bars
    step = 100 / len(bars)
    up = max(LEAST_ML, *(bar.sum.taken for bar in bars))
    down = max(LEAST_ML, *(bar.sum.lost for bar in bars))
    per_ml = (HEIGHT - 2 * PAD) / (up + down)
    zero = round(PAD + up * per_ml, 1)
    path, running_zero, running_ticks = _running(bars)
    return FluidChart(
        taken=tuple(
            _rect(index, step, top=zero - bar.sum.taken * per_ml, bottom=zero)
            for index, bar in enumerate(bars)
            if bar.sum.taken
        ),
        lost=tuple(
            _rect(index, step, top=zero, bottom=zero + bar.sum.lost * per_ml)
            for index, bar in enumerate(bars)
            if bar.sum.lost
        ),
        zero=zero,
        ticks=tuple(
            (round(zero - ml * per_ml, 1), str(abs(ml))) for ml in (_round(up), 0, -_round(down))
        ),
        times=tuple(_times(bars, step)),
        day_x=next((round(i * step, 2) for i, bar in enumerate(bars) if i and bar.at == balance.since), None),
        path=path,
        running_zero=running_zero,
        running_ticks=running_ticks,
    )  # fmt: skip


def _rect(index: int, step: float, *, top: float, bottom: float) -> Rect:
    return Rect(
        x=round(index * step + step * 0.12, 2), y=round(top, 1),
        width=round(step * 0.76, 2), height=round(max(bottom - top, 1.5), 1),
    )  # fmt: skip


def _round(ml: int) -> int:
    return max(step for step in STEPS if step <= max(ml, STEPS[0]))


def _times(bars: tuple[Bar, ...], step: float) -> list[tuple[float, str]]:
    found = []
    for index, bar in enumerate(bars):
        if (bar.at - bars[0].at) % timedelta(hours=3) == timedelta(0) and index < len(bars) - 1:
            found.append((round(index * step, 2), filters.clock_time(bar.at) if index % 6 == 0 else ""))
    return found


def _running(bars: tuple[Bar, ...]) -> tuple[str, float, tuple[tuple[float, str], ...]]:
    """The balance as a line of steps that begins at 0."""
    values = [0, *(bar.running for bar in bars)]
    high, low = max(LEAST_ML, *values), min(-LEAST_ML, *values)
    per_ml = (RUNNING_HEIGHT - 2 * PAD) / (high - low)
    zero = PAD + high * per_ml
    step = WIDTH / len(bars)
    points = [f"M0 {zero:.1f}"]
    for index, bar in enumerate(bars):
        points.append(f"L{(index + 1) * step:.1f} {zero - bar.running * per_ml:.1f}")
    marks = {high: f"+{high}", 0: "0", low: f"−{-low}"}
    ticks = tuple((round(zero - ml * per_ml, 1), text) for ml, text in marks.items())
    return " ".join(points), round(zero, 1), ticks
