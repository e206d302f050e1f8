"""The heart of a process: a thread that says every 2 s that the process lives."""

import logging
import threading

from silverwatch import clock, db
from silverwatch.domain.alerts import parts

log = logging.getLogger(__name__)


def start(name: str) -> None:
    """Beat until the process ends."""
    threading.Thread(target=_run, args=(name,), name="heart", daemon=True).start()


def beat(name: str) -> None:
    """One beat; what the database does not take now, it may take the next time."""
    try:
        with db.transaction() as session:
            parts.beat(session, name, now=clock.now())
    except db.UNAVAILABLE as error:
        log.warning("heart: the database is away (%s)", type(error).__name__)


def _run(name: str) -> None:
    pause = threading.Event()
    while True:
        try:
            beat(name)
        except Exception:
            log.exception("heart: a beat failed")
        pause.wait(parts.BEAT_S)
