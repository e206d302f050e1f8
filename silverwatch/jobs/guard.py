"""The guard: does by the clock what nobody else did in time. PostgreSQL is all it needs."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from silverwatch import clock, db, flow
from silverwatch.domain import events
from silverwatch.domain.alerts import again, limit_versions, parts, pauses
from silverwatch.domain.alerts.no_data import watch_no_data
from silverwatch.domain.alerts.watch import watch_devices
from silverwatch.jobs import evaluate, notify

log = logging.getLogger(__name__)

TICK_S: Final = 1.0
BEAT: Final = timedelta(seconds=2)
UNJUDGED: Final = timedelta(seconds=2)
UNRUNG: Final = timedelta(seconds=5)
LOCK: Final = 7002
HOLD_S: Final = 60.0
AWAY: Final = timedelta(seconds=30)
"""No device at all heard for so long before a start: nobody was there to hear them."""


class Guard:
    """Ticks every second; each duty in a transaction of its own, so that one that fails stops no other."""

    def __init__(self, ringer: flow.Ringer) -> None:
        self._ringer = ringer
        self._beat_at = datetime.min.replace(tzinfo=clock.now().tzinfo)
        self._swept_at = self._beat_at
        self._steady = clock.Steady()
        self._held_until = 0.0
        self._looked_back = False
        self._watches_from = time.monotonic() + parts.BOOT_S

    def run(self, stop: threading.Event) -> None:
        """Tick until told to stop."""
        while not stop.is_set():
            self.tick()
            stop.wait(TICK_S)

    def tick(self) -> None:
        """One round of every duty."""
        now = clock.now()
        self._try("judge", lambda: evaluate.drain(before=now - UNJUDGED))
        self._look_at_the_clock()
        self._try("look back", self._look_back)
        self._try("watch devices", lambda: self._watch(watch_devices))
        self._try("watch for missing values", lambda: self._watch(watch_no_data))
        self._try("pauses", _pauses)
        self._try("sound again", _sound_again)
        self._try("escalate", notify.take_steps)
        self._try("limits", _limits)
        if now - self._swept_at >= BEAT:
            self._swept_at = now
            self._try("sweep", self._sweep)
        if now - self._beat_at >= BEAT:
            self._beat_at = now
            self._try("heartbeat", _beat)
            if time.monotonic() > self._watches_from:
                self._try("watch the parts", _watch_parts)
                self._try("watch who is on duty", notify.watch_duty)
                self._try("drills", notify.watch_drills)

    def _try(self, what: str, duty: Callable[[], object]) -> None:
        try:
            duty()
        except db.UNAVAILABLE as error:
            log.warning("guard: %s: the database is away (%s)", what, type(error).__name__)
        except Exception:
            log.exception("guard: %s failed", what)

    def _look_at_the_clock(self) -> None:
        """After a jump of the clock every device looks silent: wait until each had its chance to send again."""
        jump_s = self._steady.jump_s()
        if abs(jump_s) >= parts.SKEW_S:
            log.error(
                "guard: the clock jumped by %.1f s; silence of devices is not judged for a minute", jump_s
            )
            self._held_until = time.monotonic() + HOLD_S

    def _look_back(self) -> None:
        """After an outage of the whole system every device looks silent, too. One look, at the first tick."""
        if self._looked_back:
            return
        with db.transaction(read_only=True) as session:
            heard = session.scalar(text("SELECT max(last_seen_at) FROM device_state"))
        self._looked_back = True
        if heard is not None and clock.now() - heard > AWAY:
            log.warning(
                "guard: no device was heard before the start; their silence is not judged for a minute"
            )
            self._held_until = time.monotonic() + HOLD_S

    def _watch(self, duty: Callable[..., None]) -> None:
        if time.monotonic() < self._held_until:
            return
        with db.transaction() as session:
            if session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK}):
                duty(session, now=clock.now())

    def _sweep(self) -> None:
        """Tell again what was committed and never told: its process died in between, or Redis was away."""
        with db.transaction() as session:
            left = events.unrung(session, before=clock.now() - UNRUNG)
        if left:
            self._ringer(left)


def _beat() -> None:
    with db.transaction() as session:
        parts.beat(session, parts.GUARD, now=clock.now())


def _pauses() -> None:
    with db.transaction() as session:
        if session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK}):
            pauses.end_due(session, now=clock.now())
            pauses.align(session, now=clock.now())


def _sound_again() -> None:
    with db.transaction() as session:
        again.realarm(session, now=clock.now())


def _limits() -> None:
    with db.transaction() as session:
        if session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK}):
            limit_versions.end_due(session, now=clock.now())


def _watch_parts() -> None:
    with db.transaction() as session:
        parts.watch(session, now=clock.now())
