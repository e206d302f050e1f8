"""Tasks for patients: added, ticked, undone, cancelled."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.blueprints.caregiver import round_answer
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.domain.access import Permission, may_keep_rounds
from silverwatch.domain.alerts import reach, rounds
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records import goals, notes, tasks
from silverwatch.domain.records.models import Task
from silverwatch.web import auditing, fields, filters, gates, login, pages
from silverwatch.web.hypermedia import is_htmx

SOON: Final = {"now": 0, "30": 30, "60": 60, "120": 120, "240": 240}
"""Choices of the form: in so many minutes."""
AT: Final = "at"
REPEATS: Final = (1, 2, 3, 4, 6, 8, 12, 24)
MIN_REASON, MAX_REASON = 3, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskForm:
    """A new task as it was sent. `form_id` makes a resend the same task. `at` is a time of the clock, 14:30; `goal` the
    id of a goal of the care plan, or nothing."""

    form_id: UUID
    what: str = ""
    when: str = "60"
    at: str = ""
    repeat: str = ""
    goal: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    url, one = "/patients/<uuid:patient_id>/tasks", "/tasks/<uuid:task_id>"
    blueprint.add_url_rule(url, view_func=tasks_of_patient)
    blueprint.add_url_rule(url, view_func=add_task, methods=["POST"])
    blueprint.add_url_rule(one, view_func=task_page)
    blueprint.add_url_rule(f"{one}/completion", view_func=complete_task, methods=["POST"])
    blueprint.add_url_rule(f"{one}/reopening", view_func=reopen_task, methods=["POST"])
    blueprint.add_url_rule(f"{one}/cancellation", view_func=cancel_task, methods=["POST"])


@gates.need(Permission.KEEP_ROUNDS)
def tasks_of_patient(patient_id: UUID) -> Response:
    """What is to be done for this patient?"""
    return _page(patient_id, TaskForm(form_id=clock.new_id(), goal=request.args.get("goal", "")))


@gates.need(Permission.KEEP_ROUNDS)
def add_task(patient_id: UUID) -> Response:
    """Add a task."""
    actor, now = login.actor(), clock.now()
    form, due_at, repeat_h = _read(request.form, now)
    with db.transaction() as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        if not may_keep_rounds(actor, patient_id, ward_id=place.ward_id):
            raise NotFoundError("There is no such patient.")
        goal_id = _goal(session, patient_id, form)
        if due_at is not None and not form.errors:
            tasks.add(
                session, actor, task_id=form.form_id, patient_id=patient_id, what=form.what, due_at=due_at,
                repeat_h=repeat_h, goal_id=goal_id, now=now,
            )  # fmt: skip
            back = f"plan#goal-{goal_id}" if goal_id else "tasks"
            return make_response(redirect(f"/patients/{patient_id}/{back}", 303))
    return _page(patient_id, form, status=422)


@gates.need(Permission.KEEP_ROUNDS)
def task_page(task_id: UUID) -> Response:
    """One task: do it with a note, or cancel it with a reason."""
    return _one(task_id, {})


@gates.need(Permission.KEEP_ROUNDS)
def complete_task(task_id: UUID) -> Response:
    """It is done."""
    note = fields.line(request.form, "note", most=tasks.MOST_TEXT)[: tasks.MOST_TEXT]
    return _act(task_id, tasks.complete, note=note)


@gates.need(Permission.KEEP_ROUNDS)
def reopen_task(task_id: UUID) -> Response:
    """It was not done after all."""
    return _act(task_id, tasks.reopen)


@gates.need(Permission.KEEP_ROUNDS)
def cancel_task(task_id: UUID) -> Response:
    """It is not to be done."""
    because = fields.line(request.form, "because", most=MAX_REASON)
    if not MIN_REASON <= len(because) <= MAX_REASON:
        return _one(task_id, {"because": f"Say why in {MIN_REASON} to {MAX_REASON} characters."}, status=422)
    return _act(task_id, tasks.cancel, because=because)


def _act(task_id: UUID, verb: Callable[..., Any], **how: str) -> Response:
    """Do it if the patient is the actor's, and show what has changed."""
    actor, now = login.actor(), clock.now()
    with db.transaction() as session:
        task = rounds.task_for(session, actor, task_id, now=now, lock=True)
        verb(session, actor, task, now=now, **how)
        patient_id = task.patient_id
    if is_htmx():
        return round_answer.shown()
    back = pages.local_path(request.form.get("next")) or f"/patients/{patient_id}/tasks"
    return make_response(redirect(back, 303))


