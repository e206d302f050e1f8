"""Assessments of a care plan: recorded, looked at, corrected. Nothing is removed."""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.blueprints.caregiver import assessment_form as forms
from silverwatch.blueprints.caregiver.assessment_form import AssessmentForm
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.blueprints.caregiver.plan import URL as PLAN
from silverwatch.blueprints.caregiver.record import keepable
from silverwatch.domain.access import Permission, may_keep_record
from silverwatch.domain.alerts import reach
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records import assessments, instruments, notes
from silverwatch.domain.records.assessments import AssessmentView
from silverwatch.domain.records.instruments import Instrument
from silverwatch.web import auditing, gates, login, pages

NEW: Final = f"{PLAN}/assess/<instrument>"
ONE: Final = f"{PLAN}/assessments/<uuid:assessment_id>"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    add = blueprint.add_url_rule
    add(NEW, view_func=assessment_form)
    add(NEW, view_func=record_assessment, methods=["POST"])
    add(ONE, view_func=assessment)
    add(f"{ONE}/correction", view_func=assessment_correction)
    add(f"{ONE}/correction", view_func=correct_assessment, methods=["POST"])


@gates.need(Permission.KEEP_RECORD)
def assessment_form(patient_id: UUID, instrument: str) -> Response:
    """Assess the patient."""
    asked = _known(instrument)
    return _form(patient_id, asked, forms.new(asked, now=clock.now()))


@gates.need(Permission.KEEP_RECORD)
def record_assessment(patient_id: UUID, instrument: str) -> Response:
    """Keep the answers."""
    asked, now = _known(instrument), clock.now()
    form = forms.read(request.form, asked, now=now)
    with db.transaction() as session:
        keepable(session, patient_id)
        if form.says is not None:
            assessments.record(
                session, login.actor(),
                assessment_id=form.form_id, patient_id=patient_id, says=form.says, now=now,
            )  # fmt: skip
    if form.says is None:
        return _form(patient_id, asked, form, status=422)
    return _back(patient_id)


@gates.need(Permission.SEE_PATIENT)
def assessment(patient_id: UUID, assessment_id: UUID) -> Response:
    """What was answered?"""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        found = assessments.assessment_of(session, patient_id, assessment_id)
        written = notes.count(session, patient_id)
    auditing.viewed("plan", patient_ids=[patient_id], ward_id=place.ward_id)
    return pages.answer(
        "caregiver/assessment.html",
        "Assessment",
        frame=frame(actor, place, notes_written=written),
        assessment=found,
        answers=instruments.chosen(found.instrument, found.answers),
        may_keep=may_keep_record(actor, patient_id, ward_id=place.ward_id),
        now=now,
    )


@gates.need(Permission.KEEP_RECORD)
def assessment_correction(patient_id: UUID, assessment_id: UUID) -> Response:
    """What does it say, and what is right?"""
    with db.transaction(read_only=True) as session:
        keepable(session, patient_id)
        found = assessments.assessment_of(session, patient_id, assessment_id)
    return _form(patient_id, found.instrument, forms.of_assessment(found), stands=found)


@gates.need(Permission.KEEP_RECORD)
def correct_assessment(patient_id: UUID, assessment_id: UUID) -> Response:
    """Strike it out for a reason; the right one stands beside it."""
    now = clock.now()
    with db.transaction() as session:
        keepable(session, patient_id)
        wrong = assessments.lock(session, patient_id, assessment_id)
        stands = assessments.assessment_of(session, patient_id, assessment_id)
        form = forms.read(request.form, stands.instrument, now=now, stands=stands)
        try:
            if not form.errors:
                assessments.correct(
                    session, login.actor(), wrong,
                    because=form.because, right=form.says, assessment_id=form.form_id, now=now,
                )  # fmt: skip
        except ConflictError as error:
            form.errors["form"] = str(error)
    if form.errors:
        return _form(patient_id, stands.instrument, form, stands=stands, status=422)
    return _back(patient_id)


def _known(name: str) -> Instrument:
    found = instruments.CURRENT.get(name)
    if found is None:
        raise NotFoundError("There is no such assessment.")
    return found


def _back(patient_id: UUID) -> Response:
    return make_response(redirect(f"/patients/{patient_id}/plan#assessments", 303))


def _form(
    patient_id: UUID,
    asked: Instrument,
    form: AssessmentForm,
    *,
    stands: AssessmentView | None = None,
    status: int = 200,
) -> Response:
    with db.transaction(read_only=True) as session:
        place = keepable(session, patient_id)
        written = notes.count(session, patient_id)
    auditing.viewed("plan", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "Correct an assessment" if stands else "Assessment"
    return pages.answer(
        "caregiver/assessment_form.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        frame=frame(login.actor(), place, notes_written=written),
        instrument=asked,
        form=form,
        stands=stands,
        again_h=sorted({*assessments.AGAIN_H, *({stands.again_h} if stands and stands.again_h else set())}),
        now=clock.now(),
    )
