"""Questions about alerts and the ward: rows for pages, JSON and screens alike, a fixed number of statements each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain import audit
from silverwatch.domain.alerts import layers
from silverwatch.domain.alerts import tiles as compose
from silverwatch.domain.alerts.board import (
    AlarmBar,
    AlarmLine,
    Board,
    Counts,
    Tile,
    WardHeader,
)
from silverwatch.domain.alerts.pause_lines import open_pauses
from silverwatch.domain.alerts.rule_models import RULE_NAME
from silverwatch.domain.alerts.trends import trends
from silverwatch.domain.alerts.whereabouts import ABOUT_NOBODY, OF_NOBODY, OF_PATIENTS

__all__ = ["alarm_bars", "boards", "counts", "tiles", "trends"]

WARD_VIEW = "ward"
"""What the audit calls the board of a ward, as page, poll or socket."""

_BEDS = """
SELECT b.id AS bed_id, b.label, b.ward_id, p.id AS patient_id, p.family_name, p.given_name, p.title,
       p.born_on, p.sex, p.spo2_scale, p.simulated, vs.latest, vs.off, js.news,
       (SELECT minutes FROM interval_decision o
        WHERE o.patient_id = p.id AND o.ended_at IS NULL AND o.until > CAST(:now AS timestamptz)) AS own_minutes
FROM {source}
LEFT JOIN vital_state vs ON vs.patient_id = p.id
LEFT JOIN judge_state js ON js.patient_id = p.id
WHERE {condition}
ORDER BY b.ward_id, b.position
"""

_OF_BEDS = """bed b
LEFT JOIN stay s ON s.bed_id = b.id AND s.during @> CAST(:now AS timestamptz)
LEFT JOIN patient p ON p.id = s.patient_id"""

_OF_WARDS = "b.ward_id = ANY(:ids) AND (b.kind = 'bed' AND b.closed_at IS NULL OR s.id IS NOT NULL)"
"""Places at home are shown while somebody has them, closed beds not at all."""


_DEVICES = """
SELECT bi.patient_id, lower(bi.during) AS bound_at, d.serial, d.kind, d.interval_s,
       ds.last_seen_at, ds.last_reading_at, ds.battery, ds.signal_dbm
FROM binding bi
JOIN device d ON d.id = bi.device_id
JOIN device_state ds ON ds.device_id = d.id
WHERE bi.patient_id = ANY(:patients) AND bi.during @> CAST(:now AS timestamptz)
ORDER BY ds.last_reading_at DESC NULLS LAST
"""

_ALERTS = f"""
SELECT a.*, k.at AS acknowledged_at, c.name AS acknowledged_by, d.serial, {RULE_NAME},
       b.id AS bed_id, b.label AS bed_label, b.ward_id
FROM {{source}} a
LEFT JOIN stay s ON s.patient_id = a.patient_id AND s.during @> CAST(:now AS timestamptz)
LEFT JOIN bed b ON b.id = s.bed_id
LEFT JOIN acknowledgement k ON k.alert_id = a.id AND k.ended_at IS NULL
LEFT JOIN account c ON c.id = k.account_id
LEFT JOIN device d ON d.id = a.device_id
WHERE {{condition}}
ORDER BY a.raised_at
"""
_NEWEST_ALERTS = """(
  SELECT x.* FROM unnest(CAST(:ids AS uuid[])) AS p (id)
  CROSS JOIN LATERAL (
    SELECT * FROM alert WHERE patient_id = p.id AND event_at < :before AND event_at >= :since
      AND (live OR closed_as <> 'withdrawn')
    ORDER BY event_at DESC, id DESC LIMIT :limit) x)"""

# A quarter of an hour ago, two minutes wide: what the arrows compare with.
_BEFORE = """
SELECT patient_id, avg(heart_rate) AS heart_rate, avg(oxygen_saturation) AS oxygen_saturation,
       avg(respiratory_rate) AS respiratory_rate
FROM reading
WHERE patient_id = ANY(:patients)
  AND measured_at BETWEEN CAST(:now AS timestamptz) - interval '16 minutes'
                      AND CAST(:now AS timestamptz) - interval '14 minutes'
GROUP BY patient_id
"""


# Nobody lies in the bed of these.
_SYSTEM_ALERTS = f"""
SELECT a.*, k.at AS acknowledged_at, c.name AS acknowledged_by, g.serial, NULL AS rule_name,
       NULL AS bed_id, NULL AS bed_label, w.id AS ward_id
