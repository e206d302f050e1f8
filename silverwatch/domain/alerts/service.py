"""Verbs on alerts: raise, acknowledge, resolve, close. Each inside the caller's transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import events
from silverwatch.domain.access import Actor
from silverwatch.domain.alerts.facts import AlertAcknowledged, AlertChanged, AlertClosed, AlertRaised
from silverwatch.domain.alerts.models import Acknowledgement, Alert
from silverwatch.domain.errors import ConflictError


def raise_alert(session: Session, *, now: datetime, **values: Any) -> UUID | None:
    """Open an alert, or store it closed when `live` is False; None when one of this subject and kind is open.

    `values` are the columns of `Alert` without id, raised_at, peak_priority and what closing sets.
    """
    live: bool = values.pop("live", True)
    closed = {} if live else {"closed_at": now, "closed_as": "retrospective"}
    row = {
        "id": clock.new_id(),
        "raised_at": now,
        "live": live,
        "peak_priority": values["priority"],
        **values,
        **closed,
    }
    # What was closed just now must be closed in the table too: one of a kind may be open.
    session.flush()
    query = insert(Alert).values(row)
    if live:
        query = query.on_conflict_do_nothing(
            index_elements=["subject_id", "kind"], index_where=Alert.closed_at.is_(None)
        )
    alert_id = session.scalar(query.returning(Alert.id))
    if alert_id is not None and live:
        events.record(session, AlertRaised(alert_id=alert_id, patient_id=values.get("patient_id")))
    return alert_id


def acknowledge(
    session: Session, actor: Actor, alert: Alert, *, now: datetime, note: str = ""
) -> Acknowledgement:
    """Take responsibility. The first one stands: a second person gets to know whose it is.

    An alert whose condition has ended is closed by it: nothing is left to do.
    """
    query = (
        insert(Acknowledgement)
        .values(id=clock.new_id(), alert_id=alert.id, account_id=actor.account_id, at=now, note=note)
        .on_conflict_do_nothing()
    )
    is_first = session.execute(query.returning(Acknowledgement.id)).first() is not None
    if is_first:
        if alert.ended_at is not None and alert.closed_at is None:
            close(session, alert, now=now, closed_as="acknowledged")
        else:
            events.record(session, AlertAcknowledged(alert_id=alert.id, patient_id=alert.patient_id))
    return session.scalars(select(Acknowledgement).where(standing(alert.id))).one()


def standing(alert_id: Any = Alert.id) -> ColumnElement[bool]:
    """The condition of the acknowledgement that stands for an alert; joins to `Alert` without an id."""
    return and_(Acknowledgement.alert_id == alert_id, Acknowledgement.ended_at.is_(None))


EVENT_KINDS = frozenset({"fall", "help"})
"""Alerts that no reading ever ends: a person says when they are done."""


def resolve(session: Session, actor: Actor, alert: Alert, *, now: datetime) -> None:
    """Say that nothing is left to do. Raises ConflictError while the condition is still true."""
    if alert.closed_at is not None:
        return
    if alert.ended_at is None and alert.kind not in EVENT_KINDS:
        raise ConflictError("The condition is still true. The alarm resolves by itself when it ends.")
    acknowledge(session, actor, alert, now=now)
    if alert.closed_at is None:
        alert.ended_at = alert.ended_at or now
        close(session, alert, now=now, closed_as="resolved")


def close(session: Session, alert: Alert, *, now: datetime, closed_as: str) -> None:
    """Nothing is left to do about this alert."""
    alert.closed_at = now
    alert.closed_as = closed_as
    events.record(session, AlertClosed(alert_id=alert.id, patient_id=alert.patient_id))


def end_condition(session: Session, alert: Alert, *, ended_at: datetime, taken: bool, now: datetime) -> None:
    """The condition is over. An untaken high alert stays (latched) until somebody has seen it."""
    alert.ended_at = ended_at
    if taken or alert.peak_priority != "high":
        close(session, alert, now=now, closed_as="ended")
    else:
        events.record(session, AlertChanged(alert_id=alert.id, patient_id=alert.patient_id))
