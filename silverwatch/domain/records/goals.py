"""Goals of a care plan: set, changed by a new version, followed by progress, ended as something with a reason.

The caller commits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch.domain import audit, events
from silverwatch.domain.access import Actor
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records import tasks
from silverwatch.domain.records.facts import PlanChanged
from silverwatch.domain.records.models import Task
from silverwatch.domain.records.plan_models import Goal, GoalVersion
from silverwatch.domain.records.tasks import TaskView

ENDS: Final = ("met", "partly_met", "not_met", "dropped")
SIGNS: Final = (">=", "<=")
MOST_TEXT: Final = 200
MOST_PROGRESS: Final = 1000
MOST_REASON: Final = 300
MOST: Final = 100
"""So many goals of a patient are read at most, the newest first."""
DONE: Final = 3
"""So many tasks that were done are shown under a goal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalText:
    """What a goal says. `target` is in the stored unit, for a `vital`; else `measure` and `wanted` are words."""

    what: str
    vital: str | None = None
    sign: str | None = None
    target: float | None = None
    measure: str = ""
    wanted: str = ""
    target_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a goal said from `at` on, and who said so."""

    number: int
    says: GoalText
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far it was at `at`, as somebody wrote it. `struck_by` is a name."""

    id: UUID
    text: str
    at: datetime
    by: str
    struck_at: datetime | None = None
    struck_by: str | None = None
    struck_because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalView:
    """A goal with all its versions, the first one first, its progress and its tasks, the newest first."""

    id: UUID
    patient_id: UUID
    versions: tuple[Version, ...]
    progress: tuple[Progress, ...] = ()
    tasks: tuple[TaskView, ...] = ()
    ended_at: datetime | None = None
    ended_as: str | None = None
    ended_by: str | None = None
    ended_because: str | None = None

    @property
    def latest(self) -> Version:
        """As it stands."""
        return self.versions[-1]

    @property
    def says(self) -> GoalText:
        """What it says now."""
        return self.latest.says

    @property
    def open_tasks(self) -> list[TaskView]:
        """What is still to be done for it."""
        return [task for task in self.tasks if task.done_at is None]


_GOALS = """
SELECT g.*, z.name AS ended_name, v.version, v.what, v.vital, v.sign, v.target, v.measure, v.wanted, v.target_on,
       v.at, a.name
FROM (SELECT * FROM goal WHERE {condition} ORDER BY ended_at DESC NULLS FIRST, set_at DESC, id LIMIT :most) g
JOIN goal_version v ON v.goal_id = g.id
JOIN account a ON a.id = v.account_id
LEFT JOIN account z ON z.id = g.ended_by
ORDER BY g.ended_at DESC NULLS FIRST, g.set_at, g.id, v.version
"""
_PROGRESS = """
SELECT p.goal_id, p.id, p.text, p.at, a.name AS by, p.struck_at, s.name AS struck_by, p.struck_because
FROM goal_progress p JOIN account a ON a.id = p.account_id LEFT JOIN account s ON s.id = p.struck_by
WHERE p.goal_id = ANY(:goals) ORDER BY p.at DESC, p.id DESC LIMIT :most
"""


def goals_of(session: Session, patient_id: UUID) -> list[GoalView]:
    """All goals of a patient: the open ones as they were set, then the ended ones, the newest end first."""
    query = _GOALS.format(condition="patient_id = :patient")
    return _views(
        session, session.execute(text(query), {"patient": patient_id, "most": MOST}).all(), done=DONE
    )


def goal_of(session: Session, patient_id: UUID, goal_id: UUID) -> GoalView:
    """One goal of this patient; raises NotFoundError for another one's as for none."""
    query = _GOALS.format(condition="patient_id = :patient AND id = :id")
    params = {"patient": patient_id, "id": goal_id, "most": 1}
    found = _views(session, session.execute(text(query), params).all(), done=tasks.MOST)
    if not found:
        raise NotFoundError("There is no such goal.")
    return found[0]


