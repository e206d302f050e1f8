"""Adherence of a patient out of what is stored, in a fixed number of statements."""

from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from silverwatch.domain.records import due_doses, medications
from silverwatch.domain.records.adherence import Adherence, adherence_of
from silverwatch.domain.records.due_doses import DoseView
from silverwatch.domain.records.medication_schedule import due
from silverwatch.domain.settings import doses as settings

DAYS: Final = (7, 30)


def adherence(
    session: Session, patient_id: UUID, *, days: int, now: datetime, zone: ZoneInfo
) -> tuple[Adherence, list[DoseView]]:
    """The last days, today among them, by medication; and all that was recorded of their doses."""
    today = now.astimezone(zone).date()
    shown = tuple(today - timedelta(days=back) for back in reversed(range(days)))
    since = datetime.combine(shown[0], time(), zone)
    recorded = due_doses.recorded(session, [patient_id], since=since)
    present = medications.presence(session, [patient_id], since=since)[patient_id]
    times = settings.times(session)
    found = []
    for item in medications.medications_of(session, [patient_id], since=since):
        own = [dose for dose in recorded if dose.medication_id == item.id and dose.of_at <= now]
        moments = due(
            item.versions, since=since, until=now, zone=zone, present=present, stopped_at=item.stopped_at
        )
        row = adherence_of(item.id, item.name, moments, own, now=now, zone=zone, times=times)
        if row.days or row.needed:
            found.append(row)
    return Adherence(since=since, days=shown, medications=tuple(found)), recorded
