"""What people say of an alarm: what they did, and why they resolve it. Words are the templates' matter."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import events
from silverwatch.domain.access import Actor
from silverwatch.domain.alerts.care_models import AlertAction
from silverwatch.domain.alerts.facts import AlertChanged
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.errors import DomainError

ACTIONS: Final = ("bedside", "sensor_moved", "oxygen_changed", "doctor_called", "watching", "not_useful")
"""One tap each, optional; all but the last two count as acted on."""

RESOLUTIONS: Final = ("treated", "sensor", "known", "doctor", "false", "other")
"""Why an alarm is closed, in the order of the keys 1 to 6."""


def act(session: Session, actor: Actor, alert: Alert, *, what: str, now: datetime) -> None:
    """Note what the actor did about the alert. Raises DomainError for what is not in the list."""
    if what not in ACTIONS:
        raise DomainError("Choose one of the actions of the list.")
    session.add(
        AlertAction(id=clock.new_id(), alert_id=alert.id, account_id=actor.account_id, what=what, at=now)
    )
    events.record(session, AlertChanged(alert_id=alert.id, patient_id=alert.patient_id))
