"""What happened to one device, newest first, and how its battery and signal went. No name of a patient."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

MOST: Final = 60
SAMPLE: Final = timedelta(minutes=30)
SAMPLES_KEPT: Final = timedelta(days=90)

# Where its wearer lay when it was put on stands for who wore it.
_HISTORY = """
SELECT c.at, c.kind AS what, a.name AS by, '' AS place, c.before, c.after, NULL::text AS priority
FROM device_change c JOIN account a ON a.id = c.account_id WHERE c.device_id = :device
UNION ALL
SELECT e.at, e.what, NULL, coalesce(w.name || ' · ' || d.label, ''), '{}', '{}', NULL
FROM binding b
CROSS JOIN LATERAL (VALUES (lower(b.during), 'put on'), (upper(b.during), 'taken off')) e (at, what)
LEFT JOIN stay s ON s.patient_id = b.patient_id AND s.during @> lower(b.during)
LEFT JOIN bed d ON d.id = s.bed_id LEFT JOIN ward w ON w.id = d.ward_id
WHERE b.device_id = :device AND e.at IS NOT NULL AND e.at <= :now
UNION ALL
SELECT e.at, e.what, NULL, '', '{}', '{}', NULL
FROM device_key k CROSS JOIN LATERAL (VALUES (k.created_at, 'key made'), (k.revoked_at, 'key ended')) e (at, what)
WHERE k.device_id = :device AND e.at IS NOT NULL
UNION ALL
SELECT l.raised_at, l.kind, NULL, '', '{}', '{}', l.priority
FROM alert l WHERE l.subject = 'device' AND l.subject_id = :device AND l.technical
ORDER BY at DESC LIMIT :most
"""
_SAMPLE = """
INSERT INTO device_sample (device_id, at, battery, signal_dbm)
SELECT device_id, date_bin(CAST(:step AS interval), CAST(:now AS timestamptz), 'epoch'), battery, signal_dbm
FROM device_state
WHERE last_seen_at > CAST(:now AS timestamptz) - CAST(:step AS interval)
  AND (battery IS NOT NULL OR signal_dbm IS NOT NULL)
ORDER BY device_id
ON CONFLICT (device_id, at) DO UPDATE SET battery = excluded.battery, signal_dbm = excluded.signal_dbm
"""


def history(session: Session, device_id: UUID, *, now: datetime, most: int = MOST) -> list[Row[Any]]:
    """Rows of `at`, `what`, `by`, `place`, `before`, `after`; an alarm has `priority`, `what` its kind."""
    params = {"device": device_id, "now": now, "most": most}
    return list(session.execute(text(_HISTORY), params))


def sample(session: Session, *, now: datetime) -> None:
    """Keep how every device that talks does in this half hour; one statement, done again it is the same row."""
    session.execute(text(_SAMPLE), {"now": now, "step": SAMPLE})


def tidy(session: Session, *, now: datetime) -> None:
    """Forget what nobody looks at any more."""
    session.execute(text("DELETE FROM device_sample WHERE at < :old"), {"old": now - SAMPLES_KEPT})


def samples(session: Session, device_id: UUID, *, since: datetime) -> list[Row[Any]]:
    """Rows of `at`, `battery` and `signal_dbm`, oldest first."""
    query = text(
        "SELECT at, battery, signal_dbm FROM device_sample WHERE device_id = :device AND at >= :since ORDER BY at"
    )
    return list(session.execute(query, {"device": device_id, "since": since}))
