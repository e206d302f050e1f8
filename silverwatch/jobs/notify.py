"""Tell people about alarms: take the steps that are due, then make the attempts that wait.

An attempt is committed before it is made, its outcome after it: whoever dies in between tells twice at most, under
the same id, and forgets nobody. Each channel has threads of its own, so that a gateway that hangs delays no other.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from silverwatch import clock, db, flow
from silverwatch.adapters import job_queue
from silverwatch.adapters.notify import NotTakenError
from silverwatch.domain.alerts import parts
from silverwatch.domain.alerts.steps import CHANNELS
from silverwatch.domain.notices import (
    delivery,
    drills,
    escalation,
    gateways,
    nobody,
    other_ways,
    rules,
)
from silverwatch.domain.notices.ready import Ready
from silverwatch.jobs import heart
from silverwatch.web import filters, outgoing

log = logging.getLogger(__name__)

BUDGET_S: Final = 30.0
"""The job ends by itself before its time is over: cut off, it would tell twice."""
EVERY_S: Final = 1.0
UNSENT: Final = timedelta(seconds=1)
"""So long the sweep leaves a notice to the workers: with them dead the first attempt comes within 5 s of the alarm."""
HANDS: Final = 4
"""Attempts at a time on one channel in one process."""
STUCK_S: Final = 90.0
"""A round of one channel may take its budget, and one last attempt."""
OUTWARD: Final = tuple(channel for channel in CHANNELS if channel != "web")


def notify() -> None:
    """The job behind the bell. The bell goes down first: what is written from now on rings again."""
    queue = job_queue.current()
    if queue is not None:
        queue.answer_bell(flow.NOTIFY)
    take_steps()
    with db.transaction() as session:
        channels = delivery.waiting(session, now=clock.now())
    threads = [
        threading.Thread(target=_quietly, args=(lambda c=channel: drain(c),), name=f"notices-{channel}")
        for channel in channels
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def take_steps() -> int:
    """Take every step that is due: the guard does it each second, a worker as soon as an alarm is raised."""
    taken = 0
    while True:
        with db.transaction() as session:
            done = escalation.take_due(session, now=clock.now(), zone=zone())
        taken += done
        if done < escalation.AT_ONCE:
            return taken


def watch_duty() -> None:
    """See whether somebody is on duty wherever patients lie."""
    with db.transaction() as session:
        nobody.watch(session, now=clock.now())


def watch_drills() -> None:
    """Look after the test alarms that run, and begin those of the day."""
    with db.transaction() as session:
        drills.watch(session, now=clock.now())
        hour = gateways.drill_hour(session)
        if hour is not None:
            drills.begin_daily(session, hour=hour, now=clock.now(), zone=zone())


def zone() -> ZoneInfo:
    """The zone of the site."""
    return ZoneInfo(filters.time_zone())


def run(stop: threading.Event) -> None:
    """Tell what no worker told in time, and what is tried again, until told to stop."""
    sweeps = [_Sweep(channel, stop) for channel in OUTWARD]
    for sweep in sweeps:
        sweep.start()
    while not stop.is_set():
        if all(sweep.is_well() for sweep in sweeps):
            _quietly(lambda: heart.beat(parts.NOTICES))
        # Not by those who make attempts: they wait for the way that is down.
        _quietly(_divert)
        stop.wait(parts.BEAT_S)
    for sweep in sweeps:
        sweep.join(timeout=10)


def _divert() -> None:
    with db.transaction() as session:
        other_ways.divert(session, now=clock.now())


class _Sweep(threading.Thread):
    """Empties one channel over and over."""

    def __init__(self, channel: str, stop: threading.Event) -> None:
        super().__init__(name=f"notices-{channel}", daemon=True)
        self._channel, self._stop_asked = channel, stop
        self._round_at = time.monotonic()

    def run(self) -> None:
        while not self._stop_asked.is_set():
            _quietly(lambda: drain(self._channel, older=UNSENT, stop=self._stop_asked))
            self._round_at = time.monotonic()
            self._stop_asked.wait(EVERY_S)

    def is_well(self) -> bool:
        """Does it live, and has it come round lately?"""
        return self.is_alive() and time.monotonic() - self._round_at < STUCK_S


def drain(channel: str, *, older: timedelta = timedelta(0), stop: threading.Event | None = None) -> int:
    """Make the attempts of one channel that are due, several at a time; gives how many were taken.

    What was never tried is left to others for so long (`older`).
    """
    _close_old(channel)
    hands = _Hands(channel, older=older, stop=stop)
    first = hands.claim()
    return hands.work(first) if first is not None else 0


def _close_old(channel: str) -> None:
    while True:
        with db.transaction() as session:
            if not delivery.close_old(session, channel, now=clock.now()):
                return


class _Hands:
    """Several threads that make the attempts of one channel: one that hangs must not hold up the others."""

    def __init__(self, channel: str, *, older: timedelta, stop: threading.Event | None) -> None:
        self._channel, self._older, self._stop = channel, older, stop
        self._until = time.monotonic() + BUDGET_S
        self._taken: list[bool] = []

    def claim(self) -> Ready | None:
        """The next attempt, noted."""
        if time.monotonic() > self._until or (self._stop and self._stop.is_set()):
            return None
        now = clock.now()
        with db.transaction() as session:
            return delivery.claim(session, self._channel, now=now, before=now - self._older)

    def work(self, first: Ready) -> int:
        """Make this attempt and all that follow; gives how many were taken."""
        others = [
            threading.Thread(target=_quietly, args=(lambda: self._go_on(self.claim()),), daemon=True)
            for _ in range(HANDS - 1)
        ]
        for thread in others:
            thread.start()
        try:
            self._go_on(first)
        finally:
            for thread in others:
                thread.join()
        return sum(self._taken)

    def _go_on(self, ready: Ready | None) -> None:
        while ready is not None:
            self._taken.append(_attempt(ready))
            ready = self.claim()


def _attempt(ready: Ready) -> bool:
    """One attempt, and what came of it."""
    try:
        with _kept(ready):
            outgoing.send(ready)
    except job_queue.Interrupted:
        raise
    except NotTakenError as error:
        _note_failure(ready, error)
        return False
    except Exception as error:
        log.exception("notices: %s over %s failed", ready.id, ready.channel)
        mistake = NotTakenError(f"Our own mistake ({type(error).__name__}): see the log.")
        _note_failure(ready, mistake, ours=True)
        return False
    with db.transaction() as session:
        delivery.delivered(session, ready.id, now=clock.now())
    return True


@contextmanager
def _kept(ready: Ready) -> Iterator[None]:
    """While this lasts nobody else makes the attempt; with its process that ends too, and somebody soon does."""
    over = threading.Event()
    threading.Thread(target=_keep, args=(ready, over), name="kept", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _keep(ready: Ready, over: threading.Event) -> None:
    while not over.wait(rules.KEPT_EVERY_S):
        _quietly(lambda: _keep_once(ready))


def _keep_once(ready: Ready) -> None:
    with db.transaction() as session:
        delivery.keep(session, ready.id, now=clock.now())


def _note_failure(ready: Ready, error: NotTakenError, *, ours: bool = False) -> None:
    with db.transaction() as session:
        again = delivery.failed(
            session, ready.id, error=str(error), now=clock.now(), for_good=error.for_good, ours=ours
        )
    then = f"tried again at {again:%H:%M:%S} UTC" if again else "given up"
    log.warning("notices: %s over %s was not taken (%s): %s", ready.id, ready.channel, error, then)


def _quietly(work: Callable[[], object]) -> None:
    """A database that is away is no reason to die: the next round comes."""
    try:
        work()
    except db.UNAVAILABLE as error:
        log.warning("notices: the database is away (%s)", type(error).__name__)
    except Exception:
        log.exception("notices: a round failed")
