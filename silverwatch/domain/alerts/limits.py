"""The limits of a patient's vitals, and the site's defaults (clinical facts 7, the table)."""

from collections.abc import Mapping
from functools import cached_property
from math import inf
from typing import Final

from msgspec import Struct

from silverwatch.domain.alerts.board import Priority
from silverwatch.domain.alerts.latch import Level, Side
from silverwatch.domain.readings.vitals import BY_NAME


class Limit(Struct, frozen=True, kw_only=True):
    """The limits of one vital in its unit; bounds are in range, None is no limit. Beyond `low` and `high` the alarm
    has `priority`, beyond the critical ones it is high. `extreme_low`: the critical low limit has no delay."""

    low: float | None = None
    high: float | None = None
    low_critical: float | None = None
    high_critical: float | None = None
    hysteresis: float = 0.0
    delay_s: float = 0.0
    extreme_low: bool = False
    priority: Priority = "medium"

    def levels(self, side: Side) -> tuple[Level, Level]:
        """The warning and the critical level of one side."""
        warning, critical = (
            (self.low, self.low_critical) if side == "low" else (self.high, self.high_critical)
        )
        delay_s = 0.0 if self.extreme_low and side == "low" else self.delay_s
        return (
            self._level(side, warning, delay_s=self.delay_s, priority=self.priority),
            self._level(side, critical, delay_s=delay_s, priority="high"),
        )

    def _level(self, side: Side, bound: float | None, *, delay_s: float, priority: Priority) -> Level:
        sign = 1 if side == "low" else -1
        reached = -sign * inf if bound is None else bound
        # Rounded, or 35.1 + 0.2 would be a hair above the 35.3 that the thermometer says.
        back = round(reached + sign * self.hysteresis, 6) if bound is not None else reached
        return Level(side=side, bound=reached, back=back, delay_s=delay_s, priority=priority)


class Limits(Struct, frozen=True, dict=True):
    """The limits that apply to one patient. Keep and reuse an instance: it remembers what it works out.

    `off`: (vital, cell) of the bounds that somebody switched off, on purpose and for a reason: screens say so.
    """

    by_vital: Mapping[str, Limit]
    off: frozenset[tuple[str, str]] = frozenset()

    @cached_property
    def levels(self) -> dict[str, dict[Side, tuple[Level, Level]]]:
        return {
            name: {"low": limit.levels("low"), "high": limit.levels("high")}
            for name, limit in ((name, self.by_vital.get(name, Limit())) for name in BY_NAME)
        }

    @cached_property
    def calm(self) -> dict[str, tuple[float, float]]:
        """Vital -> the range in which no level is passed, both ends included."""
        return {
            name: (max(level.bound for level in sides["low"]), min(level.bound for level in sides["high"]))
            for name, sides in self.levels.items()
        }


SITE_DEFAULTS: Final = Limits(
    {
        "heart_rate": Limit(
            low=50, high=120, low_critical=40, high_critical=140, hysteresis=3, delay_s=15
        ),
        "respiratory_rate": Limit(
            low=8, high=30, low_critical=6, high_critical=34, hysteresis=1, delay_s=15
        ),
        "oxygen_saturation": Limit(low=90, low_critical=80, hysteresis=1, delay_s=15, extreme_low=True),
        "systolic_bp": Limit(low=90, high=160, low_critical=80, high_critical=200, hysteresis=5),
        "diastolic_bp": Limit(low=50, high=90, hysteresis=5, priority="low"),
        "mean_bp": Limit(low=60, high=110, hysteresis=5, priority="low"),
        "temperature": Limit(low=36.0, high=38.5, low_critical=35.0, high_critical=39.5, hysteresis=0.2),
    }
)  # fmt: skip
