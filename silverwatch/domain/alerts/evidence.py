"""What is known about a patient at the moment of a reading: the newest values, NEWS2, and how values have moved."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from silverwatch.domain.alerts.conditions import Slope
from silverwatch.domain.alerts.episode import SPOT_GRACE_S
from silverwatch.domain.alerts.news_fold import NewsFold
from silverwatch.domain.alerts.reading import SPOT, Reading
from silverwatch.domain.readings.vitals import silent_after_s

Trail = tuple[tuple[datetime, float], ...]
"""Some values of a vital, oldest first."""

STEPS: Final = 10
"""So many values are remembered over the time of a slope."""
REACH: Final = 1.5
"""How far back the value to compare with may lie, in times of the slope's own: sources pause."""


class Evidence:
    """Grows with the fold; `latest`: vital to the newest reading that gave it, `trails`: slope to values of then."""

    def __init__(self, latest: dict[str, Reading], news: NewsFold, trails: Mapping[str, Trail]) -> None:
        self.latest = latest
        self.news = news
        self.trails = dict(trails)

    def value(self, vital: str, at: datetime) -> float | None:
        """The newest value; None when there is none that is still fresh at `at`."""
        reading = self.latest.get(vital)
        if reading is None:
            return None
        spot = reading.spot or vital in SPOT
        fresh_s = reading.interval_s + SPOT_GRACE_S if spot else silent_after_s(reading.interval_s)
        return reading.values[vital] if (at - reading.event_at).total_seconds() < fresh_s else None

    def follow(self, slope: Slope, reading: Reading) -> None:
        """Remember the first value of each step of the slope's time."""
        value = reading.values.get(slope.vital)
        if value is None or self.latest.get(slope.vital) is not reading:
            return
        trail = self.trails.get(trail_key(slope), ())
        if trail and _place(slope, trail[-1][0]) == _place(slope, reading.event_at):
            return
        oldest = reading.event_at - timedelta(minutes=REACH * slope.minutes)
        self.trails[trail_key(slope)] = (*(s for s in trail if s[0] >= oldest), (reading.event_at, value))

    def change(self, slope: Slope, at: datetime) -> float | None:
        """By how much the vital has changed; None when its value of then or of now is not known."""
        now = self.value(slope.vital, at)
        newest, oldest = (at - timedelta(minutes=times * slope.minutes) for times in (1, REACH))
        then = [
            value for moment, value in self.trails.get(trail_key(slope), ()) if oldest <= moment <= newest
        ]
        return None if now is None or not then else now - then[-1]


def trail_key(slope: Slope) -> str:
    """Slopes over the same time share what is remembered."""
    return f"{slope.vital}:{slope.minutes}"


def _place(slope: Slope, moment: datetime) -> int:
    return int(moment.timestamp() // (slope.minutes * 60 / STEPS))
