"""Battery and signal of a device over some days, as SVG path data in a box of 720 by 120."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from silverwatch.web.filters import midnight

WIDTH: Final = 720
HEIGHT: Final = 120
SIGNAL_DBM: Final = (-100.0, -40.0)
GAP: Final = timedelta(minutes=75)
"""Longer without a sample, and the line breaks: nothing is known of the time between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChart:
    """`days` are (x, midnight) of each day that begins in the span; lowest and newest battery in %."""

    battery: str
    signal: str
    days: tuple[tuple[float, datetime], ...]
    lowest: int | None
    newest: int | None


def draw(samples: Iterable[Any], *, since: datetime, now: datetime) -> DeviceChart:
    """The lines of these samples (`at`, `battery` in %, `signal_dbm`), oldest first."""
    span = (now - since).total_seconds()

    def x(at: datetime) -> float:
        return round(WIDTH * max(0.0, (at - since).total_seconds()) / span, 1)

    rows = list(samples)
    low, high = SIGNAL_DBM
    powers = [(row.at, row.battery) for row in rows if row.battery is not None]
    signals = [
        (row.at, 100 * (row.signal_dbm - low) / (high - low)) for row in rows if row.signal_dbm is not None
    ]
    first = midnight(since) + timedelta(days=1)
    days = [midnight(first + timedelta(days=n, hours=1)) for n in range(8)]
    return DeviceChart(
        battery=_line([(at, x(at), share) for at, share in powers]),
        signal=_line([(at, x(at), share) for at, share in signals]),
        days=tuple((x(day), day) for day in days if since < day < now),
        lowest=min((share for _, share in powers), default=None),
        newest=powers[-1][1] if powers else None,
    )


def _line(points: list[tuple[datetime, float, float]]) -> str:
    parts: list[str] = []
    before: datetime | None = None
    for at, x, share in points:
        y = round(HEIGHT * (1 - min(max(share, 0), 100) / 100), 1)
        begins = before is None or at - before > GAP
        # A point of its own is a line of no length, which a round cap makes a dot.
        parts.append(f"M{x} {y}h0" if begins else f"L{x} {y}")
        before = at
    return "".join(parts)
