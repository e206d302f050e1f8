"""Handing a ward over: the sheet built from what is stored, remarks for the next shift, and who accepted when.

The caller commits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit, events
from silverwatch.domain.access import Actor
from silverwatch.domain.alerts import queries, scores, sheet, tiles
from silverwatch.domain.alerts.board import AlarmLine, Tile
from silverwatch.domain.alerts.rule_models import RULE_NAME
from silverwatch.domain.alerts.sheet import AlarmsOfShift, Paused, Sheet, SheetLine, Trend, Written
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.readings import history
from silverwatch.domain.records import tasks
from silverwatch.domain.records.facts import TasksChanged
from silverwatch.domain.records.models import Handover, HandoverRemark
from silverwatch.domain.records.tasks import TaskView
from silverwatch.domain.wards import allocation, roster, shifts
from silverwatch.domain.wards.models import Ward

MOST_REMARK: Final = 500
AHEAD: Final = timedelta(hours=12)
"""What is to be done in the shift that comes, however long it is."""
LATE: Final = timedelta(hours=1)
"""So long after a shift began the one before is still being handed over."""
EARLIER: Final = 10
NOTES: Final = 2
VITALS: Final = ("respiratory_rate", "oxygen_saturation", "systolic_bp", "heart_rate", "temperature")
CELL_OF: Final = {"systolic_bp": "blood_pressure"}

_WHO = """
SELECT s.patient_id, p.hospital_number, p.spo2_scale, lower(s.during) AS here_since
FROM stay s JOIN patient p ON p.id = s.patient_id
WHERE s.patient_id = ANY(:patients) AND s.during @> CAST(:now AS timestamptz)
"""
_OF_SHIFT = """alert a LEFT JOIN LATERAL (
  SELECT min(at) AS at FROM acknowledgement WHERE alert_id = a.id) k ON true
WHERE a.patient_id = ANY(:patients) AND a.event_at > CAST(:since AS timestamptz) - interval '7 days'
  AND a.event_at <= :now AND (a.closed_at IS NULL OR coalesce(a.ended_at, a.closed_at) > :since)"""
_ANSWERED = f"""
SELECT a.patient_id, count(*) AS alarms, sum(a.times) AS times,
       count(*) FILTER (WHERE a.peak_priority = 'high' AND NOT a.technical) AS high,
       count(*) FILTER (WHERE a.technical) AS technical, count(k.at) AS taken,
       count(*) FILTER (WHERE k.at IS NULL AND a.closed_at IS NOT NULL) AS alone,
       count(*) FILTER (WHERE k.at IS NULL AND a.closed_at IS NULL) AS waiting
FROM {_OF_SHIFT} GROUP BY a.patient_id
"""
_LONGEST = f"""
SELECT DISTINCT ON (a.patient_id) a.*, k.at AS acknowledged_at, NULL AS acknowledged_by, NULL AS serial, {RULE_NAME},
       NULL AS bed_id, NULL AS bed_label,
       extract(epoch FROM coalesce(a.ended_at, a.closed_at, CAST(:now AS timestamptz)) - a.run_from) AS lasted_s
FROM {_OF_SHIFT} AND NOT a.technical ORDER BY a.patient_id, lasted_s DESC
"""
_NOTES = """
SELECT n.patient_id, v.text, v.at, a.name
FROM unnest(CAST(:patients AS uuid[])) AS p (id)
JOIN LATERAL (SELECT id, patient_id FROM note WHERE patient_id = p.id AND struck_at IS NULL
              ORDER BY written_at DESC LIMIT :most) n ON true
JOIN LATERAL (SELECT text, at, account_id FROM note_version WHERE note_id = n.id ORDER BY version DESC LIMIT 1) v
  ON true
