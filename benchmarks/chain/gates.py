"""Points of the way at which a process can be held: triggers that wait for an advisory lock of ours.

The product knows nothing of it: the owner of the database puts a trigger on the table that is written next. Whoever
comes there waits inside its transaction until the gate opens, and dies there if it is killed.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

REACHED_WITHIN_S: Final = 20.0

GATES: Final[dict[str, tuple[int, str]]] = {
    "before the answer to the post": (770001, "BEFORE INSERT ON reading"),
    "after the answer, before the alert": (770002, "BEFORE INSERT ON alert"),
    "after the alert, before its notices": (770003, "BEFORE INSERT ON notice"),
    "after the notice, before its attempt": (770004, "BEFORE INSERT ON notice_attempt"),
    "between an attempt and its result": (770005, "BEFORE UPDATE ON notice_attempt"),
}
"""Point to the key of its lock, and what its trigger waits for."""

_WAITS: Final = """
CREATE FUNCTION chain_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_advisory_xact_lock_shared(TG_ARGV[0]::bigint); RETURN NEW; END $$
"""
_WAITERS: Final = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = %s"


class Gates:
    """The gates of a site, open at first."""

    def __init__(self, owner_url: str) -> None:
        self._url = owner_url
        with psycopg.connect(owner_url, autocommit=True) as connection:
            connection.execute(_WAITS)
            for key, when in GATES.values():
                only = " WHEN (NEW.subject = 'patient')" if when.endswith("ON alert") else ""
                connection.execute(
                    f"CREATE TRIGGER chain_{key} {when} FOR EACH ROW{only}"
                    f" EXECUTE FUNCTION chain_gate('{key}')".encode()
                )

    @contextmanager
    def shut(self, point: str) -> Iterator["Shut"]:
        """Nobody passes this point until the block ends or `open` is called."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            yield Shut(connection, GATES[point][0])


class Shut:
    """One gate that is shut."""

    def __init__(self, connection: psycopg.Connection, key: int) -> None:
        self._connection, self._key = connection, key
        connection.execute("SELECT pg_advisory_lock(%s)", (key,))

    def wait(self) -> bool:
        """Wait until somebody stands before it; False when nobody comes."""
        until = time.monotonic() + REACHED_WITHIN_S
        while time.monotonic() < until:
            row = self._connection.execute(_WAITERS, (self._key,)).fetchone()
            if row and row[0]:
                return True
            time.sleep(0.005)
        return False

    def open(self) -> None:
        """Let everybody pass."""
        self._connection.execute("SELECT pg_advisory_unlock(%s)", (self._key,))
