"""The pane of an alarm: what `alarm_detail` knows of it, and who has been told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from silverwatch.domain.alerts import alarm_detail
from silverwatch.domain.alerts.inbox import Detail
from silverwatch.domain.notices import queries


def details(session: Session, alert_ids: Sequence[UUID], now: datetime) -> dict[UUID, Detail]:
    """Each of these alarms that exists. Panes are few, one a screen: who was told is asked for each of them."""
    found = alarm_detail.details(session, alert_ids, now)
    return {
        alert_id: replace(detail, told=queries.told(session, alert_id, now=now))
        for alert_id, detail in found.items()
    }
