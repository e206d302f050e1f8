"""Housekeeping: partitions ahead of time, old checkpoints thinned, told events and dead sessions cleared."""

import logging
import threading
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine, text

from silverwatch import clock, db
from silverwatch.config import Config
from silverwatch.domain.readings import partitions

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


def run(config: Config, stop: threading.Event) -> None:
    """Keep house once a minute until told to stop."""
    owner = db.make_engine(config.owner_url, pool_size=1)
    try:
        while not stop.is_set():
            for work in (_partitions, _tidy):
                try:
                    work(owner)
                except db.UNAVAILABLE as error:
                    log.warning("housekeeping: the database is away (%s)", type(error).__name__)
                except Exception:
                    log.exception("housekeeping failed")
            stop.wait(EVERY_S)
    finally:
        owner.dispose()


def _partitions(owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '1s'"))
        made = partitions.ensure(connection, now=clock.now())
    if made:
        log.info("housekeeping: made %s", ", ".join(made))


def _tidy(_: Engine) -> None:
    now = clock.now()
    with db.transaction() as session:
        if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK}):
            return
        session.execute(text(_THIN), {"now": now})
        session.execute(text("DELETE FROM event WHERE rung_at < :old"), {"old": now - timedelta(days=1)})
        session.execute(
            text("DELETE FROM login_session WHERE expires_at < :old"), {"old": now - timedelta(days=30)}
        )
