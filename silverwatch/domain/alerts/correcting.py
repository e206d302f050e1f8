"""A correction of a reading, and what becomes of the alarms that rested on it."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor
from silverwatch.domain.alerts import service
from silverwatch.domain.alerts.layers import limits_of
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.readings import corrections
from silverwatch.domain.readings.accept import Values
from silverwatch.domain.readings.corrections import Key


def correct(
    session: Session,
    actor: Actor,
    key: Key,
    *,
    kind: str,
    because: str,
    values: Values,
    seen: int,
    now: datetime,
) -> None:
    """Correct the reading; the patient is judged again from its time on, which withdraws what still sounds.

    An alarm that is over and only waits to be seen is closed here: judging leaves it to a person, and the person who
    corrects has seen what it rested on. Raises as `corrections.correct` does.
    """
    event_at = corrections.correct(
        session, actor, key, kind=kind, because=because, values=values, seen=seen, now=now
    )
    calm = limits_of(session, [key[0]], now=now)[key[0]].calm
    waiting = session.scalars(
        select(Alert)
        .where(
            Alert.patient_id == key[0],
            Alert.subject == "patient",
            Alert.vital.is_not(None),
            Alert.event_at == event_at,
            Alert.ended_at.is_not(None),
            Alert.closed_at.is_(None),
        )
        .order_by(Alert.id)
        .with_for_update()
    )
    for alert in waiting:
        if _is_calm(alert.vital, values, calm):
            service.close(session, alert, now=now, closed_as="withdrawn")


def _is_calm(vital: str | None, values: Values, calm: Mapping[str, tuple[float, float]]) -> bool:
    value = values.get(vital or "")
    if not isinstance(value, float):
        return True
    low, high = calm.get(vital or "", (value, value))
    return low <= value <= high
