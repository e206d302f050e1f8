"""What sounds again by the clock: alarms that somebody took, or resolved for a reason, and that are still true."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch.domain.alerts import service
from silverwatch.domain.alerts.models import Alert

MOST: int = 100


def realarm(session: Session, *, now: datetime) -> int:
    """Let sound again what is due; gives how many did."""
    due = session.scalars(
        select(Alert)
        .where(Alert.realarm_at <= now)
        .order_by(Alert.realarm_at)
        .limit(MOST)
        .with_for_update(skip_locked=True)
    ).all()
    return sum(_again(session, alert, now=now) for alert in due)


def _again(session: Session, alert: Alert, *, now: datetime) -> bool:
    alert.realarm_at = None
    # A device's own alarm is raised anew by whoever watches it, if it is still true.
    if alert.ended_at is not None or (alert.closed_at is not None and alert.subject != "patient"):
        return False
    if alert.closed_at is not None and _stands(session, alert):
        return False
    alert.closed_at = alert.closed_as = alert.resolution = alert.resolved_by = None
    alert.realarmed_at = now
    session.flush()
    service.sound(session, alert, now=now)
    return True


def _stands(session: Session, alert: Alert) -> bool:
    """Is another alert of the subject and kind open meanwhile?"""
    other = select(Alert.id).where(
        Alert.subject_id == alert.subject_id, Alert.kind == alert.kind, Alert.closed_at.is_(None)
    )
    return session.scalar(other.limit(1)) is not None
