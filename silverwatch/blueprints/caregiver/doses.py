"""What became of doses: one tap for given, a form for all else, corrections, undo. Two who record at once are told."""

from datetime import datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.blueprints.caregiver import dose_form as forms
from silverwatch.blueprints.caregiver import round_answer
from silverwatch.blueprints.caregiver.dose_form import DoseForm
from silverwatch.blueprints.caregiver.medications import ONE
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.domain.access import Permission, may_keep_rounds
from silverwatch.domain.alerts import reach
from silverwatch.domain.alerts.reach import Place
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records import doses, medications, notes
from silverwatch.domain.records.dose_models import MedicationDose
from silverwatch.domain.records.doses import WarnedError
from silverwatch.web import auditing, gates, login, pages
from silverwatch.web.hypermedia import is_htmx

DUE: Final = f"{ONE}/due/<int:due_ms>"
DOSES: Final = f"{ONE}/doses"
GIVEN: Final = f"{DOSES}/<uuid:dose_id>"
LAST_MS: Final = 4_102_444_800_000
"""The year 2100: a moment after it is no dose."""


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    add = blueprint.add_url_rule
    add(DUE, view_func=due_form)
    add(DUE, view_func=record_due, methods=["POST"])
    add(f"{DOSES}/new", view_func=dose_form)
    add(DOSES, view_func=record_dose, methods=["POST"])
    add(f"{GIVEN}/correction", view_func=dose_correction)
    add(f"{GIVEN}/correction", view_func=correct_dose, methods=["POST"])
    add(f"{GIVEN}/undo", view_func=undo_dose, methods=["POST"])


@gates.need(Permission.KEEP_ROUNDS)
def due_form(patient_id: UUID, medication_id: UUID, due_ms: int) -> Response:
    """What became of this dose?"""
    return _form(patient_id, medication_id, forms.empty(clock.now(), outcome=""), due_at=_moment(due_ms))


@gates.need(Permission.KEEP_ROUNDS)
def record_due(patient_id: UUID, medication_id: UUID, due_ms: int) -> Response:
    """Keep it, once for each dose that is due."""
    actor, now, due_at = login.actor(), clock.now(), _moment(due_ms)
    form = forms.read(request.form, now=now, due_at=due_at)
    with db.transaction() as session:
        _place(session, patient_id)
        medication = medications.locked(session, patient_id, medication_id)
        if form.entry is not None:
            doses.record_due(session, actor, medication, form.entry, due_at=due_at, now=now)
    if form.errors:
        return _form(patient_id, medication_id, form, due_at=due_at, status=422)
    return _done(patient_id)


@gates.need(Permission.KEEP_ROUNDS)
def dose_form(patient_id: UUID, medication_id: UUID) -> Response:
    """Give a dose as needed."""
    return _form(patient_id, medication_id, forms.empty(clock.now()), due_at=None)


@gates.need(Permission.KEEP_ROUNDS)
def record_dose(patient_id: UUID, medication_id: UUID) -> Response:
    """Keep a dose as needed. One that comes too soon or is one too many is looked at twice, and needs a reason."""
    actor, now = login.actor(), clock.now()
    form = forms.read(request.form, now=now, due_at=None)
    try:
        with db.transaction() as session:
            _place(session, patient_id)
            medication = medications.locked(session, patient_id, medication_id)
            if form.entry is not None:
                doses.record_needed(session, actor, medication, form.entry, dose_id=form.form_id, now=now)
    except WarnedError as error:
        form.warned, form.near_by = error.found, error.by
    if form.errors or form.warned:
        return _form(patient_id, medication_id, form, due_at=None, status=422)
    return _done(patient_id)


@gates.need(Permission.KEEP_ROUNDS)
def dose_correction(patient_id: UUID, medication_id: UUID, dose_id: UUID) -> Response:
    """What was recorded, and what is right?"""
    with db.transaction(read_only=True) as session:
        _place(session, patient_id)
        wrong = doses.dose_of(session, patient_id, medication_id, dose_id)
        form = forms.of_dose(wrong)
    return _form(patient_id, medication_id, form, due_at=wrong.due_at, wrong=wrong)


@gates.need(Permission.KEEP_ROUNDS)
def correct_dose(patient_id: UUID, medication_id: UUID, dose_id: UUID) -> Response:
    """Strike it out for a reason; the right one stands beside it."""
    actor, now = login.actor(), clock.now()
    with db.transaction() as session:
        _place(session, patient_id)
        medication = medications.locked(session, patient_id, medication_id)
        wrong = doses.dose_of(session, patient_id, medication_id, dose_id, lock=True)
        form = forms.read(request.form, now=now, due_at=wrong.due_at, stands=wrong)
        if not form.errors:
            try:
                doses.correct(
                    session, actor, medication, wrong, because=form.because, right=form.entry, now=now
                )
            except ConflictError as error:
                form.errors["form"] = str(error)
    if form.errors:
        return _form(patient_id, medication_id, form, due_at=wrong.due_at, wrong=wrong, status=422)
    return _done(patient_id)


@gates.need(Permission.KEEP_ROUNDS)
def undo_dose(patient_id: UUID, medication_id: UUID, dose_id: UUID) -> Response:
    """It was recorded by mistake."""
    with db.transaction() as session:
        _place(session, patient_id)
        medication = medications.locked(session, patient_id, medication_id)
        dose = doses.dose_of(session, patient_id, medication_id, dose_id, lock=True)
        doses.undo(session, login.actor(), medication, dose, now=clock.now())
    return _done(patient_id)


def _moment(due_ms: int) -> datetime:
    if due_ms > LAST_MS:
        raise NotFoundError("There is no such dose.")
    return clock.from_epoch_ms(due_ms)


def _place(session: Session, patient_id: UUID) -> Place:
    """A patient whose doses this actor may record; raises NotFoundError for any other one."""
    actor = login.actor()
    place = reach.patient_for(session, actor, patient_id, now=clock.now())
    if not may_keep_rounds(actor, patient_id, ward_id=place.ward_id):
        raise NotFoundError("There is no such patient.")
    return place


def _done(patient_id: UUID) -> Response:
    if is_htmx():
        return round_answer.shown()
    back = pages.local_path(request.form.get("next")) or f"/patients/{patient_id}/medications"
    return make_response(redirect(back, 303))


def _form(
    patient_id: UUID,
    medication_id: UUID,
    form: DoseForm,
    *,
    due_at: datetime | None,
    wrong: MedicationDose | None = None,
    status: int = 200,
) -> Response:
    with db.transaction(read_only=True) as session:
        place = _place(session, patient_id)
        found = medications.view(session, patient_id, medication_id)
        written = notes.count(session, patient_id)
    auditing.viewed("medications", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "Correct a dose" if wrong else "Record a dose"
    return pages.answer(
        "caregiver/dose.html",
        f"Error: {title}" if status == 422 else title,
        status=status,
        frame=frame(login.actor(), place, notes_written=written),
        medication=found,
        form=form,
        due_at=due_at,
        wrong=wrong,
        now=clock.now(),
    )
