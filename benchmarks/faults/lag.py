"""Watches from outside how long what is stored waits to be judged."""

import threading
from typing import Final

import psycopg

EVERY_S: Final = 0.25


class LagWatch(threading.Thread):
    """Looks four times a second; `longest_s` is the longest wait that it has seen."""

    def __init__(self, database_url: str) -> None:
        super().__init__(name="lag", daemon=True)
        self.longest_s = 0.0
        self._url = database_url
        self._over = threading.Event()

    def run(self) -> None:
        """Until told to leave; comes back when PostgreSQL does."""
        while not self._over.is_set():
            try:
                with psycopg.connect(self._url, connect_timeout=2, autocommit=True) as connection:
                    while not self._over.wait(EVERY_S):
                        self._look(connection)
            except psycopg.Error:
                self._over.wait(EVERY_S)

    def leave(self) -> None:
        """Stop looking."""
        self._over.set()

    def _look(self, connection: psycopg.Connection) -> None:
        row = connection.execute(
            "SELECT extract(epoch FROM clock_timestamp() - min(unjudged_since))::float FROM vital_state"
        ).fetchone()
        if row is not None and row[0] is not None:
            self.longest_s = max(self.longest_s, row[0])
