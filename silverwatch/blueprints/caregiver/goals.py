"""Goals of a care plan: set, changed, followed, ended. Nothing is removed."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.blueprints.caregiver import goal_form as forms
from silverwatch.blueprints.caregiver.goal_form import GoalForm
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.blueprints.caregiver.plan import URL as PLAN
from silverwatch.blueprints.caregiver.record import MIN_REASON, keepable
from silverwatch.domain.access import Permission, may_keep_record
from silverwatch.domain.alerts import reach
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.readings.queries import latest_of
from silverwatch.domain.readings.unit_choices import units_of
from silverwatch.domain.records import goal_progress, goals, notes
from silverwatch.domain.records.goals import GoalView
from silverwatch.web import auditing, fields, gates, login, pages

URL: Final = f"{PLAN}/goals"
ONE: Final = f"{URL}/<uuid:goal_id>"


@dataclass(slots=True, kw_only=True)
class EndForm:
    """How a goal ends, as it was sent."""

    ended_as: str = ""
    because: str = ""
    cancel_tasks: bool = False
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class ProgressForm:
    """How far it is, as it was sent. `form_id` makes a resend the same."""

    form_id: UUID
    text: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    add = blueprint.add_url_rule
    add(f"{URL}/new", view_func=goal_form)
    add(URL, view_func=set_goal, methods=["POST"])
    add(ONE, view_func=goal)
    add(f"{ONE}/progress", view_func=add_progress, methods=["POST"])
    add(f"{ONE}/change", view_func=goal_change_form)
    add(f"{ONE}/change", view_func=change_goal, methods=["POST"])
    add(f"{ONE}/end", view_func=goal_end_form)
    add(f"{ONE}/end", view_func=end_goal, methods=["POST"])


@gates.need(Permission.KEEP_RECORD)
def goal_form(patient_id: UUID) -> Response:
    """Set a goal."""
    with db.transaction(read_only=True) as session:
        units = units_of(session, login.actor().account_id)
    return _form(patient_id, None, GoalForm(form_id=clock.new_id(), units=units))


@gates.need(Permission.KEEP_RECORD)
def set_goal(patient_id: UUID) -> Response:
    """Keep it."""
    form = forms.read(request.form)
    with db.transaction() as session:
        keepable(session, patient_id)
        if form.says is not None:
            goals.set_goal(
                session, login.actor(),
                goal_id=form.form_id, patient_id=patient_id, says=form.says, now=clock.now(),
            )  # fmt: skip
    if form.says is None:
        return _form(patient_id, None, form, status=422)
    return _back(patient_id, form.form_id)


@gates.need(Permission.SEE_PATIENT)
def goal(patient_id: UUID, goal_id: UUID) -> Response:
    """How far is it, what is done for it, and what did it say before?"""
    return _one(patient_id, goal_id, ProgressForm(form_id=clock.new_id()))


@gates.need(Permission.KEEP_RECORD)
def add_progress(patient_id: UUID, goal_id: UUID) -> Response:
    """Write how far it is."""
    form = ProgressForm(
        form_id=fields.identity(request.form.get("form_id")) or clock.new_id(),
        text=fields.line(request.form, "text", most=goals.MOST_PROGRESS),
    )
    if not form.text:
        form.errors["text"] = "Write how far it is."
    elif len(form.text) > goals.MOST_PROGRESS:
        form.errors["text"] = f"Write at most {goals.MOST_PROGRESS} characters."
    with db.transaction() as session:
        keepable(session, patient_id)
        found = goals.lock_open(session, patient_id, goal_id)
        if not form.errors:
            goal_progress.add(
                session, login.actor(), found, progress_id=form.form_id, written=form.text, now=clock.now()
            )
    if form.errors:
        return _one(patient_id, goal_id, form, status=422)
    return make_response(redirect(f"/patients/{patient_id}/plan/goals/{goal_id}", 303))


@gates.need(Permission.KEEP_RECORD)
def goal_change_form(patient_id: UUID, goal_id: UUID) -> Response:
    """Change what it says: what it said before stays."""
    with db.transaction(read_only=True) as session:
        keepable(session, patient_id)
        found = goals.goal_of(session, patient_id, goal_id)
        units = units_of(session, login.actor().account_id)
    return _form(patient_id, found, forms.of_goal(found, units))


@gates.need(Permission.KEEP_RECORD)
def change_goal(patient_id: UUID, goal_id: UUID) -> Response:
    """Add a version."""
    with db.transaction() as session:
        keepable(session, patient_id)
        locked = goals.lock_open(session, patient_id, goal_id)
        stands = goals.goal_of(session, patient_id, goal_id)
        form = forms.read(request.form, stands=stands.says)
        try:
            if form.says is not None:
                goals.change(session, login.actor(), locked, seen=form.seen, says=form.says, now=clock.now())
        except ConflictError as error:
            form.errors["form"] = str(error)
    if form.errors:
        return _form(patient_id, stands, form, status=422)
    return _back(patient_id, goal_id)


@gates.need(Permission.KEEP_RECORD)
def goal_end_form(patient_id: UUID, goal_id: UUID) -> Response:
    """Was it met?"""
    return _ending(patient_id, goal_id, EndForm())


@gates.need(Permission.KEEP_RECORD)
def end_goal(patient_id: UUID, goal_id: UUID) -> Response:
    """It ends; it stays readable."""
    sent = request.form
    form = EndForm(
        ended_as=sent.get("ended_as", ""),
        because=fields.line(sent, "because", most=goals.MOST_REASON),
        cancel_tasks=bool(sent.get("cancel_tasks")),
    )
    if form.ended_as not in goals.ENDS:
        form.errors["ended_as"] = "Choose how it ends."
    if not MIN_REASON <= len(form.because) <= goals.MOST_REASON:
        form.errors["because"] = f"Say why in {MIN_REASON} to {goals.MOST_REASON} characters."
    with db.transaction() as session:
        keepable(session, patient_id)
        found = goals.lock(session, patient_id, goal_id)
        if not form.errors:
            goals.end(
                session, login.actor(), found,
                ended_as=form.ended_as, because=form.because, cancel_tasks=form.cancel_tasks, now=clock.now(),
            )  # fmt: skip
    if form.errors:
        return _ending(patient_id, goal_id, form, status=422)
    return make_response(redirect(f"/patients/{patient_id}/plan", 303))


def _back(patient_id: UUID, goal_id: UUID) -> Response:
    return make_response(redirect(f"/patients/{patient_id}/plan#goal-{goal_id}", 303))


def _form(patient_id: UUID, stands: GoalView | None, form: GoalForm, *, status: int = 200) -> Response:
    with db.transaction(read_only=True) as session:
        place = keepable(session, patient_id)
        latest = latest_of(session, patient_id)
        written = notes.count(session, patient_id)
    auditing.viewed("plan", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "Change a goal" if stands else "Set a goal"
    return pages.answer(
        "caregiver/goal_form.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        frame=frame(login.actor(), place, notes_written=written),
        heading=title,
        stands=stands,
        form=form,
        vitals=forms.VITALS,
        latest=latest,
        now=clock.now(),
    )


def _one(patient_id: UUID, goal_id: UUID, form: ProgressForm, *, status: int = 200) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        found = goals.goal_of(session, patient_id, goal_id)
        latest = latest_of(session, patient_id)
        units = units_of(session, actor.account_id)
        written = notes.count(session, patient_id)
    auditing.viewed("plan", patient_ids=[patient_id], ward_id=place.ward_id)
    return pages.answer(
        "caregiver/goal.html",
        "Error: Goal" if form.errors else "Goal",
        status=status,
        frame=frame(actor, place, notes_written=written),
        goal=found,
        latest=latest,
        units=units,
        form=form,
        most=goals.MOST_PROGRESS,
        may_keep=may_keep_record(actor, patient_id, ward_id=place.ward_id),
        now=now,
    )


def _ending(patient_id: UUID, goal_id: UUID, form: EndForm, *, status: int = 200) -> Response:
    with db.transaction(read_only=True) as session:
        place = keepable(session, patient_id)
        found = goals.goal_of(session, patient_id, goal_id)
        latest = latest_of(session, patient_id)
        units = units_of(session, login.actor().account_id)
        written = notes.count(session, patient_id)
    auditing.viewed("plan", patient_ids=[patient_id], ward_id=place.ward_id)
    return pages.answer(
        "caregiver/goal_end.html",
        "Error: End a goal" if form.errors else "End a goal",
        status=status,
        frame=frame(login.actor(), place, notes_written=written),
        goal=found,
        latest=latest,
        units=units,
        form=form,
        ends=goals.ENDS,
        now=clock.now(),
    )
