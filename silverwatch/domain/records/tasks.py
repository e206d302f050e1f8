"""Tasks for patients: added, done, opened again, cancelled. The caller commits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit, events
from silverwatch.domain.access import Actor
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.records.facts import TasksChanged
from silverwatch.domain.records.models import Task

MOST_TEXT: Final = 200
MOST_REPEAT_H: Final = 168
"""A week: what comes more seldom is for a calendar."""
FURTHEST: Final = timedelta(days=30)
"""A task is due within so long; and one that was to be done longer ago than this is none for today."""
UNDO: Final = timedelta(hours=1)
"""For so long whoever did a task can say that they did not."""
MOST: Final = 500
"""So many open tasks are read at once at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task as it is shown. `done_by` is a name; `goal_id` the goal of the care plan that it is for."""

    id: UUID
    patient_id: UUID
    what: str
    due_at: datetime
    repeat_h: int | None
    done_at: datetime | None = None
    done_by: str | None = None
    note: str = ""
    goal_id: UUID | None = None


_TASKS = """
SELECT t.id, t.patient_id, t.what, t.due_at, t.repeat_h, t.done_at, t.note, t.goal_id, a.name
FROM task t LEFT JOIN account a ON a.id = t.done_by
WHERE t.patient_id = ANY(:patients) AND {condition}
ORDER BY {order} LIMIT :most
"""

_FOR_GOALS = """
SELECT t.id, t.patient_id, t.what, t.due_at, t.repeat_h, t.done_at, t.note, t.goal_id, a.name
FROM (
  SELECT *, row_number() OVER (PARTITION BY goal_id, done_at IS NULL ORDER BY done_at DESC) AS place
  FROM task WHERE goal_id = ANY(:goals) AND cancelled_at IS NULL) t
LEFT JOIN account a ON a.id = t.done_by
WHERE t.done_at IS NULL OR t.place <= :done
ORDER BY t.done_at DESC NULLS FIRST, t.due_at, t.id LIMIT :most
"""


def open_tasks(session: Session, patient_ids: Iterable[UUID], *, until: datetime) -> list[TaskView]:
    """What is to be done for these patients until then, what is due first first; what is overdue is in it."""
    query = _TASKS.format(
        condition="t.done_at IS NULL AND t.cancelled_at IS NULL AND t.due_at <= :until",
        order="t.due_at, t.id",
    )
    return _views(session.execute(text(query), {"patients": list(patient_ids), "until": until, "most": MOST}))


def done_since(
    session: Session, patient_ids: Iterable[UUID], *, since: datetime, most: int
) -> list[TaskView]:
    """What was done for these patients since then, the newest first."""
    query = _TASKS.format(condition="t.done_at >= :since", order="t.done_at DESC, t.id")
    return _views(session.execute(text(query), {"patients": list(patient_ids), "since": since, "most": most}))


def for_goals(session: Session, goal_ids: Iterable[UUID], *, done: int) -> dict[UUID, list[TaskView]]:
    """Goal id to what is done for it: what is open by time, then the newest `done` that were done."""
    found: dict[UUID, list[TaskView]] = {goal_id: [] for goal_id in goal_ids}
    for task in _views(session.execute(text(_FOR_GOALS), {"goals": list(found), "done": done, "most": MOST})):
        if task.goal_id is not None:
            found[task.goal_id].append(task)
    return found


def add(
    session: Session,
    actor: Actor,
    *,
    task_id: UUID,
    patient_id: UUID,
    what: str,
    due_at: datetime,
    repeat_h: int | None,
    now: datetime,
    goal_id: UUID | None = None,
) -> bool:
    """Add a task. `task_id` is the form's own, so that a resend is the same task; False for a resend."""
    values = {"id": task_id, "patient_id": patient_id, "what": what, "due_at": due_at, "repeat_h": repeat_h}
    query = insert(Task).values(**values, added_at=now, added_by=actor.account_id, goal_id=goal_id)
    if session.execute(query.on_conflict_do_nothing().returning(Task.id)).first() is None:
        return False
    _note(session, "task.added", patient_id, task_id, repeat_h=repeat_h)
    return True


def complete(session: Session, actor: Actor, task: Task, *, now: datetime, note: str = "") -> bool:
    """It is done. What repeats is due again so many hours after it was done; False if it was done already.

    Raises ConflictError for a task that was cancelled.
    """
    if task.cancelled_at is not None:
        raise ConflictError("This task was cancelled. Add a new one if it is to be done.")
    if task.done_at is not None:
        return False
    task.done_at, task.done_by, task.note = now, actor.account_id, note
    session.flush()
    if task.repeat_h is not None:
        again = {
            "what": task.what, "repeat_h": task.repeat_h, "patient_id": task.patient_id, "goal_id": task.goal_id,
        }  # fmt: skip
        session.execute(
            insert(Task)
            .values(
                **again, id=clock.new_id(), due_at=now + timedelta(hours=task.repeat_h), added_at=now,
                added_by=actor.account_id, follows=task.id,
            )
            .on_conflict_do_nothing()
        )  # fmt: skip
    _note(session, "task.done", task.patient_id, task.id)
    return True


def reopen(session: Session, actor: Actor, task: Task, *, now: datetime) -> None:
    """It was not done after all: only who said so can say that, for an hour, while its successor is untouched.

    Raises ConflictError otherwise.
    """
    if task.done_at is None:
        return
    if task.done_by != actor.account_id or task.done_at <= now - UNDO:
        raise ConflictError("Only who did a task can undo that, within an hour. Add a new task instead.")
    follower = session.scalar(select(Task).where(Task.follows == task.id).with_for_update())
    if follower is not None and (follower.done_at or follower.cancelled_at):
        raise ConflictError("It was done again meanwhile. Add a new task instead.")
    session.execute(delete(Task).where(Task.follows == task.id))
    task.done_at = task.done_by = None
    task.note = ""
    session.flush()
    _note(session, "task.reopened", task.patient_id, task.id)


def cancel(session: Session, actor: Actor, task: Task, *, because: str, now: datetime) -> None:
    """It is not to be done, and why; what repeats ends with it. Raises ConflictError when it is done."""
    if task.done_at is not None:
        raise ConflictError("This task is done already.")
    if task.cancelled_at is None:
        task.cancelled_at, task.cancelled_by, task.cancelled_because = now, actor.account_id, because
        session.flush()
        _note(session, "task.cancelled", task.patient_id, task.id, because=because)


def view(session: Session, task: Task) -> TaskView:
    """One task as it is shown."""
    query = _TASKS.format(condition="t.id = :id", order="t.id")
    params = {"patients": [task.patient_id], "id": task.id, "most": 1}
    return _views(session.execute(text(query), params))[0]


def _views(rows: Any) -> list[TaskView]:
    return [
        TaskView(
            id=row.id,
            patient_id=row.patient_id,
            what=row.what,
            due_at=row.due_at,
            repeat_h=row.repeat_h,
            done_at=row.done_at,
            done_by=row.name,
            note=row.note,
            goal_id=row.goal_id,
        )
        for row in rows
    ]


def _note(session: Session, action: str, patient_id: UUID, task_id: UUID, **detail: Any) -> None:
    audit.record(session, action, subject=("task", task_id), patient_ids=[patient_id], detail=detail)
    events.record(session, TasksChanged(patient_id=patient_id))
