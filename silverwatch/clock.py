"""The time and new ids: the only place that asks the machine for either."""

import os
import threading
import time
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

_lock = threading.Lock()
_last_ms = 0
_counter = 0


_zone = ZoneInfo(os.environ.get("SILVERWATCH_TIMEZONE", "Africa/Nairobi"))


def site_zone() -> ZoneInfo:
    """The zone of the site: screens show its times, and nights of alarm rules are its nights."""
    return _zone


def set_site_zone(name: str) -> None:
    """The site lies in the IANA zone `name`."""
    global _zone
    _zone = ZoneInfo(name)


def now() -> datetime:
    """This moment as an aware UTC datetime."""
    return datetime.now(UTC)


class Steady:
    """Compares the clock on the wall with one that never jumps."""

    def __init__(self) -> None:
        self._wall, self._monotonic = now(), time.monotonic()

    def jump_s(self) -> float:
        """By how many seconds the clock was set forward (or back, negative) since the last look."""
        wall, monotonic = now(), time.monotonic()
        jump_s = (wall - self._wall).total_seconds() - (monotonic - self._monotonic)
        self._wall, self._monotonic = wall, monotonic
        return jump_s


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime."""
    return int(moment.timestamp() * 1000)


def from_epoch_ms(milliseconds: int) -> datetime:
    """The aware UTC datetime of milliseconds since 1970."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): sorts by the time of its making, also within one millisecond of one process."""
    global _last_ms, _counter
    with _lock:
        milliseconds = max(time.time_ns() // 1_000_000, _last_ms)
        _counter = (_counter + 1) & 0xFFF if milliseconds == _last_ms else 0
        if milliseconds == _last_ms and _counter == 0:
            milliseconds += 1
        _last_ms = milliseconds
        counter = _counter
    tail = int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | tail)
