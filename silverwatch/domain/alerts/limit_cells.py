"""Pure: the cells of the limits, what a layer sets of them, and what may be set. Source: clinical facts 3.1 and 7."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from math import isfinite
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from silverwatch.domain.alerts.latch import RANK, Side
from silverwatch.domain.alerts.limits import SITE_DEFAULTS, Limit, Limits
from silverwatch.domain.readings.vitals import BY_NAME

Layer = Literal["site", "ward", "patient"]

VITALS: Final[tuple[str, ...]] = tuple(SITE_DEFAULTS.by_vital)
"""The vitals that have limits, in the order of screens."""
CELLS: Final = ("low_critical", "low", "high", "high_critical", "delay_s", "hysteresis", "priority")
BOUNDS: Final[dict[Side, tuple[str, str]]] = {
    "low": ("low", "low_critical"),
    "high": ("high", "high_critical"),
}
SIDE_OF: Final[dict[str, Side]] = {cell: side for side, cells in BOUNDS.items() for cell in cells}

LONGEST_DELAY_S: Final = 30.0
WIDEST_HYSTERESIS: Final = 10.0
"""Proposal: a wider one would keep an alarm up in a value that nobody would call out of range."""

SETTABLE: Final[Mapping[str, tuple[float, float]]] = {
    "heart_rate": (18, 300),
    "respiratory_rate": (2, 80),  # proposal: the sources name no range
    "oxygen_saturation": (0, 100),
    "systolic_bp": (40, 270),
    "diastolic_bp": (10, 210),
    "mean_bp": (20, 230),
    "temperature": (30, 43),  # proposal
}
APART: Final[Mapping[str, float]] = {
    "heart_rate": 2,
    "respiratory_rate": 2,  # proposal
    "oxygen_saturation": 2,
    "systolic_bp": 5,
    "diastolic_bp": 5,
    "mean_bp": 5,
    "temperature": 0.5,  # proposal
}
"""How far the high limit is above the low one at least."""


class Key(NamedTuple):
    """One cell of one vital."""

    vital: str
    cell: str


class Setting(Struct, frozen=True, omit_defaults=True):
    """What stands in a cell: a number in the vital's unit or seconds, a priority, or nothing. `off`: on purpose."""

    value: float | str | None = None
    off: bool = False


class Own(Struct, frozen=True, kw_only=True):
    """A cell that a layer sets: what, who, when, why and until when."""

    value: float | str | None = None
    off: bool = False
    by: UUID | None = None
    at: datetime
    reason: str = ""
    until: datetime | None = None

    @property
    def setting(self) -> Setting:
        return Setting(self.value, self.off)


Owned = Mapping[Key, Own]
Settings = Mapping[Key, Setting]


def settings_of(limits: Limits) -> dict[Key, Setting]:
    """Every cell of these limits as a setting."""
    found = {}
    for vital in VITALS:
        limit = limits.by_vital.get(vital, Limit())
        for cell in CELLS:
            off = (vital, cell) in limits.off
            found[Key(vital, cell)] = Setting(None if off else getattr(limit, cell), off)
    return found


def applied(base: Limits, settings: Settings) -> Limits:
    """These limits with some cells set otherwise."""
    if not settings:
        return base
    by_vital: dict[str, Any] = dict(base.by_vital)
    off = set(base.off)
    for (vital, cell), setting in settings.items():
        by_vital[vital] = replace(by_vital.get(vital, Limit()), **{cell: setting.value})
        (off.add if setting.off else off.discard)((vital, cell))
    return Limits(by_vital, frozenset(off))


def problems(limits: Limits, *, keys: Iterable[Key] | None = None) -> dict[Key, str]:
    """What is wrong with these limits, at the cell where it is to be put right; only of `keys`' vitals if given."""
    vitals = {key.vital for key in keys} if keys is not None else set(VITALS)
    found: dict[Key, str] = {}
    for vital in VITALS:
        if vital in vitals:
            limit = limits.by_vital.get(vital, Limit())
            for cell, advice in (_out_of_range(vital, limit) | _out_of_order(vital, limit)).items():
                found.setdefault(Key(vital, cell), advice)
    return found


def _out_of_range(vital: str, limit: Limit) -> dict[str, str]:
    least, most = SETTABLE[vital]
    unit = BY_NAME[vital].unit
    found = {}
    for cell in SIDE_OF:
        value = getattr(limit, cell)
        if value is not None and not (isfinite(value) and least <= value <= most):
            found[cell] = f"Enter a limit from {least:g} to {most:g} {unit}."
    if not 0 <= limit.delay_s <= LONGEST_DELAY_S:
        found["delay_s"] = f"Enter a delay from 0 to {LONGEST_DELAY_S:g} seconds."
    if not 0 <= limit.hysteresis <= WIDEST_HYSTERESIS:
        found["hysteresis"] = f"Enter a distance from 0 to {WIDEST_HYSTERESIS:g}."
    if limit.priority not in RANK:
        found["priority"] = "Choose high, medium or low."
    return found


def _out_of_order(vital: str, limit: Limit) -> dict[str, str]:
    found = {}
    if limit.low is not None and limit.low_critical is not None and limit.low_critical >= limit.low:
        found["low_critical"] = f"Enter a critical low limit below {limit.low:g}."
    if limit.high is not None and limit.high_critical is not None and limit.high_critical <= limit.high:
        found["high_critical"] = f"Enter a critical high limit above {limit.high:g}."
    floor = limit.low if limit.low is not None else limit.low_critical
    roof = limit.high if limit.high is not None else limit.high_critical
    # Nearer than the hysteresis an alarm on one side would end only where the other one begins.
    apart = max(APART[vital], limit.hysteresis)
    if floor is not None and roof is not None and roof < floor + apart:
        cell = "high" if limit.high is not None else "high_critical"
        found[cell] = f"Enter a high limit of {floor + apart:g} or more, or a lower low limit."
    return found


def is_looser(cell: str, setting: Setting, than: Setting) -> bool:
    """Would there be fewer, later or quieter alarms with this setting of the cell than with the other?"""
    if cell in SIDE_OF:
        if than.value is None:
            return False
        if setting.value is None:
            return True
        less = float(setting.value) < float(than.value)
        return less if SIDE_OF[cell] == "low" else float(setting.value) > float(than.value)
    if cell == "priority":
        return RANK[setting.value] < RANK[than.value]  # type: ignore[index]
    return cell == "delay_s" and float(setting.value or 0) > float(than.value or 0)


def differences(before: Settings, after: Settings) -> list[Key]:
    """The cells that say something else, in the order of screens."""
    return [
        key
        for key in (Key(vital, cell) for vital in VITALS for cell in CELLS)
        if before.get(key) != after.get(key)
    ]
