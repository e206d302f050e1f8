"""The sparklines of a bed: an hour of what comes continuously, a day of what is measured now and then."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts.board import BedTrend, Spark

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
    limits = {
        row.vital: (row.low, row.high)
        for row in session.execute(text("SELECT vital, low, high FROM vital_limit"))
    }
    return {
        row.bed_id: BedTrend(
            bed_id=row.bed_id,
            sparks=(
                *(
                    _spark(name, name, minutes.get(row.patient_id, ()), limits=limits, now=now, span=HOUR)
                    for name in LINES
                ),
                *(
                    _spark(name, vital, quarters.get(row.patient_id, ()), limits=limits, now=now, span=DAY)
                    for name, vital in DOTS
                ),
            ),
        )
        for row in beds
    }


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
    limits: dict[str, tuple[float | None, float | None]],
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
    low, high = limits.get(vital, (None, None))
    return Spark(name=name, points=tuple(points), low=low, high=high, dots=span == DAY)
