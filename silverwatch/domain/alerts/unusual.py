"""Which values of a set by hand deserve a second look before they are kept: a guard against slips of the hand. Pure.

Three levels: a plausible value is taken; an unusual one is taken after one look more, and marked so; a value that no
patient can have is refused (`readings.accept`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from silverwatch import clock
from silverwatch.domain.alerts.limits import Limits

STEP: Final[dict[str, float]] = {
    # From one set to the next more than this is rather a slip than a patient. Proposals, not from a source.
    "respiratory_rate": 12,
    "oxygen_saturation": 8,
    "systolic_bp": 40,
    "diastolic_bp": 30,
    "heart_rate": 40,
    "temperature": 1.5,
    "glucose": 8,
    "weight": 5,
}
COMPARED_FOR: Final = timedelta(hours=12, minutes=30)
"""So long a value says something about the next one: the longest interval between two sets."""
WEIGHT_COMPARED_FOR: Final = timedelta(days=30)
USUAL: Final[dict[str, tuple[float, float]]] = {
    # Where no alarm limit says what is usual. A wall flowmeter ends at 15 L/min. Proposals, not from a source.
    "supplemental_oxygen": (0, 15),
    "glucose": (4, 20),
    "weight": (30, 200),
    "pain": (0, 7),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusual:
    """A value beyond a `limit` that raises an alarm ("low", "high"), beyond what is usual, or far from the `last`."""

    vital: str
    value: float
    why: Literal["below", "above", "step"]
    limit: float | None = None
    last: float | None = None
    last_at: datetime | None = None
    alarms: bool = False


def unusual(
    values: Mapping[str, float | str], *, limits: Limits, latest: Mapping[str, Any], now: datetime
) -> list[Unusual]:
    """The unusual ones of these values. `latest` is `vital_state.latest`."""
    found = [
        _look(name, value, limits, latest, now)
        for name, value in values.items()
        if not isinstance(value, str)
    ]
    return [item for item in found if item is not None]


def _look(
    name: str, value: float, limits: Limits, latest: Mapping[str, Any], now: datetime
) -> Unusual | None:
    limit = limits.by_vital.get(name)
    low, high = (limit.low, limit.high) if limit else USUAL.get(name, (None, None))
    if low is not None and value < low:
        return Unusual(vital=name, value=value, why="below", limit=low, alarms=limit is not None)
    if high is not None and value > high:
        return Unusual(vital=name, value=value, why="above", limit=high, alarms=limit is not None)
    return _step(name, value, latest.get(name), now)


def _step(name: str, value: float, last: Any, now: datetime) -> Unusual | None:
    if name not in STEP or not last or abs(value - last[0]) <= STEP[name]:
        return None
    last_at = clock.from_epoch_ms(last[1])
    if now - last_at > (WEIGHT_COMPARED_FOR if name == "weight" else COMPARED_FOR):
        return None
    return Unusual(vital=name, value=value, why="step", last=last[0], last_at=last_at)
