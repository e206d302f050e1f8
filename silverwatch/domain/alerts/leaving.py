"""What ends with the stay of a patient besides the stay: alarms, pauses, own limits. And how it begins again."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from silverwatch.domain import events
from silverwatch.domain.access import Actor
from silverwatch.domain.alerts import chains, limit_versions, pauses, service
from silverwatch.domain.alerts.care_models import Pause
from silverwatch.domain.alerts.facts import AlertRaised
from silverwatch.domain.alerts.models import Acknowledgement, Alert

DISCHARGED: Final = "discharged"
"""Why an alarm is resolved that was open when its patient left."""


def end_alarms(session: Session, actor: Actor, patient_id: UUID, *, now: datetime) -> int:
    """Every open alarm of the patient is resolved: nobody of the ward can do anything about it. Gives how many."""
    query = select(Alert).where(Alert.patient_id == patient_id, Alert.closed_at.is_(None)).order_by(Alert.id)
    alerts = session.scalars(query.with_for_update()).all()
    for alert in alerts:
        alert.ended_at = alert.ended_at or now
        service.close(session, alert, now=now, closed_as="resolved")
        alert.resolved_by, alert.resolution = actor.account_id, DISCHARGED
    session.flush()
    return len(alerts)


def end_pauses(session: Session, actor: Actor, patient_id: UUID, *, now: datetime) -> int:
    """No pause and no standby outlives the stay; gives how many there were."""
    query = select(Pause).where(Pause.patient_id == patient_id, Pause.ended_at.is_(None)).order_by(Pause.id)
    found = session.scalars(query.with_for_update()).all()
    for pause in found:
        pauses.end(session, pause, by=actor.account_id, now=now)
    return len(found)


def end_limits(session: Session, patient_id: UUID, *, now: datetime) -> int | None:
    """The patient's own limits end; gives the number of the version that held."""
    return limit_versions.end_of_stay(session, patient_id, now=now)


def open_again(session: Session, patient_id: UUID, *, discharged_at: datetime, now: datetime) -> None:
    """The patient has not left after all: what was open when they did is open again, and sounds if nobody has it.

    Whoever judges ends what is not true any more.
    """
    standing = select(Alert.subject_id, Alert.kind).where(
        Alert.closed_at.is_(None), or_(Alert.patient_id == patient_id, Alert.subject == "device")
    )
    taken = {(row.subject_id, row.kind) for row in session.execute(standing)}
    rows = session.execute(
        select(Alert, Acknowledgement.id)
        .outerjoin(Acknowledgement, service.standing())
        .where(
            Alert.patient_id == patient_id,
            Alert.closed_at == discharged_at,
            Alert.resolution == DISCHARGED,
        )
        .order_by(Alert.id)
        .with_for_update(of=Alert)
    ).all()
    for alert, acknowledged in rows:
        if (alert.subject_id, alert.kind) in taken:
            continue
        if alert.ended_at == discharged_at:
            alert.ended_at = None
        alert.closed_at = alert.closed_as = alert.resolution = alert.resolved_by = None
        session.flush()
        if acknowledged is None:
            chains.start(alert, now)
        events.record(session, AlertRaised(alert_id=alert.id, patient_id=patient_id))
