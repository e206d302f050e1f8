"""Readings that are judged again, because a person has changed what they say."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch.domain import events
from silverwatch.domain.readings.facts import ReadingsStored


def judge_again(session: Session, patient_id: UUID, *, since: datetime, now: datetime) -> None:
    """The patient waits to be judged anew from this event time on. Locks the patient's state."""
    session.execute(
        text(
            "UPDATE vital_state SET seq = seq + 1, unjudged_since = coalesce(unjudged_since, :now),"
            " unjudged_from = least(unjudged_from, :since) WHERE patient_id = :id"
        ),
        {"id": patient_id, "since": since, "now": now},
    )
    events.record(session, ReadingsStored())
