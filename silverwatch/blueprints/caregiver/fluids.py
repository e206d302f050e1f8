"""What went into a patient and what came out: `/patients/<id>/fluids`, and as a file."""

import csv
import io
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy import Row

from silverwatch import clock, db
from silverwatch.blueprints.caregiver import fluid_form as forms
from silverwatch.blueprints.caregiver.fluid_form import FluidForm
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import reach
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.readings import fluids
from silverwatch.domain.readings.fluid_balance import INTAKE, KINDS, OUTPUT
from silverwatch.domain.readings.models import Fluid
from silverwatch.domain.records import notes
from silverwatch.web import auditing, filters, fluid_chart, gates, login, pages

URL: Final = "/patients/<uuid:patient_id>/fluids"
ONE: Final = f"{URL}/<uuid:fluid_id>/correction"
HOURS: Final = (24, 72, 168, 720)
SHOWN: Final = 500
IN_A_FILE: Final = 5000
HEAD: Final = (
    "at (UTC)", "direction", "kind", "what", "ml", "entered by", "entered_at (UTC)", "replaces (id)", "id",
    "struck_out_at (UTC)", "struck_out_by", "struck_out_because",
)  # fmt: skip


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=fluid_list)
    blueprint.add_url_rule(URL, view_func=record_fluid, methods=["POST"])
    blueprint.add_url_rule(f"{URL}.csv", view_func=fluid_file)
    blueprint.add_url_rule(ONE, view_func=fluid_correction)
    blueprint.add_url_rule(ONE, view_func=correct_fluid, methods=["POST"])


@gates.need(Permission.SEE_PATIENT)
def fluid_list(patient_id: UUID) -> Response:
    """How much went in, how much came out, and what is the balance?"""
    return _page(patient_id, forms.empty(clock.now()))


@gates.need(Permission.RECORD_OBSERVATIONS)
def record_fluid(patient_id: UUID) -> Response:
    """Keep what went in or came out, once by the form's own id."""
    actor, now = login.actor(), clock.now()
    form = forms.read(request.form, now=now)
    with db.transaction() as session:
        reach.patient_for(session, actor, patient_id, now=now)
        if form.entry is not None and fluids.record(
            session, actor, patient_id, form.entry, form_id=form.form_id, now=now
        ):
            detail = {"kind": form.entry.kind, "form": str(form.form_id)}
            audit.record(session, "fluids.recorded", patient_ids=[patient_id], detail=detail)
    if form.entry is None:
        return _page(patient_id, form, status=422)
    return make_response(redirect(f"/patients/{patient_id}/fluids", 303))


@gates.need(Permission.SEE_PATIENT)
def fluid_file(patient_id: UUID) -> Response:
    """All entries as a file, those that were struck out as well."""
    actor, now, hours = login.actor(), clock.now(), _hours()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        found = fluids.entries(session, patient_id, since=now - timedelta(hours=hours), limit=IN_A_FILE)
    with db.transaction() as session:
        detail = {"hours": hours, "rows": len(found)}
        audit.record(session, "fluids.exported", patient_ids=[patient_id], detail=detail)
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\r\n")
    table.writerow(HEAD)
    table.writerows(_line(row) for row in found)
    answer = make_response(written.getvalue())
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    name = f"fluids-{place.hospital_number}-{filters.day(now)}-{hours}h.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@gates.need(Permission.RECORD_OBSERVATIONS)
def fluid_correction(patient_id: UUID, fluid_id: UUID) -> Response:
    """What does the entry say, and what is right?"""
    actor = login.actor()
    with db.transaction(read_only=True) as session:
        reach.patient_for(session, actor, patient_id, now=clock.now())
        wrong = fluids.fluid_of(session, patient_id, fluid_id)
        form = forms.of_entry(wrong)
    return _correction_page(wrong, form)


@gates.need(Permission.RECORD_OBSERVATIONS)
def correct_fluid(patient_id: UUID, fluid_id: UUID) -> Response:
    """Strike the entry out for a reason; the right one stands beside it."""
    actor, now = login.actor(), clock.now()
    with db.transaction() as session:
        reach.patient_for(session, actor, patient_id, now=now)
        wrong = fluids.fluid_of(session, patient_id, fluid_id, lock=True)
        form = forms.read(request.form, now=now, stands=wrong)
        ready = not form.errors and not form.look
        if ready:
            try:
                fluids.correct(
                    session, actor, wrong,
                    because=form.because, right=form.entry, form_id=form.form_id, now=now,
                )  # fmt: skip
                detail = {"entry": str(fluid_id), "because": form.because, "kind": form.change}
                audit.record(session, "fluids.corrected", patient_ids=[patient_id], detail=detail)
            except ConflictError as error:
                form.errors["form"] = str(error)
    if not ready or form.errors:
        return _correction_page(wrong, form, status=422)
    return make_response(redirect(f"/patients/{patient_id}/fluids", 303))


def _hours() -> int:
    asked = request.args.get("hours", "")
    return next((item for item in HOURS if str(item) == asked), HOURS[0])


def _page(patient_id: UUID, form: FluidForm, *, status: int = 200) -> Response:
    actor, now, hours, zone = login.actor(), clock.now(), _hours(), clock.site_zone()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        balance = fluids.balance_of(session, patient_id, now=now, zone=zone)
        kinds = fluids.by_kind(session, patient_id, now=now, zone=zone)
        found = fluids.entries(session, patient_id, since=now - timedelta(hours=hours), limit=SHOWN + 1)
        written = notes.count(session, patient_id)
    auditing.viewed("fluids", patient_ids=[patient_id], ward_id=place.ward_id)
    return pages.answer(
        "caregiver/fluids.html",
        "Error: Fluids" if form.errors else "Fluids",
        status=status,
        form=form,
        frame=frame(actor, place, notes_written=written),
        balance=balance,
        drawing=fluid_chart.draw(balance),
        kinds={kind: kinds[kind] for kind in KINDS if kind in kinds},
        rows=found[:SHOWN],
        has_more=len(found) > SHOWN,
        hours=hours,
        choices=HOURS,
        intake=INTAKE,
        output=OUTPUT,
        may_record=actor.may(Permission.RECORD_OBSERVATIONS),
        now=now,
    )


def _correction_page(wrong: Fluid, form: FluidForm, *, status: int = 200) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, wrong.patient_id, now=now)
        stands = fluids.fluid_of(session, wrong.patient_id, wrong.id)
        written = notes.count(session, wrong.patient_id)
    auditing.viewed("fluids", patient_ids=[wrong.patient_id], ward_id=place.ward_id)
    title = "Correct an entry of fluids"
    return pages.answer(
        "caregiver/fluid_correction.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        form=form,
        frame=frame(actor, place, notes_written=written),
        stands=stands,
        intake=INTAKE,
        output=OUTPUT,
        now=now,
    )


def _line(row: Row[Any]) -> list[Any]:
    struck = row.struck_at.isoformat() if row.struck_at else ""
    return [
        row.at.isoformat(), "in" if row.kind in INTAKE else "out", row.kind, _text(row.what), row.ml,
        _text(row.entered_by), row.entered_at.isoformat(), row.replaces or "", row.id,
        struck, _text(row.struck_name or ""), _text(row.struck_because or ""),
    ]  # fmt: skip


def _text(written: str) -> str:
    """A person's own words: they must not be a formula in a spreadsheet."""
    return written.lstrip("=+-@\t\r ")
