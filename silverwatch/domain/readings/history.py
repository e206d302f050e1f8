"""What was measured over some hours: binned out of roll-ups and, where those are not right yet, of readings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.readings import rollups, vitals
from silverwatch.domain.readings.accept import AHEAD

CHARTED: Final = (
    "heart_rate", "pulse_rate", "respiratory_rate", "oxygen_saturation", "systolic_bp", "diastolic_bp", "temperature",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """So many hours back, in bins of `step`; `hourly`: out of the roll-ups of hours."""

    hours: int
    step: timedelta
    hourly: bool = False

    @property
    def gap(self) -> timedelta:
        """Without a value for longer than this a line of what comes continuously is broken."""
        return max(timedelta(minutes=5), 2.5 * self.step)


SPANS: Final[dict[int, Span]] = {
    span.hours: span
    for span in (
        # About as many bins as a line of 800 pixels can show.
        Span(hours=4, step=timedelta(minutes=1)),
        Span(hours=12, step=timedelta(minutes=2)),
        Span(hours=24, step=timedelta(minutes=5)),
        Span(hours=72, step=timedelta(minutes=15)),
        Span(hours=720, step=timedelta(hours=3), hourly=True),
    )
}

RAW_MOST: Final = timedelta(hours=24)
"""Readings are asked themselves for this long at most: one that came later than that is in the next roll-up."""

_BINS = f"""
WITH m AS (
  SELECT {rollups.columns(CHARTED)} FROM {{table}}
  WHERE patient_id = :patient AND at >= CAST(:since AS timestamptz) AND at < CAST(:edge AS timestamptz)
  UNION ALL
  SELECT r.patient_id, date_trunc('minute', least(r.measured_at, r.received_at), 'UTC') AS at, {rollups.raw(CHARTED)}
  FROM reading r
  WHERE r.patient_id = :patient AND r.measured_at >= CAST(:edge AS timestamptz)
    AND r.measured_at < CAST(:until AS timestamptz) AND least(r.measured_at, r.received_at) >= :edge
  GROUP BY 1, 2)
SELECT date_bin(CAST(:step AS interval), m.at, CAST(:since AS timestamptz)) AS bin, {rollups.of_rollups(CHARTED)}
FROM m GROUP BY bin ORDER BY bin
"""


def bins(session: Session, patient_id: UUID, *, span: Span, now: datetime) -> list[Row[Any]]:
    """Rows of `bin` (its beginning) and `<vital>_min`, `_max`, `_mean`, `_count`, oldest first; two statements."""
    edge = rollups.clean_until(session, patient_id, now=now)
    if span.hourly:
        # A reading at the edge is in no hour yet, so the whole hour is read.
        edge = edge.replace(minute=0)
    since = begin(span, now=now)
    params = {
        "patient": patient_id,
        "since": since,
        "edge": max(edge, since, (now - RAW_MOST).replace(minute=0, second=0, microsecond=0)),
        "until": now + AHEAD,
        "step": span.step,
    }
    table = "rollup_hour" if span.hourly else "rollup_minute"
    return list(session.execute(text(_BINS.format(table=table)), params).all())


def begin(span: Span, *, now: datetime) -> datetime:
    """Where the span begins: on a whole step, so that bins do not move under the eye."""
    step_s = int(span.step.total_seconds())
    until = (int(now.timestamp()) // step_s + 1) * step_s
    return datetime.fromtimestamp(until, now.tzinfo) - timedelta(hours=span.hours)


FREQUENT: Final = ("heart_rate", "pulse_rate", "respiratory_rate", "oxygen_saturation")
_SPOT: Final = " AND (systolic_bp IS NOT NULL OR temperature IS NOT NULL)"
SELDOM: Final[dict[str, str]] = {
    "systolic_bp": _SPOT,
    "temperature": _SPOT,
    "supplemental_oxygen": "",
    "consciousness": "",
}
"""What is measured now and then, and what leads the question to the index of it."""

_SETS = f"""
SELECT r.*, least(r.measured_at, r.received_at) AS at, c.name AS by
FROM unnest(CAST(:patients AS uuid[])) AS k (id)
CROSS JOIN LATERAL (
  SELECT patient_id, measured_at, received_at, source_id, source_kind, consciousness, supplemental_oxygen,
         {", ".join((*FREQUENT, "systolic_bp", "diastolic_bp", "temperature"))}
  FROM reading
  WHERE patient_id = k.id AND measured_at >= :since AND measured_at < :until
    AND (source_kind = 'manual' OR consciousness IS NOT NULL) AND num_nonnulls({", ".join(vitals.NAMES)}) > 0
  ORDER BY measured_at DESC, source_id LIMIT :limit) r
