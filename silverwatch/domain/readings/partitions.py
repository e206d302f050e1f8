"""Weekly partitions of `reading`. There is no DEFAULT one: it would forbid dropping an old week without a lock."""

import re
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, text

AHEAD: Final = 8
BEHIND: Final = 8
WEEK: Final = timedelta(weeks=1)

_BOUNDS = re.compile(r"FROM \('(.+?)'\) TO \('(.+?)'\)")
_LIST = (
    "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE i.inhparent = 'reading'::regclass AND NOT i.inhdetachpending"
)


def monday(moment: datetime) -> datetime:
    """The start of the week that `moment` lies in, UTC."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def bounds(connection: Any) -> list[tuple[str, datetime, datetime]]:
    """(name, start, end) of every attached partition, oldest first; takes a SQLAlchemy or psycopg connection."""
    rows = connection.execute(text(_LIST) if isinstance(connection, Connection) else _LIST).fetchall()
    found = []
    for name, expression in rows:
        match = _BOUNDS.search(expression)
        if match:
            start, end = (datetime.fromisoformat(part).astimezone(UTC) for part in match.groups())
            found.append((name, start, end))
    return sorted(found, key=lambda row: row[1])


def ensure(connection: Connection, *, now: datetime) -> list[str]:
    """Create the weeks that are missing around `now`, as the owner role; gives the names of the new ones."""
    have = {start for _, start, _ in bounds(connection)}
    made = []
    for offset in range(-BEHIND, AHEAD + 1):
        start = monday(now) + offset * WEEK
        if start in have:
            continue
        name = f"reading_{start:%G}w{start:%V}"
        connection.execute(
            text(
                f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF reading"
                f" FOR VALUES FROM ('{start.isoformat()}') TO ('{(start + WEEK).isoformat()}')"
            )
        )
        made.append(name)
    return made


def weeks_ahead(connection: Any, *, now: datetime) -> int:
    """How many whole weeks after this one have their partition; fewer than 2 is a system alarm."""
    return sum(1 for _, start, _ in bounds(connection) if start > now)


class Window:
    """The span that the attached partitions cover, looked up again every minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._span: tuple[datetime, datetime] | None = None

    def span(self, connection: Any) -> tuple[datetime, datetime]:
        """(oldest, newest) moment that a reading can be stored for, on any connection of the application."""
        with self._lock:
            if self._span is None or time.monotonic() >= self._until:
                found = bounds(connection)
                if not found:
                    raise LookupError("no partition of reading is attached: run silverwatch migrate")
                self._span = (found[0][1], found[-1][2])
                self._until = time.monotonic() + 60
            return self._span

    def forget(self) -> None:
        """Look it up again at the next question."""
        with self._lock:
            self._span = None
