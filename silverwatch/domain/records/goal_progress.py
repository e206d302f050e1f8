"""How far a patient is with a goal: written, and struck out where it should not have been. The caller commits."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.records import goals
from silverwatch.domain.records.goals import Progress
from silverwatch.domain.records.plan_models import Goal, GoalProgress


def add(
    session: Session, actor: Actor, goal: Goal, *, progress_id: UUID, written: str, now: datetime
) -> bool:
    """Write how far it is. `progress_id` is the form's own; False for a resend."""
    query = insert(GoalProgress).values(
        id=progress_id, goal_id=goal.id, at=now, account_id=actor.account_id, text=written
    )
    if session.scalar(query.on_conflict_do_nothing().returning(GoalProgress.id)) is None:
        return False
    goals.note(session, "goal.progress", goal.patient_id, goal.id)
    return True


def progress_of(session: Session, goal: Goal, progress_id: UUID) -> GoalProgress:
    """What was written of this goal, which is locked; raises NotFoundError for another goal's as for none."""
    found = session.get(GoalProgress, progress_id)
    if found is None or found.goal_id != goal.id:
        raise NotFoundError("There is no such progress.")
    return found


def among(progress: Sequence[Progress], progress_id: UUID) -> Progress:
    """One of these; raises NotFoundError."""
    for item in progress:
        if item.id == progress_id:
            return item
    raise NotFoundError("There is no such progress.")


def strike_out(
    session: Session, actor: Actor, goal: Goal, written: GoalProgress, *, because: str, now: datetime
) -> bool:
    """It should not have been written, and why. The first one who says so stands: False for the next."""
    if written.struck_at is not None:
        return False
    written.struck_at, written.struck_by, written.struck_because = now, actor.account_id, because
    session.flush()
    goals.note(session, "goal.progress_struck", goal.patient_id, goal.id)
    return True
