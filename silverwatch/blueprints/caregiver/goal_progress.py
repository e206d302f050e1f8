"""Progress of a goal that should not have been written is struck out, and stays readable."""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.goals import ONE, EndForm
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.blueprints.caregiver.record import MIN_REASON, keepable
from silverwatch.domain.access import Permission
from silverwatch.domain.records import goal_progress, goals, notes
from silverwatch.web import auditing, fields, gates, login, pages

URL: Final = f"{ONE}/progress/<uuid:progress_id>/strike-out"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=progress_strike_form)
    blueprint.add_url_rule(URL, view_func=strike_progress, methods=["POST"])


@gates.need(Permission.KEEP_RECORD)
def progress_strike_form(patient_id: UUID, goal_id: UUID, progress_id: UUID) -> Response:
    """Why should it not have been written?"""
    return _page(patient_id, goal_id, progress_id, EndForm())


@gates.need(Permission.KEEP_RECORD)
def strike_progress(patient_id: UUID, goal_id: UUID, progress_id: UUID) -> Response:
    """Strike it out. Of two who do, the first one's reason stands."""
    form = EndForm(because=fields.line(request.form, "because", most=goals.MOST_REASON))
    if not MIN_REASON <= len(form.because) <= goals.MOST_REASON:
        form.errors["because"] = f"Say why in {MIN_REASON} to {goals.MOST_REASON} characters."
    with db.transaction() as session:
        keepable(session, patient_id)
        goal = goals.lock(session, patient_id, goal_id)
        written = goal_progress.progress_of(session, goal, progress_id)
        if not form.errors:
            goal_progress.strike_out(
                session, login.actor(), goal, written, because=form.because, now=clock.now()
            )
    if form.errors:
        return _page(patient_id, goal_id, progress_id, form, status=422)
    return make_response(redirect(f"/patients/{patient_id}/plan/goals/{goal_id}#progress", 303))


def _page(
    patient_id: UUID, goal_id: UUID, progress_id: UUID, form: EndForm, *, status: int = 200
) -> Response:
    with db.transaction(read_only=True) as session:
        place = keepable(session, patient_id)
        found = goals.goal_of(session, patient_id, goal_id)
        goal_progress.among(found.progress, progress_id)
        written = notes.count(session, patient_id)
    auditing.viewed("plan", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "Strike out progress"
    return pages.answer(
        "caregiver/goal_progress.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        frame=frame(login.actor(), place, notes_written=written),
        goal=found,
        progress=goal_progress.among(found.progress, progress_id),
        form=form,
    )
