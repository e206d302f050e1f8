"""One alarm with all that is known of it: the other vitals, the trend around it, and what happened, in order."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts import queries
from silverwatch.domain.alerts.inbox import AlarmTrend, Detail, Happening, InboxRow
from silverwatch.domain.alerts.inbox_queries import rows_of, ward_headers

SPAN: Final = timedelta(hours=2)
AFTER: Final = timedelta(minutes=15)
"""The trend of an alarm that is over ends so long after its end."""
ROUND: Final = timedelta(minutes=5)
EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
BIN: Final = timedelta(seconds=30)
GAP: Final = timedelta(minutes=3)
"""Without a value for longer than this the line is broken."""
SPOTS: Final = frozenset(
    {"systolic_bp", "diastolic_bp", "mean_bp", "temperature", "glucose", "weight", "pain"}
)
"""Vitals that are measured now and then: their points are joined over any gap."""
MOST_HAPPENINGS: Final = 40

# One column of `reading` each; a vital that is none of these has no trend here.
DRAWN: Final = (
    "heart_rate",
    "pulse_rate",
    "respiratory_rate",
    "oxygen_saturation",
    "systolic_bp",
    "diastolic_bp",
    "mean_bp",
    "temperature",
)

_POINTS: Final = """
SELECT w.alert_id, date_bin(CAST(:bin AS interval), r.measured_at, w.since) AS at,
  avg(CASE w.vital {cases} END) AS value
FROM unnest(CAST(:alerts AS uuid[]), CAST(:patients AS uuid[]), CAST(:vitals AS text[]),
            CAST(:sinces AS timestamptz[]), CAST(:untils AS timestamptz[]))
  AS w(alert_id, patient_id, vital, since, until)
JOIN reading r ON r.patient_id = w.patient_id AND r.measured_at BETWEEN w.since AND w.until
WHERE r.patient_id = ANY(CAST(:patients AS uuid[])) AND r.measured_at BETWEEN :first AND :last
GROUP BY w.alert_id, 2 ORDER BY 2
""".format(cases=" ".join(f"WHEN '{vital}' THEN r.{vital}" for vital in DRAWN))

_HAPPENED: Final = """
SELECT k.alert_id, k.at, 'acknowledged' AS what, c.name AS who, NULL AS detail
FROM acknowledgement k JOIN account c ON c.id = k.account_id WHERE k.alert_id = ANY(:ids)
UNION ALL
SELECT x.alert_id, x.at, CASE x.what WHEN 'undo_escalation' THEN 'undone' ELSE 'did' END, c.name, x.what
FROM alert_action x JOIN account c ON c.id = x.account_id WHERE x.alert_id = ANY(:ids)
UNION ALL
SELECT e.alert_id, e.raised_at, 'came', NULL, NULL FROM alert_episode e WHERE e.alert_id = ANY(:ids)
UNION ALL
SELECT a.id, a.raised_at, 'came', NULL, NULL FROM alert a
WHERE a.id = ANY(:ids) AND a.raised_at IS DISTINCT FROM a.realarmed_at
UNION ALL
SELECT a.id, a.escalated_at, 'escalated', NULL, NULL FROM alert a WHERE a.id = ANY(:ids) AND a.escalated_at IS NOT NULL
UNION ALL
SELECT a.id, a.realarmed_at, 'sounded_again', NULL, NULL FROM alert a
WHERE a.id = ANY(:ids) AND a.realarmed_at IS NOT NULL
UNION ALL
SELECT a.id, a.ended_at, 'ended', NULL, NULL FROM alert a WHERE a.id = ANY(:ids) AND a.ended_at IS NOT NULL
UNION ALL
SELECT a.id, a.closed_at, a.closed_as, r.name, a.resolution FROM alert a LEFT JOIN account r ON r.id = a.resolved_by
WHERE a.id = ANY(:ids) AND a.closed_at IS NOT NULL AND a.closed_as = 'resolved'
ORDER BY at
"""


def details(session: Session, alert_ids: Sequence[UUID], now: datetime) -> dict[UUID, Detail]:
    """Each of these alarms that exists."""
    rows = rows_of(session, alert_ids, now)
    patients = {row.patient.id for row in rows.values() if row.patient}
    tiles = queries.tiles_of(session, list(patients), now) if patients else {}
    wards = ward_headers(session, {row.ward_id for row in rows.values() if row.ward_id})
    trends = _trends(session, list(rows.values()), now=now)
    happened = _happened(session, list(rows))
    return {
        alert_id: Detail(
            row=row,
            ward=wards.get(row.ward_id) if row.ward_id else None,
            tile=tiles.get(row.patient.id) if row.patient else None,
            trend=trends.get(alert_id),
            happened=happened.get(alert_id, ()),
        )
        for alert_id, row in rows.items()
    }


def _trends(session: Session, rows: Sequence[InboxRow], *, now: datetime) -> dict[UUID, AlarmTrend]:
    wanted = [(row, _until(row, now=now)) for row in rows if row.patient and row.line.vital in DRAWN]
    if not wanted:
        return {}
    params = {
        "bin": BIN,
        "alerts": [row.line.id for row, _ in wanted],
        "patients": [row.patient.id for row, _ in wanted if row.patient],
        "vitals": [row.line.vital for row, _ in wanted],
        "sinces": [until - SPAN for _, until in wanted],
        "untils": [until for _, until in wanted],
        "first": min(until for _, until in wanted) - SPAN,
        "last": max(until for _, until in wanted),
    }
    points: dict[UUID, list[Row[Any]]] = {}
    for point in session.execute(text(_POINTS), params):
        if point.value is not None:
            points.setdefault(point.alert_id, []).append(point)
    return {row.line.id: _trend(row, until, points.get(row.line.id, [])) for row, until in wanted}


def _until(row: InboxRow, *, now: datetime) -> datetime:
    """The end of the picture, on a round moment: a line that crept with each second would be pushed each second."""
    over = row.line.ended_at or row.closed_at
    end = min(now, over + AFTER) if over else now
    return end + (EPOCH - end) % ROUND


def _trend(row: InboxRow, until: datetime, found: Sequence[Row[Any]]) -> AlarmTrend:
    vital, since = str(row.line.vital), until - SPAN
    points: list[tuple[float, float] | None] = []
    last: datetime | None = None
    for point in found:
        if last is not None and point.at - last > GAP and vital not in SPOTS:
            points.append(None)
        points.append((round((point.at - since) / SPAN, 4), round(point.value, 1)))
        last = point.at
    return AlarmTrend(
        vital=vital,
        since=since,
        until=until,
        points=tuple(points),
        limit=row.line.limit,
        relation=row.line.relation,
    )


def _happened(session: Session, alert_ids: list[UUID]) -> Mapping[UUID, tuple[Happening, ...]]:
    found: dict[UUID, list[Happening]] = {}
    for row in session.execute(text(_HAPPENED), {"ids": alert_ids}):
        found.setdefault(row.alert_id, []).append(
            Happening(at=row.at, what=row.what, who=row.who, detail=row.detail)
        )
    return {alert_id: tuple(items[-MOST_HAPPENINGS:]) for alert_id, items in found.items()}