FROM {OF_NOBODY}
LEFT JOIN acknowledgement k ON k.alert_id = a.id AND k.ended_at IS NULL
LEFT JOIN account c ON c.id = k.account_id
WHERE a.closed_at IS NULL AND {ABOUT_NOBODY}
ORDER BY a.raised_at
"""


def tiles(session: Session, bed_ids: Sequence[UUID], now: datetime) -> dict[UUID, Tile]:
    """The tile of each of these beds that exists."""
    return {tile.bed_id: tile for _, tile in _tiles(session, "b.id = ANY(:ids)", list(bed_ids), now)}


def tiles_of(session: Session, patient_ids: Sequence[UUID], now: datetime) -> dict[UUID, Tile]:
    """What a tile would show of each of these patients, who may lie in no bed now."""
    found = _tiles(session, "p.id = ANY(:ids)", list(patient_ids), now, source=OF_PATIENTS)
    return {tile.patient.id: tile for _, tile in found if tile.patient}


def lines_of(
    session: Session, patient_ids: Sequence[UUID], now: datetime
) -> dict[UUID, tuple[AlarmLine, ...]]:
    """The open alerts of each of these patients, most urgent first; nothing for who has none."""
    rows = _group(_open_alerts(session, "a.patient_id = ANY(:ids)", list(patient_ids), now), "patient_id")
    return {
        patient_id: tuple(sorted((compose.line(row) for row in found), key=compose.urgency))
        for patient_id, found in rows.items()
    }


def newest_alerts(
    session: Session,
    patient_ids: Iterable[UUID],
    *,
    since: datetime,
    before: datetime,
    limit: int,
    now: datetime,
) -> Sequence[Row[Any]]:
    """Of each patient the newest alerts of a time, open or closed: rows for `compose.line`."""
    params = {"ids": list(patient_ids), "since": since, "before": before, "limit": limit, "now": now}
    return session.execute(text(_ALERTS.format(source=_NEWEST_ALERTS, condition="true")), params).all()


def tiles_of_patients(session: Session, patient_ids: Sequence[UUID], now: datetime) -> dict[UUID, Tile]:
    """Patient id to what a tile would show of them, wherever they lie."""
    found = _tiles(session, "p.id = ANY(:ids)", list(patient_ids), now, source=OF_PATIENTS)
    return {tile.patient.id: tile for _, tile in found if tile.patient is not None}


def tiles_of_wards(session: Session, ward_ids: Sequence[UUID], now: datetime) -> dict[UUID, list[Tile]]:
    """Ward id to the tiles of its beds in their fixed order."""
    found: dict[UUID, list[Tile]] = {ward_id: [] for ward_id in ward_ids}
    for ward_id, tile in _tiles(session, _OF_WARDS, list(ward_ids), now):
        found[ward_id].append(tile)
    return found


def boards(session: Session, ward_ids: Sequence[UUID], now: datetime) -> dict[UUID, Board]:
    """The whole board of each of these wards, beds in their fixed order."""
    headers = {
        row.id: WardHeader(id=row.id, slug=row.slug, name=row.name, description=row.description)
        for row in session.execute(
            text("SELECT id, slug, name, description FROM ward WHERE id = ANY(:ids)"), {"ids": list(ward_ids)}
        )
    }
    of_ward: dict[UUID, list[Tile]] = {ward_id: [] for ward_id in headers}
    for ward_id, tile in _tiles(session, _OF_WARDS, list(headers), now):
        of_ward[ward_id].append(tile)
    bars = alarm_bars(session, list(headers), now)
    drawn = trends(session, [tile.bed_id for found in of_ward.values() for tile in found], now)
    return {
        ward_id: Board(
            ward=header,
            now=now,
            counts=_count(bars[ward_id], places=len(of_ward[ward_id])),
            alarm_bar=bars[ward_id],
            tiles=tuple(of_ward[ward_id]),
            trends={tile.bed_id: drawn[tile.bed_id] for tile in of_ward[ward_id]},
        )
        for ward_id, header in headers.items()
    }


def alarm_bars(session: Session, ward_ids: Sequence[UUID], now: datetime) -> dict[UUID, AlarmBar]:
    """The open alerts of each ward and those of the system, most urgent first, acknowledged ones last."""
    lines: dict[UUID, list[AlarmLine]] = {ward_id: [] for ward_id in ward_ids}
    for row in _open_alerts(session, "b.ward_id = ANY(:ids)", list(ward_ids), now):
        lines[row.ward_id].append(compose.line(row))
    for row in session.execute(text(_SYSTEM_ALERTS)):
        for ward_id in lines.keys() & {row.ward_id} if row.ward_id else lines:
            lines[ward_id].append(compose.line(row))
    pauses = open_pauses(session, lines)
    return {
        ward_id: AlarmBar(
            ward_id=ward_id,
            lines=tuple(sorted(found, key=compose.urgency)),
            sound_pause=next(iter(pauses.get(ward_id, ())), None),
        )
        for ward_id, found in lines.items()
    }


def counts(session: Session, ward_ids: Sequence[UUID], now: datetime) -> dict[UUID, Counts]:
    """How many alerts are open in each ward, and how many places its board shows."""
    query = f"SELECT b.ward_id, count(*) AS places FROM {_OF_BEDS} WHERE {_OF_WARDS} GROUP BY b.ward_id"
    rows = session.execute(text(query), {"ids": list(ward_ids), "now": now})
    places = {row.ward_id: row.places for row in rows}
    bars = alarm_bars(session, ward_ids, now)
    return {ward_id: _count(bar, places=places.get(ward_id, 0)) for ward_id, bar in bars.items()}


def line_of(session: Session, alert_id: UUID, *, now: datetime) -> AlarmLine:
    """One alert as a line, open or not, wherever its patient lies."""
    row = session.execute(
        text(_ALERTS.format(source="alert", condition="a.id = :id")), {"id": alert_id, "now": now}
    ).one()
    return compose.line(row)


def _tiles(
    session: Session, condition: str, ids: list[UUID], now: datetime, *, source: str = _OF_BEDS
) -> list[tuple[UUID, Tile]]:
    query = _BEDS.format(source=source, condition=condition)
    beds = session.execute(text(query), {"ids": ids, "now": now}).all()
    patients = [row.patient_id for row in beds if row.patient_id]
    params = {"patients": patients, "now": now}
    devices = _group(session.execute(text(_DEVICES), params).all(), "patient_id") if patients else {}
    before = {row.patient_id: row for row in session.execute(text(_BEFORE), params)} if patients else {}
    switched_off = layers.switched_off(session, patients, now=now) if patients else {}
    alerts = (
        _group(_open_alerts(session, "a.patient_id = ANY(:ids)", patients, now), "patient_id")
        if patients
        else {}
    )
    pauses = open_pauses(session, patients) if patients else {}
    return [
        (
            row.ward_id,
            compose.tile(
                row,
                devices=devices.get(row.patient_id, ()),
                lines=[compose.line(alert) for alert in alerts.get(row.patient_id, ())],
                pauses=pauses.get(row.patient_id, ()),
                before=before.get(row.patient_id),
                switched_off=switched_off.get(row.patient_id, frozenset()),
                now=now,
            ),
        )
        for row in beds
    ]


def _open_alerts(session: Session, condition: str, ids: list[UUID], now: datetime) -> Sequence[Row[Any]]:
    query = _ALERTS.format(source="alert", condition=f"a.closed_at IS NULL AND {condition}")
    return session.execute(text(query), {"ids": ids, "now": now}).all()


def _group(rows: Collection[Row[Any]], key: str) -> Mapping[UUID, list[Row[Any]]]:
    grouped: dict[UUID, list[Row[Any]]] = {}
    for row in rows:
        grouped.setdefault(getattr(row, key), []).append(row)
    return grouped


def _count(bar: AlarmBar, *, places: int) -> Counts:
    kinds = [("technical" if line.technical else line.priority) for line in bar.lines]
    return Counts(
        ward_id=bar.ward_id,
        places=places,
        high=kinds.count("high"),
        medium=kinds.count("medium"),
        low=kinds.count("low"),
        technical=kinds.count("technical"),
    )


def unseen(session: Session, ward_id: UUID, *, now: datetime) -> list[UUID]:
    """The patients in a ward whose board this session has not opened yet; empty when it has."""
    if audit.is_viewed(session, WARD_VIEW, ward_id=ward_id):
        return []
    lying = text(
        "SELECT s.patient_id FROM stay s JOIN bed b ON b.id = s.bed_id"
        " WHERE b.ward_id = :ward AND s.during @> CAST(:now AS timestamptz)"
    )
    return list(session.scalars(lying, {"ward": ward_id, "now": now}))
