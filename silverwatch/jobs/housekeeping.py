"""Housekeeping: partitions ahead of time, roll-ups, the audit anchored, and what is of no more use cleared."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, text

from silverwatch import clock, db
from silverwatch.config import Config
from silverwatch.domain import audit, throttle
from silverwatch.domain.accounts import emergency
from silverwatch.domain.alerts import device_history, parts
from silverwatch.domain.audit import anchors
from silverwatch.domain.mail import service as mail
from silverwatch.domain.readings import partitions
from silverwatch.jobs import heart, remind
from silverwatch.jobs.roll_up import roll_up

log = logging.getLogger(__name__)

EVERY_S: Final = 60.0
LOCK: Final = 7003

# The older, the fewer: one a minute for ten minutes, one in ten minutes for two hours, then one an hour.
_THIN = """
DELETE FROM checkpoint c USING (
  SELECT patient_id, at, row_number() OVER (
    PARTITION BY patient_id, CASE
      WHEN at > CAST(:now AS timestamptz) - interval '10 minutes' THEN date_bin('1 minute', at, 'epoch')
      WHEN at > CAST(:now AS timestamptz) - interval '2 hours' THEN date_bin('10 minutes', at, 'epoch')
      ELSE date_bin('1 hour', at, 'epoch') END
    ORDER BY at) AS place
  FROM checkpoint) old
WHERE c.patient_id = old.patient_id AND c.at = old.at
  AND (old.place > 1 OR c.at < CAST(:now AS timestamptz) - interval '8 days')
"""


# What nobody can use any more, and how long we keep it to be able to say what happened.
_OLD: Final = (
    ("event", "rung_at", timedelta(days=1)),
    ("login_session", "expires_at", timedelta(days=30)),
    ("refresh_token", "expires_at", timedelta(days=30)),
    ("one_time_link", "expires_at", timedelta(days=30)),
)


def run(config: Config, stop: threading.Event) -> None:
    """Keep house once a minute until told to stop."""
    owner = db.make_engine(config.owner_url, pool_size=1)
    anchor = Anchor(config.audit_anchor)
    works: tuple[Callable[[], object], ...] = (
        lambda: _partitions(owner), roll_up, tidy, remind.checks, anchor, _live,
    )  # fmt: skip
    try:
        while not stop.is_set():
            for work in works:
                try:
                    work()
                except db.UNAVAILABLE as error:
                    log.warning("housekeeping: the database is away (%s)", type(error).__name__)
                except Exception:
                    log.exception("housekeeping failed")
            stop.wait(EVERY_S)
    finally:
        owner.dispose()


def _live() -> None:
    heart.beat(parts.HOUSEKEEPING)


class Anchor:
    """Keeps the head of the audit where the database's owner cannot write: in the log and, if set, in a file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        before = anchors.last(path) if path is not None else None
        self._kept = (before.seq, before.mac) if before else (0, b"")

    def __call__(self) -> None:
        """Keep the head, unless it has not moved since the last time. It moves forward only."""
        with db.transaction(read_only=True) as session:
            head = audit.newest(session)
        seq = head.seq if head else 0
        if seq < self._kept[0]:
            log.error("audit: row %d was there and the newest is %d: the end was cut off", self._kept[0], seq)
        if head is None or (head.seq, head.mac) == self._kept:
            return
        log.info("audit: head %d %s", head.seq, head.mac.hex())
        if self._path is not None:
            anchors.append(self._path, head, at=clock.now())
        self._kept = (head.seq, head.mac)


def _partitions(owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '1s'"))
        made = partitions.ensure(connection, now=clock.now())
    if made:
        log.info("housekeeping: made %s", ", ".join(made))


def tidy() -> None:
    """Remove what is too old; two that keep house at once do it once."""
    now = clock.now()
    with db.transaction() as session:
        if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK}):
            return
        session.execute(text(_THIN), {"now": now})
        for table, ended_at, kept_for in _OLD:
            session.execute(text(f"DELETE FROM {table} WHERE {ended_at} < :old"), {"old": now - kept_for})  # noqa: S608 - our names
        throttle.forget_old(session, before=now - timedelta(days=1))
        mail.tidy(session, now=now)
        emergency.close_expired(session, now=now)
        device_history.sample(session, now=now)
        device_history.tidy(session, now=now)
