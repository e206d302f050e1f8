"""What people say about alarms in one tap: what they did, and why nothing is left to do."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import events
from silverwatch.domain.access import Actor
from silverwatch.domain.alerts import service
from silverwatch.domain.alerts.care_models import AlertAction
from silverwatch.domain.alerts.facts import AlertChanged
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.errors import ConflictError, DomainError

DID: Final = ("bedside", "sensor", "oxygen", "doctor", "watching")
"""What somebody did: at the bedside, sensor moved, oxygen changed, doctor called, known and watched."""

WHY: Final = ("treated", "improved", "sensor", "expected", "false", "other")
"""Why an alarm is resolved: treated, better by itself, the sensor, expected for this patient, no true alarm, other."""

MOST_AT_ONCE: Final = 100


def note_action(session: Session, actor: Actor, alert: Alert, what: str, *, now: datetime) -> None:
    """Somebody did something about an alert. Raises DomainError for what is not in the list."""
    if what not in DID:
        raise DomainError("Choose what you did from the list.")
    session.add(
        AlertAction(id=clock.new_id(), alert_id=alert.id, account_id=actor.account_id, what=what, at=now)
    )
    events.record(session, AlertChanged(alert_id=alert.id, patient_id=alert.patient_id))


def check_reason(reason: str) -> str:
    """The reason of a resolution, or none; raises DomainError for what is not in the list."""
    if reason and reason not in WHY:
        raise DomainError("Choose a reason from the list.")
    return reason


def acknowledge_technical(
    session: Session, actor: Actor, alerts: Collection[Alert], *, now: datetime
) -> list[UUID]:
    """Take several technical alarms at once. Clinical ones are taken one at a time: each is a patient."""
    if not alerts:
        raise DomainError("Choose at least one technical alarm.")
    if any(not alert.technical for alert in alerts):
        raise ConflictError("Only technical alarms are acknowledged together. Take the others one at a time.")
    for alert in alerts:
        service.acknowledge(session, actor, alert, now=now)
    return [alert.id for alert in alerts]
