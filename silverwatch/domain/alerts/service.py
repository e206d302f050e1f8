"""Verbs on alerts: raise, acknowledge, resolve, close. Each inside the caller's transaction."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import events
from silverwatch.domain.access import Actor
from silverwatch.domain.alerts import chains, muting
from silverwatch.domain.alerts.facts import AlertAcknowledged, AlertChanged, AlertClosed, AlertRaised
from silverwatch.domain.alerts.models import Acknowledgement, Alert
from silverwatch.domain.errors import ConflictError


def raise_alert(session: Session, *, now: datetime, **values: Any) -> UUID | None:
    """Open an alert, or store it closed when `live` is False; None when one of this subject and kind is open.

    `values` are the columns of `Alert` without id, raised_at, peak_priority and what closing sets.
    """
    live: bool = values.pop("live", True)
    if live and "muted_by" not in values:
        muted_by = muting.at_raising(session, patient_id=values.get("patient_id"), kind=values["kind"])
        values["muted_by"] = muted_by
    closed = chains.begin(values, now=now) if live else {"closed_at": now, "closed_as": "retrospective"}
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
        fact = AlertChanged if values.get("muted_by") else AlertRaised
        events.record(session, fact(alert_id=alert_id, patient_id=values.get("patient_id")))
    return alert_id


def sound(session: Session, alert: Alert, *, now: datetime) -> None:
    """The alert is to be taken anew: whoever had taken it before has not taken this. It sounds, unless it is muted."""
    session.execute(update(Acknowledgement).where(standing(alert.id)).values(ended_at=now))
    alert.raised_at = now
    alert.realarm_at = None
    chains.start(alert, now)
    fact = AlertChanged if alert.muted_by else AlertRaised
    events.record(session, fact(alert_id=alert.id, patient_id=alert.patient_id))


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
        alert.escalate_at = None
        alert.realarm_at = _realarm_at(alert, now=now)
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


REALARM: Final[Mapping[str, timedelta]] = {"high": timedelta(minutes=10), "medium": timedelta(minutes=30)}
"""After so long an alarm that somebody has taken, and that is still true, sounds again (clinical facts 2.4, 7)."""


def _realarm_at(alert: Alert, *, now: datetime) -> datetime | None:
    after = REALARM.get(alert.priority)
    is_over = alert.ended_at is not None or alert.kind in EVENT_KINDS
    return None if is_over or after is None else now + after


def is_still_true(alert: Alert) -> bool:
    """Does the condition of an open alert go on, as far as we know?"""
    return alert.closed_at is None and alert.ended_at is None and alert.kind not in EVENT_KINDS


def resolve(session: Session, actor: Actor, alert: Alert, *, now: datetime, reason: str = "") -> None:
    """Say that nothing is left to do. Raises ConflictError while the condition is still true and no reason is given.

    With a reason it is closed all the same, and comes back where the condition is still true when an acknowledged one
    would sound again (`realarm_at`), or at once where it gets worse.
    """
    if alert.closed_at is not None:
        return
    goes_on = is_still_true(alert)
    if goes_on and not reason:
        raise ConflictError("The condition is still true. Choose a reason to resolve the alarm all the same.")
    acknowledge(session, actor, alert, now=now)
    if alert.closed_at is None:
        alert.ended_at = alert.ended_at or (None if goes_on else now)
        close(session, alert, now=now, closed_as="resolved")
        if goes_on:
            alert.realarm_at = now + REALARM.get(alert.priority, REALARM["medium"])
    alert.resolved_by, alert.resolution = actor.account_id, reason or None


def mute(session: Session, alert: Alert, by: str) -> None:
    """The alert neither sounds nor escalates; its place on the screens stays."""
    alert.muted_by = by
    alert.escalate_at = alert.realarm_at = None
    events.record(session, AlertChanged(alert_id=alert.id, patient_id=alert.patient_id))


def unmute(session: Session, alert: Alert, *, taken: bool, now: datetime) -> None:
    """What is still to be taken sounds again; what was taken is watched again."""
    alert.muted_by = None
    if taken:
        alert.realarm_at = _realarm_at(alert, now=now)
        events.record(session, AlertChanged(alert_id=alert.id, patient_id=alert.patient_id))
    else:
        sound(session, alert, now=now)


def close(session: Session, alert: Alert, *, now: datetime, closed_as: str) -> None:
    """Nothing is left to do about this alert."""
    alert.closed_at = now
    alert.closed_as = closed_as
    alert.escalate_at = alert.realarm_at = None
    events.record(session, AlertClosed(alert_id=alert.id, patient_id=alert.patient_id))


def end_condition(session: Session, alert: Alert, *, ended_at: datetime, taken: bool, now: datetime) -> None:
    """The condition is over. An untaken high alert stays (latched) until somebody has seen it."""
    alert.ended_at = ended_at
    alert.realarm_at = None
    if taken or alert.peak_priority != "high":
        close(session, alert, now=now, closed_as="ended")
    else:
        events.record(session, AlertChanged(alert_id=alert.id, patient_id=alert.patient_id))
