"""The sheet of a handover built from what is stored: a fixed number of statements, however many lie in a ward."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.alerts import limit_cells, limit_versions, queries, scores, sheet, tiles
from silverwatch.domain.alerts.board import AlarmLine, Tile
from silverwatch.domain.alerts.rule_models import RULE_NAME
from silverwatch.domain.alerts.sheet import (
    AlarmsOfShift,
    MedicationsOfShift,
    OwnLimit,
    Paused,
    Sheet,
    SheetLine,
    Trend,
    Written,
)
from silverwatch.domain.readings import history
from silverwatch.domain.records import assessments, due_doses, goals, tasks
from silverwatch.domain.records.assessments import DueAssessment
from silverwatch.domain.records.due_doses import DoseView
from silverwatch.domain.records.tasks import TaskView
from silverwatch.domain.wards import allocation, roster
from silverwatch.domain.wards.models import Ward

AHEAD: Final = timedelta(hours=12)
"""What is to be done in the shift that comes, however long it is."""
NOTES: Final = 2
NEEDED: Final = timedelta(hours=12)
"""What was given as needed in so long is handed over."""
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
SELECT DISTINCT ON (a.patient_id) a.*, k.at AS acknowledged_at, NULL AS acknowledged_by, NULL AS serial,
       {RULE_NAME}, NULL AS bed_id, NULL AS bed_label,
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
_LIMITS = """
SELECT patient_id, cells FROM limit_version WHERE patient_id = ANY(:patients) AND superseded_at IS NULL
"""
_REMARKS = """
SELECT DISTINCT ON (r.patient_id) r.patient_id, r.text, r.at, a.name
FROM handover_remark r JOIN account a ON a.id = r.account_id
WHERE r.patient_id = ANY(:patients) AND r.at >= :since ORDER BY r.patient_id, r.at DESC, r.id DESC
"""


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
        self.now = now
        params = {"patients": patients, "since": since, "now": now, "most": NOTES}

        def ask(query: str) -> Sequence[Row[Any]]:
            return session.execute(text(query), params).all() if patients else []

        self.who = {row.patient_id: row for row in ask(_WHO)}
        self.answered = {row.patient_id: row for row in ask(_ANSWERED)}
        self.longest = {row.patient_id: row for row in ask(_LONGEST)}
        self.notes = _grouped(ask(_NOTES))
        self.pauses = _grouped(ask(_PAUSES))
        self.limits = {row.patient_id: _own(limit_versions.alive(row.cells, now=now)) for row in ask(_LIMITS)}
        self.remarks = {row.patient_id: row for row in ask(_REMARKS)}
        scales = {patient_id: row.spo2_scale for patient_id, row in self.who.items()}
        self.before = scores.scores_at(session, scales, since) if patients else {}
        self.spans = history.spans(session, patients, (*VITALS, "pulse_rate"), since=since, until=now)
        self.tasks: dict[UUID, list[TaskView]] = {}
        for task in tasks.open_tasks(session, patients, until=now + AHEAD):
            self.tasks.setdefault(task.patient_id, []).append(task)
        self.goals = goals.open_goals(session, patients)
        self.assessments: dict[UUID, list[DueAssessment]] = {}
        for item in assessments.due(session, patients, until=now + AHEAD):
            self.assessments.setdefault(item.patient_id, []).append(item)
        self.doses = due_doses.open_doses(session, patients, until=now, now=now, zone=clock.site_zone())
        self.needed: dict[UUID, list[DoseView]] = {}
        for dose in due_doses.recorded(session, patients, since=now - NEEDED) if patients else ():
            if dose.due_at is None and dose.is_given:
                self.needed.setdefault(dose.patient_id, []).append(dose)

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
            limits=self.limits.get(patient.id, ()),
            pauses=tuple(
                Paused(kind=row.kind, reason=row.reason, note=row.note, ends_at=row.ends_at)
                for row in self.pauses.get(patient.id, ())
            ),
            due_at=tile.observations_due_at,
            tasks=tuple(self.tasks.get(patient.id, ())),
            remark=_written(remark) if remark else None,
            goals=tuple(what for _, what in self.goals.get(patient.id, ())),
            assessments=tuple(self.assessments.get(patient.id, ())),
            medications=MedicationsOfShift(
                waiting=tuple(
                    dose
                    for dose in self.doses.get(patient.id, ())
                    if dose.state(self.now) in ("late", "unrecorded")
                ),
                needed=tuple(self.needed.get(patient.id, ())),
            ),
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


def _own(cells: limit_cells.Owned) -> tuple[OwnLimit, ...]:
    """The bounds among the cells that were set for a patient."""
    return tuple(
        OwnLimit(
            vital=key.vital,
            cell=key.cell,
            value=None if own.off or not isinstance(own.value, int | float) else own.value,
            until=own.until,
        )
        for key, own in cells.items()
        if key.cell in limit_cells.SIDE_OF
    )


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