JOIN account a ON a.id = v.account_id ORDER BY v.at DESC
"""
_PAUSES = """
SELECT patient_id, kind, reason, note, ends_at FROM pause
WHERE patient_id = ANY(:patients) AND ended_at IS NULL ORDER BY ends_at
"""
_REMARKS = """
SELECT DISTINCT ON (r.patient_id) r.patient_id, r.text, r.at, a.name
FROM handover_remark r JOIN account a ON a.id = r.account_id
WHERE r.patient_id = ANY(:patients) AND r.at >= :since ORDER BY r.patient_id, r.at DESC, r.id DESC
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A handover that was accepted."""

    id: UUID
    at: datetime
    by: str


def shift_begin(now: datetime, *, zone: ZoneInfo) -> datetime:
    """When the shift began that is handed over now: the present one, or in its first hour the one before."""
    day, pattern = shifts.pattern_at(now - LATE, zone=zone)
    return shifts.span(day, pattern, zone=zone)[0]


def build(session: Session, ward: Ward, *, since: datetime, now: datetime) -> Sheet:
    """The sheet of a ward; a fixed number of statements, however many lie in it."""
    beds = queries.tiles_of_wards(session, [ward.id], now)[ward.id]
    taken = [tile for tile in beds if tile.patient is not None]
    read = _Read(session, [tile.patient.id for tile in taken if tile.patient], since=since, now=now)
    holders = allocation.holders(session, [tile.bed_id for tile in taken], now=now)
    bar = queries.alarm_bars(session, [ward.id], now)[ward.id]
    here = [person.name for person in roster.on_duty(session, [ward.id], now=now)[ward.id] if person.is_here]
    return Sheet(
        ward_id=ward.id,
        ward_slug=ward.slug,
        ward_name=ward.name,
        since=since,
        at=now,
        on_duty=tuple(here),
        lines=tuple(
            read.line(
                tile,
                alarms=[line for line in bar.lines if line.bed_id == tile.bed_id],
                holder=holders[tile.bed_id].name if tile.bed_id in holders else None,
            )
            for tile in taken
            if tile.bed_id is not None
        ),
        empty_beds=tuple(tile.bed_label for tile in beds if tile.patient is None),
    )


class _Read:
    """What was read of some patients, each kind in one statement."""

    def __init__(self, session: Session, patients: list[UUID], *, since: datetime, now: datetime) -> None:
        params = {"patients": patients, "since": since, "now": now, "most": NOTES}

        def ask(query: str) -> Sequence[Row[Any]]:
            return session.execute(text(query), params).all() if patients else []

        self.who = {row.patient_id: row for row in ask(_WHO)}
        self.answered = {row.patient_id: row for row in ask(_ANSWERED)}
        self.longest = {row.patient_id: row for row in ask(_LONGEST)}
        self.notes = _grouped(ask(_NOTES))
        self.pauses = _grouped(ask(_PAUSES))
        self.remarks = {row.patient_id: row for row in ask(_REMARKS)}
        scales = {patient_id: row.spo2_scale for patient_id, row in self.who.items()}
        self.before = scores.scores_at(session, scales, since) if patients else {}
        self.spans = history.spans(session, patients, (*VITALS, "pulse_rate"), since=since, until=now)
        self.tasks: dict[UUID, list[TaskView]] = {}
        for task in tasks.open_tasks(session, patients, until=now + AHEAD):
            self.tasks.setdefault(task.patient_id, []).append(task)

    def line(self, tile: Tile, *, alarms: Sequence[AlarmLine], holder: str | None) -> SheetLine:
        """One patient of the sheet."""
        patient = tile.patient
        if patient is None:
            raise ValueError("an empty bed is not handed over")
        who = self.who[patient.id]
        remark = self.remarks.get(patient.id)
        return SheetLine(
            bed_label=tile.bed_label,
            patient=patient,
            hospital_number=who.hospital_number,
            spo2_scale=who.spo2_scale,
            here_since=who.here_since,
            holder=holder,
            news=tile.news,
            news_before=self.before.get(patient.id),
            open_alarms=tuple(alarms),
            alarms=self._alarms(patient.id),
            trends=_trends(tile, self.spans.get(patient.id)),
            oxygen_l_min=tile.oxygen_l_min,
            consciousness=tile.consciousness,
            silent_since=tile.device.silent_since if tile.device else None,
            notes=tuple(_written(row) for row in self.notes.get(patient.id, ())),
            pauses=tuple(
                Paused(kind=row.kind, reason=row.reason, note=row.note, ends_at=row.ends_at)
                for row in self.pauses.get(patient.id, ())
            ),
            due_at=tile.observations_due_at,
            tasks=tuple(self.tasks.get(patient.id, ())),
            remark=_written(remark) if remark else None,
        )

    def _alarms(self, patient_id: UUID) -> AlarmsOfShift:
        row, longest = self.answered.get(patient_id), self.longest.get(patient_id)
        if row is None:
            return sheet.NO_ALARMS
        return AlarmsOfShift(
            count=row.alarms,
            times=int(row.times),
            high=row.high,
            technical=row.technical,
            taken=row.taken,
            alone=row.alone,
            waiting=row.waiting,
            longest=tiles.line(longest) if longest else None,
            longest_s=int(longest.lasted_s) if longest else 0,
        )


def _grouped(rows: Sequence[Row[Any]]) -> Mapping[UUID, list[Row[Any]]]:
    found: dict[UUID, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.patient_id, []).append(row)
    return found


def _written(row: Row[Any]) -> Written:
    return Written(text=row.text, at=row.at, by=row.name)


def _trends(tile: Tile, span: Row[Any] | None) -> tuple[Trend, ...]:
    """The vitals that were measured in the shift or are known now."""
    cells = {cell.name: cell for cell in tile.cells}
    values = span._mapping if span is not None else {}
    found = []
    for vital in VITALS:
        cell = cells[CELL_OF.get(vital, vital)]
        # A pulse by oximetry stands for the heart rate where there is no other.
        source = "pulse_rate" if vital == "heart_rate" and values.get("heart_rate_first") is None else vital
        first, low, high = (values.get(f"{source}_{part}") for part in ("first", "low", "high"))
        if first is None and cell.value is None:
            continue
        known = [value for value in (low, high, cell.value) if value is not None]
        found.append(
            Trend(
                vital=vital,
                first=first,
                last=cell.value,
                at=cell.at,
                stale=cell.stale or cell.sensor_off,
                low=min(known),
                high=max(known),
            )
        )
    return tuple(found)


def remark(session: Session, actor: Actor, *, patient_id: UUID, written: str, now: datetime) -> None:
    """Say something about a patient to the next shift; the newest remark stands, an empty one takes it away."""
    session.add(
        HandoverRemark(
            id=clock.new_id(), patient_id=patient_id, account_id=actor.account_id, at=now, text=written
        )
    )
    session.flush()
    audit.record(session, "handover.remarked", patient_ids=[patient_id])
    events.record(session, TasksChanged(patient_id=patient_id))


def accept(
    session: Session, actor: Actor, ward: Ward, *, handover_id: UUID, since: datetime, now: datetime
) -> bool:
    """Accept duty in a ward, and keep the sheet as it was then. `handover_id` is the form's own: False for a resend."""
    roster.accept(session, actor, ward.id, now=now)
    handed = build(session, ward, since=since, now=now)
    query = insert(Handover).values(
        id=handover_id, ward_id=ward.id, at=now, accepted_by=actor.account_id, sheet=sheet.plain(handed)
    )
    if session.execute(query.on_conflict_do_nothing().returning(Handover.id)).first() is None:
        return False
    audit.record(
        session,
        "handover.accepted",
        ward_id=ward.id,
        subject=("handover", handover_id),
        patient_ids=[line.patient.id for line in handed.lines],
    )
    return True


_PAST = """
SELECT h.id, h.at, a.name, {columns} FROM handover h JOIN account a ON a.id = h.accepted_by
WHERE h.ward_id = :ward AND {condition} ORDER BY h.at DESC LIMIT :most
"""


def earlier(session: Session, ward_id: UUID, *, now: datetime) -> list[Past]:
    """The newest handovers of a ward."""
    query = _PAST.format(columns="NULL AS sheet", condition="h.at <= :now")
    rows = session.execute(text(query), {"ward": ward_id, "now": now, "most": EARLIER})
    return [Past(id=row.id, at=row.at, by=row.name) for row in rows]


def stored(session: Session, ward_id: UUID, handover_id: UUID) -> tuple[Past, Sheet]:
    """What was handed over then; raises NotFoundError for another ward's as for none."""
    query = _PAST.format(columns="h.sheet", condition="h.id = :id")
    row = session.execute(text(query), {"ward": ward_id, "id": handover_id, "most": 1}).first()
    if row is None:
        raise NotFoundError("There is no such handover.")
    return Past(id=row.id, at=row.at, by=row.name), sheet.read(row.sheet)
