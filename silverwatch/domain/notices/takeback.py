"""An escalation that was a slip is taken back: the chain stands where it stood, and what was sent stays on record.

The caller holds the alert's row lock and commits.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import events
from silverwatch.domain.access import Actor
from silverwatch.domain.alerts import chains, whereabouts
from silverwatch.domain.alerts.care_models import AlertAction
from silverwatch.domain.alerts.facts import AlertChanged
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.notices.models import Escalation, Notice

UNDO: Final = timedelta(seconds=5)
"""For so long it is offered."""
TAKEN_FOR: Final = timedelta(seconds=10)
"""And for so long it is done: a press of the last moment may be on its way."""
UNDONE: Final = "undo_escalation"
"""How `alert_action` says it; it belongs to the newest steps that were taken before it."""


def undo(session: Session, actor: Actor, alert: Alert, *, now: datetime) -> None:
    """Take back the step that a person took last; raises ConflictError when that is not possible any more."""
    steps = session.scalars(
        select(Escalation)
        .where(Escalation.alert_id == alert.id, Escalation.taken_at >= alert.raised_at)
        .order_by(Escalation.taken_at, Escalation.place)
    ).all()
    undone = session.scalars(
        select(AlertAction.at).where(AlertAction.alert_id == alert.id, AlertAction.what == UNDONE)
    ).all()
    standing = _standing(steps, undone)
    last = [step for step in steps if step.taken_at == steps[-1].taken_at]
    if not last or last[0].taken_by is None or last[0] not in standing:
        raise ConflictError("There is no escalation to undo.")
    if alert.closed_at is not None or alert.escalate_at is None:
        raise ConflictError("Somebody has taken this alarm since. Nobody else is told.")
    if now - last[0].taken_at > TAKEN_FOR:
        raise ConflictError("An escalation can be undone for 5 seconds. Tell those who were told.")
    _back(session, alert, last, [step for step in standing if step not in last], now=now)
    session.add(
        AlertAction(id=clock.new_id(), alert_id=alert.id, account_id=actor.account_id, what=UNDONE, at=now)
    )
    events.record(session, AlertChanged(alert_id=alert.id, patient_id=alert.patient_id))


def _standing(steps: Sequence[Escalation], undone: Sequence[datetime]) -> list[Escalation]:
    """The steps that were not taken back: each undoing is of the newest ones before it."""
    gone = {max((step.taken_at for step in steps if step.taken_at <= at), default=None) for at in undone}
    return [step for step in steps if step.taken_at not in gone]


def _back(
    session: Session, alert: Alert, last: Sequence[Escalation], before: Sequence[Escalation], *, now: datetime
) -> None:
    """The place and the deadline as they were; what is not sent yet is not sent."""
    ward_id = whereabouts.places_of_alerts(session, [alert.id], now=now).get(alert.id, (None, None))[0]
    chain = chains.chains_for(session, [ward_id])[ward_id, alert.priority]
    alert.step = before[-1].place + 1 if before else 0
    alert.escalate_at = (
        chain.next_at(chain.place(before[-1].place), now=before[-1].taken_at) if before else now
    )
    others = [step.taken_at for step in before if step.place > 0 or step.taken_by is not None]
    alert.escalated_at = others[-1] if others else None
    # Also one that arrived: whoever is told of the same step by the clock must not be spared as told already.
    session.execute(
        update(Notice)
        .where(Notice.escalation_id.in_([step.id for step in last]), Notice.cancelled_at.is_(None))
        .values(next_attempt_at=None, cancelled_at=now)
    )