def _read(sent: fields.Sent, now: datetime) -> tuple[TaskForm, datetime | None, int | None]:
    form = TaskForm(
        form_id=fields.identity(sent.get("form_id")) or clock.new_id(),
        what=fields.line(sent, "what", most=tasks.MOST_TEXT),
        when=sent.get("when", ""),
        at=fields.line(sent, "at", most=5),
        repeat=sent.get("repeat", ""),
        goal=sent.get("goal", ""),
    )
    if not form.what:
        form.errors["what"] = "Say what is to be done."
    if len(form.what) > tasks.MOST_TEXT:
        form.errors["what"] = f"Say it in {tasks.MOST_TEXT} characters."
    repeat_h = fields.whole(form.repeat, most=tasks.MOST_REPEAT_H)
    if form.repeat and repeat_h not in REPEATS:
        form.errors["repeat"] = "Choose how often from the list."
    return form, _due_at(form, now), repeat_h


def _goal(session: Session, patient_id: UUID, form: TaskForm) -> UUID | None:
    """The goal that the task is for; an error where it is none of this patient's, or has ended."""
    if not form.goal:
        return None
    goal_id = fields.identity(form.goal)
    try:
        if goal_id is not None:
            return goals.lock_open(session, patient_id, goal_id).id
    except (ConflictError, NotFoundError):
        pass
    form.errors["goal"] = "Choose a goal that is open, or none."
    return None


def _due_at(form: TaskForm, now: datetime) -> datetime | None:
    """When the form says that it is due. A time of the clock is the next one: today, or tomorrow."""
    if form.when in SOON:
        return now + timedelta(minutes=SOON[form.when])
    if form.when != AT:
        form.errors["when"] = "Choose when it is due."
        return None
    try:
        wanted = time.fromisoformat(form.at)
    except ValueError:
        form.errors["at"] = "Enter the time that it is due, such as 14:30."
        return None
    zone = ZoneInfo(filters.time_zone())
    today = now.astimezone(zone).date()
    at = datetime.combine(today, wanted.replace(tzinfo=None), zone)
    return at if at > now else datetime.combine(today + timedelta(days=1), wanted.replace(tzinfo=None), zone)


def _page(patient_id: UUID, form: TaskForm, *, status: int = 200) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        found = tasks.open_tasks(session, [patient_id], until=now + tasks.FURTHEST)
        done = tasks.done_since(session, [patient_id], since=now - timedelta(days=1), most=tasks.MOST)
        written = notes.count(session, patient_id)
        choices = goals.open_goals(session, [patient_id]).get(patient_id, [])
    auditing.viewed("tasks", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "Tasks"
    return pages.answer(
        "caregiver/tasks.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        form=form,
        frame=frame(actor, place, notes_written=written),
        tasks=found,
        done=done,
        goals=choices,
        soon=SOON,
        repeats_h=REPEATS,
        can_undo=lambda task: task.done_at > now - tasks.UNDO,
        now=now,
    )


def _one(task_id: UUID, errors: dict[str, str], *, status: int = 200) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        task: Task = rounds.task_for(session, actor, task_id, now=now)
        place = reach.patient_for(session, actor, task.patient_id, now=now)
        view = tasks.view(session, task)
        written = notes.count(session, task.patient_id)
    auditing.viewed("tasks", patient_ids=[task.patient_id], ward_id=place.ward_id)
    return pages.answer(
        "caregiver/task.html",
        "Error: Task" if errors else "Task",
        status=status,
        task=view,
        is_cancelled=task.cancelled_at is not None,
        because=fields.line(request.form, "because", most=MAX_REASON),
        errors=errors,
        frame=frame(actor, place, notes_written=written),
        now=now,
    )
