"""The slow lane of ingest: what devices have kept while they were offline must not stand before what happens now.

A thousand devices that come back at once are a thousand long posts. Few of them go at a time, some wait, and the
rest is told to come again: nothing is lost, because a device keeps what was not answered 200.
"""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from api.problems import Problem

LONG: Final = 1_000
"""More octets than one reading ever has: readings that were kept."""
AT_ONCE: Final = 3
WAITING: Final = 48
WAIT_S: Final = 8.0
COME_AGAIN_S: Final = (2, 9)


def is_long(body: bytes) -> bool:
    """Does it hold readings that were kept?"""
    return len(body) > LONG


class Lane:
    """A few at a time. Who waits holds a thread, but no connection to the database."""

    def __init__(self, *, at_once: int = AT_ONCE, waiting: int = WAITING, wait_s: float = WAIT_S) -> None:
        self._turns = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(waiting)
        self._wait_s = wait_s

    @contextmanager
    def turn(self, body: bytes) -> Iterator[None]:
        """For this body: at once if it is short. Raises Problem 503 when too many wait."""
        if not is_long(body):
            yield
            return
        if not self._places.acquire(blocking=False):
            raise busy()
        try:
            if not self._turns.acquire(timeout=self._wait_s):
                raise busy()
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._places.release()


def busy() -> Problem:
    """503; each is told another time, so that they do not come back together again."""
    again = {"Retry-After": str(random.randint(*COME_AGAIN_S))}
    return Problem(503, "Many devices send what they have kept. Send again later.", headers=again)
