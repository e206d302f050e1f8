"""The sparklines of a bed: an hour of what comes continuously, a day of what is measured now and then."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts.board import BedTrend, Spark
from silverwatch.domain.alerts.layers import limits_of
from silverwatch.domain.alerts.limits import Limit, Limits

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
GAP: Final = timedelta(minutes=3)
"""Without a value for longer than this the line is broken: nothing is joined over a gap."""

LINES: Final = ("heart_rate", "oxygen_saturation", "respiratory_rate")
DOTS: Final = (("blood_pressure", "systolic_bp"), ("temperature", "temperature"))

_MINUTES = """
SELECT patient_id, date_bin('1 minute', measured_at, CAST(:since AS timestamptz)) AS at,
       avg(heart_rate) AS heart_rate, avg(oxygen_saturation) AS oxygen_saturation,
       avg(respiratory_rate) AS respiratory_rate
FROM reading
WHERE patient_id = ANY(:patients) AND measured_at BETWEEN :since AND :now
GROUP BY patient_id, at ORDER BY at
"""
_QUARTERS = """
SELECT patient_id, date_bin('15 minutes', measured_at, CAST(:since AS timestamptz)) AS at,
       avg(systolic_bp) AS systolic_bp, avg(temperature) AS temperature
FROM reading
WHERE patient_id = ANY(:patients) AND measured_at BETWEEN :since AND :now
  AND (systolic_bp IS NOT NULL OR temperature IS NOT NULL)
GROUP BY patient_id, at ORDER BY at
"""
_PATIENTS = """
SELECT b.id AS bed_id, s.patient_id FROM bed b
LEFT JOIN stay s ON s.bed_id = b.id AND s.during @> CAST(:now AS timestamptz)
WHERE b.id = ANY(:beds)
"""


def trends(session: Session, bed_ids: Sequence[UUID], now: datetime) -> dict[UUID, BedTrend]:
    """The sparklines of each of these beds that exists."""
    beds = session.execute(text(_PATIENTS), {"beds": list(bed_ids), "now": now}).all()
    patients = [row.patient_id for row in beds if row.patient_id]
    minutes = _rows(session, _MINUTES, patients, now=now, span=HOUR)
    quarters = _rows(session, _QUARTERS, patients, now=now, span=DAY)
    limits = limits_of(session, patients, now=now)
    return {row.bed_id: _trend(row, minutes, quarters, limits=limits, now=now) for row in beds}


def _trend(
    bed: Row[Any],
    minutes: Mapping[UUID, list[Row[Any]]],
    quarters: Mapping[UUID, list[Row[Any]]],
    *,
    limits: Mapping[UUID, Limits],
    now: datetime,
) -> BedTrend:
    patient, own = bed.patient_id, limits.get(bed.patient_id)
    lines = [_spark(n, n, minutes.get(patient, ()), limits=own, now=now, span=HOUR) for n in LINES]
    dots = [_spark(n, vital, quarters.get(patient, ()), limits=own, now=now, span=DAY) for n, vital in DOTS]
    return BedTrend(bed_id=bed.bed_id, sparks=(*lines, *dots))


def _rows(
    session: Session, query: str, patients: list[UUID], *, now: datetime, span: timedelta
) -> dict[UUID, list[Row[Any]]]:
    found: dict[UUID, list[Row[Any]]] = {}
    if patients:
        params = {"patients": patients, "since": now - span, "now": now}
        for row in session.execute(text(query), params):
            found.setdefault(row.patient_id, []).append(row)
    return found


def _spark(
    name: str,
    vital: str,
    rows: Iterable[Row[Any]],
    *,
    limits: Limits | None,
    now: datetime,
    span: timedelta,
) -> Spark:
    points: list[tuple[float, float] | None] = []
    last: datetime | None = None
    for row in rows:
        value = getattr(row, vital)
        if value is None:
            continue
        if span == HOUR and last is not None and row.at - last > GAP:
            points.append(None)
        points.append((round(1 - (now - row.at) / span, 4), round(value, 1)))
        last = row.at
    limit = limits.by_vital.get(vital, Limit()) if limits else Limit()
    return Spark(name=name, points=tuple(points), low=limit.low, high=limit.high, dots=span == DAY)
