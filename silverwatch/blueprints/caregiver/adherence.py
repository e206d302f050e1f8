"""Adherence of a patient: `/patients/<id>/medications/adherence`, day by day and as a file."""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.medications import URL
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.domain import audit
from silverwatch.domain.access import Permission, may_keep_rounds
from silverwatch.domain.alerts import reach
from silverwatch.domain.records import notes
from silverwatch.domain.records.adherence import UNRECORDED_WORD, Adherence
from silverwatch.domain.records.adherence_queries import DAYS, adherence
from silverwatch.domain.records.doses import BACK
from silverwatch.domain.records.due_doses import DoseView
from silverwatch.web import auditing, filters, gates, login, pages, spreadsheet

HEAD: Final = (
    "due_at (UTC)", "medication", "dose", "outcome", "at (UTC)", "reason", "note", "recorded by",
    "entered_at (UTC)", "struck_out_at (UTC)", "struck_out_by", "struck_out_because",
)  # fmt: skip


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(f"{URL}/adherence", view_func=adherence_page)
    blueprint.add_url_rule(f"{URL}/adherence.csv", view_func=adherence_file)


@gates.need(Permission.SEE_PATIENT)
def adherence_page(patient_id: UUID) -> Response:
    """How much of what was due was given?"""
    actor, now, zone, days = login.actor(), clock.now(), clock.site_zone(), _days()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        found, _ = adherence(session, patient_id, days=days, now=now, zone=zone)
        written = notes.count(session, patient_id)
    auditing.viewed("medications", patient_ids=[patient_id], ward_id=place.ward_id)
    return pages.answer(
        "caregiver/adherence.html",
        "Adherence",
        frame=frame(actor, place, notes_written=written),
        adherence=found,
        days=days,
        choices=DAYS,
        record_since=now - BACK,
        may_record=may_keep_rounds(actor, patient_id, ward_id=place.ward_id),
        now=now,
    )


@gates.need(Permission.SEE_PATIENT)
def adherence_file(patient_id: UUID) -> Response:
    """Each dose as a line: what was recorded, also what was struck out, and what was not recorded."""
    actor, now, zone, days = login.actor(), clock.now(), clock.site_zone(), _days()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        found, recorded = adherence(session, patient_id, days=days, now=now, zone=zone)
    rows = _lines(found, recorded)
    with db.transaction() as session:
        detail = {"days": days, "rows": len(rows)}
        audit.record(session, "medications.exported", patient_ids=[patient_id], detail=detail)
    name = f"medications-{place.hospital_number}-{filters.day(now)}-{days}d.csv"
    return spreadsheet.file(name, [HEAD, *rows])


def _days() -> int:
    asked = request.args.get("days", "")
    return next((item for item in DAYS if str(item) == asked), DAYS[0])


def _lines(found: Adherence, recorded: list[DoseView]) -> list[tuple[object, ...]]:
    """The newest first."""
    rows = [(dose.of_at, _line(dose)) for dose in recorded]
    for item in found.medications:
        rows += [
            (slot.at, (slot.at.isoformat(), item.name, "", "not recorded", *[""] * 8))
            for slots in item.days.values()
            for slot in slots
            if slot.outcome == UNRECORDED_WORD
        ]
    return [line for _, line in sorted(rows, key=lambda row: row[0], reverse=True)]


def _line(dose: DoseView) -> tuple[object, ...]:
    return (
        dose.due_at.isoformat() if dose.due_at else "as needed", dose.name, dose.dose, dose.outcome,
        dose.at.isoformat(), dose.reason, dose.note, dose.by, dose.entered_at.isoformat(),
        dose.struck_at.isoformat() if dose.struck_at else "", dose.struck_by, dose.struck_because,
    )  # fmt: skip
