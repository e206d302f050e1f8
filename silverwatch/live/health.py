"""What a screen is told about the parts behind it: the tick."""

import json
import time
from dataclasses import dataclass, field
from typing import Final

from silverwatch import clock
from silverwatch.live.wire import encode

FAILURE_S: Final = 10.0
"""After a failure of the hub itself its screens do not count as live for this long, or until it is well again."""


@dataclass(slots=True)
class Health:
    """The bus, the database, how far judging lags, and whether this hub draws what it should."""

    bus: bool = True
    db: bool = True
    judge_lag_s: float = 0.0
    _lag_known_at: float = field(default_factory=time.monotonic)
    _failed_at: float | None = None

    def lag_is(self, lag_s: float) -> None:
        """The database has answered, and this is how far judging lags."""
        self.judge_lag_s, self._lag_known_at, self.db = lag_s, time.monotonic(), True

    def failed(self) -> None:
        """Something was not drawn that should have been: a screen must not look live for it."""
        self._failed_at = time.monotonic()

    @property
    def is_well(self) -> bool:
        """Does the database answer, and has everything been drawn lately?"""
        return self.db and (self._failed_at is None or time.monotonic() - self._failed_at > FAILURE_S)

    def tick(self) -> bytes:
        """The frame that says so. While the database is away the lag is at least as long as we know nothing."""
        unknown_for = time.monotonic() - self._lag_known_at
        lag_s = self.judge_lag_s if self.db else max(self.judge_lag_s, unknown_for)
        words = {"tick": clock.epoch_ms(clock.now()), "bus": self.bus, "db": self.is_well}
        return encode(json.dumps({**words, "judge_lag_s": round(lag_s, 1)}))
