"""A ward with patients in which nobody is on duty is an alarm of its own. The caller commits."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts import service
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.wards import roster

NOBODY: Final = "nobody_on_duty"

_LIVED_IN: Final = """
SELECT DISTINCT b.ward_id FROM stay s JOIN bed b ON b.id = s.bed_id
WHERE s.during @> CAST(:now AS timestamptz)
"""


def watch(session: Session, *, now: datetime) -> None:
    """Raise it for each ward with patients and nobody on duty; end it where somebody has accepted."""
    roster.end_forgotten(session, now=now)
    wards = list(session.scalars(text(_LIVED_IN), {"now": now}))
    open_alerts = {
        alert.subject_id: alert
        for alert in session.scalars(
            select(Alert)
            .where(Alert.subject == "system", Alert.kind == NOBODY, Alert.closed_at.is_(None))
            .with_for_update(skip_locked=True)
        )
    }
    on_duty = roster.on_duty(session, {*wards, *open_alerts}, now=now)
    for ward_id in wards:
        if ward_id not in open_alerts and not any(person.is_here for person in on_duty[ward_id]):
            sound(session, ward_id, planned=bool(on_duty[ward_id]), now=now)
    for ward_id, alert in open_alerts.items():
        if ward_id not in wards or any(person.is_here for person in on_duty[ward_id]):
            alert.ended_at = now
            service.close(session, alert, now=now, closed_as="ended")


def sound(session: Session, ward_id: UUID, *, planned: bool, now: datetime) -> None:
    """Raise it, unless it stands: high, or medium where at least somebody was planned."""
    service.raise_alert(
        session,
        now=now,
        subject="system",
        subject_id=ward_id,
        kind=NOBODY,
        priority="medium" if planned else "high",
        technical=True,
        run_from=now,
        event_at=now,
        last_at=now,
    )