def open_goals(session: Session, patient_ids: Iterable[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
    """Patient to id and words of the goals that stand, as they were set; who has none is left out."""
    found: dict[UUID, list[tuple[UUID, str]]] = {}
    rows = session.execute(
        text(
            "SELECT g.id, g.patient_id, v.what FROM goal g CROSS JOIN LATERAL (SELECT what FROM goal_version"
            " WHERE goal_id = g.id ORDER BY version DESC LIMIT 1) v"
            " WHERE g.patient_id = ANY(:patients) AND g.ended_at IS NULL ORDER BY g.set_at, g.id LIMIT :most"
        ),
        {"patients": list(patient_ids), "most": 50 * MOST},
    )
    for row in rows:
        found.setdefault(row.patient_id, []).append((row.id, row.what))
    return found


def lock(session: Session, patient_id: UUID, goal_id: UUID) -> Goal:
    """A goal of this patient that is changed; raises NotFoundError."""
    goal = session.get(Goal, goal_id, with_for_update=True)
    if goal is None or goal.patient_id != patient_id:
        raise NotFoundError("There is no such goal.")
    return goal


def lock_open(session: Session, patient_id: UUID, goal_id: UUID) -> Goal:
    """A goal that still stands; raises ConflictError for one that was ended."""
    goal = lock(session, patient_id, goal_id)
    if goal.ended_at is not None:
        raise ConflictError("This goal was ended. Set a new one.")
    return goal


def set_goal(
    session: Session, actor: Actor, *, goal_id: UUID, patient_id: UUID, says: GoalText, now: datetime
) -> bool:
    """Set a goal. `goal_id` is the form's own, so that a resend is the same goal; False for a resend."""
    query = insert(Goal).values(id=goal_id, patient_id=patient_id, set_at=now, set_by=actor.account_id)
    if session.scalar(query.on_conflict_do_nothing().returning(Goal.id)) is None:
        return False
    _add(session, actor, goal_id, number=1, says=says, now=now)
    note(session, "goal.set", patient_id, goal_id)
    return True


def change(session: Session, actor: Actor, goal: Goal, *, seen: int, says: GoalText, now: datetime) -> bool:
    """Add a version to an open goal that is locked; False when it says the same already.

    `seen` is the version that was read: raises ConflictError when there is a newer one.
    """
    versions = session.scalars(
        select(GoalVersion)
        .where(GoalVersion.goal_id == goal.id)
        .order_by(GoalVersion.version.desc())
        .limit(1)
    )
    latest = versions.one()
    if _says(latest) == says:
        return False
    if latest.version != seen:
        raise ConflictError("This goal was changed meanwhile. Read it again before you change it.")
    _add(session, actor, goal.id, number=latest.version + 1, says=says, now=now)
    note(session, "goal.changed", goal.patient_id, goal.id, version=latest.version + 1)
    return True


def end(
    session: Session,
    actor: Actor,
    goal: Goal,
    *,
    ended_as: str,
    because: str,
    cancel_tasks: bool,
    now: datetime,
) -> bool:
    """The goal ends, as one of `ENDS`; False when it was ended already. Its open tasks go on unless `cancel_tasks`."""
    if goal.ended_at is not None:
        return False
    goal.ended_at, goal.ended_as = now, ended_as
    goal.ended_by, goal.ended_because = actor.account_id, because
    session.flush()
    if cancel_tasks:
        standing = select(Task).where(
            Task.goal_id == goal.id, Task.done_at.is_(None), Task.cancelled_at.is_(None)
        )
        for task in session.scalars(standing.with_for_update()):
            tasks.cancel(session, actor, task, because="Its goal has ended.", now=now)
    note(session, "goal.ended", goal.patient_id, goal.id, ended_as=ended_as)
    return True


def _add(
    session: Session, actor: Actor, goal_id: UUID, *, number: int, says: GoalText, now: datetime
) -> None:
    session.add(
        GoalVersion(
            goal_id=goal_id,
            version=number,
            what=says.what,
            vital=says.vital,
            sign=says.sign,
            target=says.target,
            measure=says.measure,
            wanted=says.wanted,
            target_on=says.target_on,
            at=now,
            account_id=actor.account_id,
        )
    )
    session.flush()


def _says(row: Any) -> GoalText:
    return GoalText(
        what=row.what, vital=row.vital, sign=row.sign, target=row.target, measure=row.measure, wanted=row.wanted,
        target_on=row.target_on,
    )  # fmt: skip


def _views(session: Session, rows: Iterable[Any], *, done: int) -> list[GoalView]:
    """In three statements, however many goals they are."""
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row.id, []).append(row)
    if not found:
        return []
    progress: dict[UUID, list[Progress]] = {goal_id: [] for goal_id in found}
    for row in session.execute(text(_PROGRESS), {"goals": list(found), "most": 10 * MOST}):
        values = dict(row._mapping)
        progress[values.pop("goal_id")].append(Progress(**values))
    todo = tasks.for_goals(session, found, done=done)
    return [
        _view(versions, tuple(progress[goal_id]), tuple(todo[goal_id])) for goal_id, versions in found.items()
    ]


def _view(rows: Sequence[Any], progress: tuple[Progress, ...], todo: tuple[TaskView, ...]) -> GoalView:
    row = rows[0]
    return GoalView(
        id=row.id,
        patient_id=row.patient_id,
        versions=tuple(Version(number=r.version, says=_says(r), at=r.at, by=r.name) for r in rows),
        progress=progress,
        tasks=todo,
        ended_at=row.ended_at,
        ended_as=row.ended_as,
        ended_by=row.ended_name,
        ended_because=row.ended_because,
    )


def note(session: Session, action: str, patient_id: UUID, goal_id: UUID, **detail: Any) -> None:
    """It is on record, and whoever looks at the plan sees it."""
    audit.record(session, action, subject=("goal", goal_id), patient_ids=[patient_id], detail=detail)
    events.record(session, PlanChanged(patient_id=patient_id))
