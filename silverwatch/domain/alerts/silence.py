"""Pure: when a device is late, silent or low. The guard raises its alarms by this, the fleet shows its states by it."""

from datetime import datetime, timedelta
from typing import Final

from silverwatch.domain.readings.vitals import silent_after_s

BATTERY_LOW: Final = 20
"""Below this many % a battery is low."""
LATE_INTERVALS: Final = 1.5
SHORTEST_S: Final = 10.0
"""A device that sends more often is not late before one and a half times this."""


def silent_at(
    last_reading_at: datetime | None, interval_s: float, *, bound_at: datetime | None = None
) -> datetime | None:
    """When a device counts as silent; None for one that never delivered. One that was just put on has its time."""
    since = _since(last_reading_at, bound_at)
    return since + timedelta(seconds=silent_after_s(interval_s)) if since else None


def late_at(
    last_reading_at: datetime | None, interval_s: float, *, bound_at: datetime | None = None
) -> datetime | None:
    """When a device is late, well before it is silent; None for one that never delivered."""
    since = _since(last_reading_at, bound_at)
    return since + timedelta(seconds=LATE_INTERVALS * max(interval_s, SHORTEST_S)) if since else None


def _since(last_reading_at: datetime | None, bound_at: datetime | None) -> datetime | None:
    if last_reading_at is None or bound_at is None:
        return last_reading_at
    return max(last_reading_at, bound_at)
