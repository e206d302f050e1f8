"""The card "Alarm limits" on a patient's page."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from silverwatch.domain.alerts.limit_views import LimitCard, limit_rows_with_alarms


def limit_card(session: Session, patient_id: UUID, *, now: datetime) -> LimitCard:
    """What alarms for this patient, whose limits are their own, and how often each vital did so in 24 hours."""
    return LimitCard(rows=limit_rows_with_alarms(session, patient_id, now=now))