LEFT JOIN observation_entry e ON e.patient_id = r.patient_id AND e.measured_at = r.measured_at
  AND e.source_id = r.source_id
LEFT JOIN account c ON c.id = e.account_id
ORDER BY r.measured_at, r.source_id
"""


def sets(
    session: Session, patient_ids: Iterable[UUID], *, since: datetime, until: datetime, limit: int
) -> list[Row[Any]]:
    """Of each patient the newest sets of a person, and what else carries a level of consciousness, oldest first."""
    params = {"patients": list(patient_ids), "since": since, "until": until, "limit": limit}
    return list(session.execute(text(_SETS), params))


# At each moment the newest value of each vital that a score may take: by device or by hand.
_PROBE = """
LEFT JOIN LATERAL (
  SELECT {v} AS value, least(measured_at, received_at) AS at FROM reading
  WHERE patient_id = k.patient_id AND measured_at <= k.at AND measured_at > k.at - CAST(:{age} AS interval)
    AND {v} IS NOT NULL{hint}
  ORDER BY measured_at DESC LIMIT 1) AS {v} ON true"""
_NAMES = (*FREQUENT, *SELDOM)
_AS_OF = (
    "SELECT k.patient_id, k.at, "
    + ", ".join(f"{v}.value AS {v}, {v}.at AS {v}_at" for v in _NAMES)
    + " FROM unnest(CAST(:patients AS uuid[]), CAST(:moments AS timestamptz[])) AS k (patient_id, at)"
    + "".join(
        _PROBE.format(v=v, age="seldom" if v in SELDOM else "frequent", hint=SELDOM.get(v, ""))
        for v in _NAMES
    )
)
Moment = tuple[UUID, datetime]


def as_of(
    session: Session, wanted: Sequence[Moment], *, seldom: timedelta, frequent: timedelta
) -> dict[Moment, Row[Any]]:
    """For each patient and moment `<vital>` and `<vital>_at` of the newest value not older than these."""
    if not wanted:
        return {}
    params = {
        "patients": [patient_id for patient_id, _ in wanted],
        "moments": [at for _, at in wanted],
        "seldom": seldom,
        "frequent": frequent,
    }
    return {(row.patient_id, row.at): row for row in session.execute(text(_AS_OF), params)}


_SPAN = """
SELECT patient_id, {columns} FROM rollup_hour
WHERE patient_id = ANY(:patients) AND at >= date_trunc('hour', CAST(:since AS timestamptz), 'UTC') AND at <= :until
GROUP BY patient_id
"""


def spans(
    session: Session, patient_ids: list[UUID], vitals: Iterable[str], *, since: datetime, until: datetime
) -> dict[UUID, Row[Any]]:
    """Patient id to `<vital>_first` (the mean of the first hour with any), `_low` and `_high` of some hours, by whole
    hours; one statement. What came in the last minutes may not be in it yet."""
    columns = ", ".join(
        f"(array_agg({v}_mean ORDER BY at) FILTER (WHERE {v}_mean IS NOT NULL))[1] AS {v}_first,"
        f" min({v}_min) AS {v}_low, max({v}_max) AS {v}_high"
        for v in vitals
    )
    params = {"patients": patient_ids, "since": since, "until": until}
    return {row.patient_id: row for row in session.execute(text(_SPAN.format(columns=columns)), params)}
