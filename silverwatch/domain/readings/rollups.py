"""Roll-ups: the smallest, largest and mean value of each vital, and how many, per minute and per hour (UTC).

Who judges notes on the patient's state from which event time on they are wrong. From there they are computed anew out
of the readings themselves, so a late or completed reading is right however it came. Two steps, each a transaction:
`note_due` takes the notes off the states, whose rows ingest needs, and is done at once; `roll_up` computes some of the
hours that are due. A crash between any two lines leaves a note or a due hour, and the next one does it again.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.readings.accept import AHEAD
from silverwatch.domain.readings.vitals import NUMERIC

HOUR: Final = timedelta(hours=1)
PATIENTS: Final = 500
"""Patients whose notes are taken in one go: so long their states are locked."""
HOURS: Final = 50
"""Hours computed in one go: at a reading a second 180,000 readings, well under a second."""

_NOTE = """
WITH taken AS (
  SELECT patient_id, unrolled_from FROM vital_state WHERE unrolled_from IS NOT NULL
  ORDER BY patient_id LIMIT :limit FOR UPDATE SKIP LOCKED),
cleared AS (
  UPDATE vital_state v SET unrolled_from = NULL FROM taken t WHERE v.patient_id = t.patient_id)
INSERT INTO rollup_due (patient_id, hour, since)
SELECT t.patient_id, h.hour, greatest(h.hour, t.unrolled_from)
FROM taken t
CROSS JOIN generate_series(
  date_trunc('hour', t.unrolled_from, 'UTC'), greatest(t.unrolled_from, CAST(:now AS timestamptz)), '1 hour') h (hour)
ORDER BY t.patient_id, h.hour
ON CONFLICT (patient_id, hour) DO UPDATE SET since = least(rollup_due.since, excluded.since)
"""
# The newest hours first: they are looked at most, and a long past must not keep them waiting.
_CLAIM = """
SELECT patient_id, hour, date_trunc('minute', since, 'UTC') AS since FROM rollup_due
ORDER BY hour DESC, patient_id LIMIT :limit FOR UPDATE SKIP LOCKED
"""
_DUE = """unnest(CAST(:patients AS uuid[]), CAST(:hours AS timestamptz[]), CAST(:sinces AS timestamptz[]))
  AS d (patient_id, hour, since)"""
_EVENT_AT = "least(r.measured_at, r.received_at)"


def _each(template: str, vitals: Iterable[str]) -> str:
    return ", ".join(template.format(v=vital) for vital in vitals)


def columns(vitals: Iterable[str] = NUMERIC) -> str:
    """The columns of a roll-up of these vitals."""
    return "patient_id, at, " + _each("{v}_min, {v}_max, {v}_mean, {v}_count", vitals)


def raw(vitals: Iterable[str] = NUMERIC) -> str:
    """The same without patient and time, out of readings `r`, for a query with GROUP BY."""
    parts = ("min(r.{v}) AS {v}_min", "max(r.{v}) AS {v}_max", "avg(r.{v}) AS {v}_mean")
    return _each(", ".join((*parts, "nullif(count(r.{v}), 0) AS {v}_count")), vitals)


def of_rollups(vitals: Iterable[str] = NUMERIC) -> str:
    """The same out of smaller roll-ups `m`."""
    mean = "sum(m.{v}_mean * m.{v}_count) / sum(m.{v}_count) AS {v}_mean"
    parts = ("min(m.{v}_min) AS {v}_min", "max(m.{v}_max) AS {v}_max", mean, "sum(m.{v}_count) AS {v}_count")
    return _each(", ".join(parts), vitals)


# A fast clock of the source can put `measured_at` that much after the event time, never before it.
_MINUTES = f"""
INSERT INTO rollup_minute ({columns()})
SELECT d.patient_id, date_trunc('minute', {_EVENT_AT}, 'UTC') AS minute, {raw()}
FROM {_DUE}
JOIN reading r ON r.patient_id = d.patient_id
  AND r.measured_at >= d.since AND r.measured_at < d.hour + CAST(:reach AS interval)
WHERE r.measured_at >= :oldest AND r.measured_at < :newest
  AND {_EVENT_AT} >= d.since AND {_EVENT_AT} < d.hour + interval '1 hour'
GROUP BY d.patient_id, minute
"""
_HOURS = f"""
INSERT INTO rollup_hour ({columns()})
SELECT d.patient_id, d.hour, {of_rollups()}
FROM {_DUE}
JOIN rollup_minute m ON m.patient_id = d.patient_id AND m.at >= d.hour AND m.at < d.hour + interval '1 hour'
GROUP BY d.patient_id, d.hour
"""
_FORGET_MINUTES = f"""
DELETE FROM rollup_minute m USING {_DUE}
WHERE m.patient_id = d.patient_id AND m.at >= d.since AND m.at < d.hour + interval '1 hour'
"""
_FORGET_HOURS = f"DELETE FROM rollup_hour m USING {_DUE} WHERE m.patient_id = d.patient_id AND m.at = d.hour"
_DONE = f"DELETE FROM rollup_due o USING {_DUE} WHERE o.patient_id = d.patient_id AND o.hour = d.hour"

_CLEAN_UNTIL = """
SELECT least(v.unjudged_from, v.unrolled_from, (SELECT min(since) FROM rollup_due d WHERE d.patient_id = v.patient_id))
FROM vital_state v WHERE v.patient_id = :patient
"""


def note_due(session: Session, *, now: datetime, limit: int = PATIENTS) -> int:
    """Note the hours whose roll-ups are wrong; gives how many. Commit at once: ingest waits for these patients."""
    return _count(session, _NOTE, {"limit": limit, "now": now})


def roll_up(session: Session, *, limit: int = HOURS) -> int:
    """Compute some of the hours that are due; gives how many."""
    due = session.execute(text(_CLAIM), {"limit": limit}).all()
    if due:
        params = _params(due)
        for query in (_FORGET_MINUTES, _MINUTES, _FORGET_HOURS, _HOURS, _DONE):
            session.execute(text(query), params)
    return len(due)


def clean_until(session: Session, patient_id: UUID, *, now: datetime) -> datetime:
    """The minute from which on the readings themselves are to be asked: roll-ups before it are right."""
    found: datetime | None = session.scalar(text(_CLEAN_UNTIL), {"patient": patient_id})
    return (now if found is None else min(found, now)).replace(second=0, microsecond=0)


def _params(due: Sequence[Row[Any]]) -> dict[str, Any]:
    reach = HOUR + AHEAD
    return {
        "patients": [row.patient_id for row in due],
        "hours": [row.hour for row in due],
        "sinces": [row.since for row in due],
        "reach": reach,
        "oldest": min(row.since for row in due),
        "newest": max(row.hour for row in due) + reach,
    }


def _count(session: Session, query: str, params: dict[str, Any]) -> int:
    return session.connection().execute(text(query), params).rowcount
