"""Correct a reading, or strike it out. The reading then holds what is right; what it was before stands in a row.

Whoever judges, draws or rolls up asks the readings, so a correction is in everything once the patient is judged again
from its time on. A source that sends the set again is compared with what it said first (`store.stored_rows`).
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import events
from silverwatch.domain.access import Actor
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.readings import vitals
from silverwatch.domain.readings.accept import Values
from silverwatch.domain.readings.facts import ReadingsStored
from silverwatch.domain.readings.models import Correction
from silverwatch.domain.readings.state import SPOT, continuous_interval

STRUCK: Final = ("wrong_value", "wrong_patient", "artefact")
"""Why a reading is struck out."""
BACK: Final = timedelta(days=14)
"""So far back the value before a corrected one is looked for; one that is older is no present value of anybody."""

Key = tuple[UUID, datetime, UUID]
"""Patient, measured_at, source: what identifies a reading."""

_STATE = "SELECT latest, off FROM vital_state WHERE patient_id = :patient FOR UPDATE"
_READING = f"""
SELECT r.received_at, r.sensor_off, r.source_kind, {", ".join(f"r.{name}" for name in vitals.NAMES)},
       (SELECT count(*) FROM correction c WHERE c.patient_id = r.patient_id AND c.measured_at = r.measured_at
        AND c.source_id = r.source_id) AS corrections
FROM reading r WHERE r.patient_id = :patient AND r.measured_at = :at AND r.source_id = :source
"""


def values_of(row: Row[Any]) -> Values:
    """What a row of `reading` says."""
    return {name: value for name in vitals.NAMES if (value := row._mapping[name]) is not None}


def reading_of(session: Session, key: Key, *, lock: bool = False) -> Row[Any]:
    """A reading with how often it was corrected; raises NotFoundError."""
    query = text(_READING + ("FOR UPDATE OF r" if lock else ""))
    row = session.execute(query, dict(zip(("patient", "at", "source"), key, strict=True))).first()
    if row is None:
        raise NotFoundError("There is no such set of observations.")
    return row


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
) -> datetime:
    """From now on the reading says `values`; nothing where it is struck out. Gives its event time.

    `seen` is how many corrections the corrector saw: raises ConflictError where there is another one since. Locks the
    patient's state, then the reading.
    """
    state = session.execute(text(_STATE), {"patient": key[0]}).first()
    row = reading_of(session, key, lock=True)
    if state is None or row.corrections != seen:
        raise ConflictError("Somebody has corrected this set meanwhile. Read it again before you correct it.")
    before = values_of(row)
    if before == values and not row.sensor_off:
        raise ConflictError("The set says this already. Change a value, or go back.")
    session.add(
        Correction(
            patient_id=key[0], measured_at=key[1], source_id=key[2], number=seen + 1,
            account_id=actor.account_id, corrected_at=now, kind=kind, because=because,
            before={**before, "sensor_off": row.sensor_off}, after=dict(values),
        )
    )  # fmt: skip
    session.flush()
    _rewrite(session, key, values)
    event_at: datetime = min(key[1], row.received_at)
    changed = {name for name in vitals.NAMES if before.get(name) != values.get(name)}
    changed |= set(vitals.names_in(row.sensor_off))
    _rebuild(session, key[0], state, changed, event_at=event_at)
    judge_again(session, key[0], since=event_at, now=now)
    return event_at


def _rewrite(session: Session, key: Key, values: Values) -> None:
    columns = ", ".join(f"{name} = :{name}" for name in vitals.NAMES)
    query = (
        f"UPDATE reading SET sensor_off = 0, {columns}"
        " WHERE patient_id = :patient AND measured_at = :at AND source_id = :source"
    )
    params: dict[str, Any] = dict(zip(("patient", "at", "source"), key, strict=True))
    session.execute(text(query), {**params, **{name: values.get(name) for name in vitals.NAMES}})


# The newest value by event time: one whose clock is fast may have a later `measured_at` and an earlier event.
_NEWEST = """
WITH c AS (
  SELECT least(measured_at, received_at) AS at FROM reading
  WHERE patient_id = :patient AND measured_at > :oldest AND {v} IS NOT NULL ORDER BY measured_at DESC LIMIT 1)
SELECT r.{v} AS value, least(r.measured_at, r.received_at) AS at, d.interval_s FROM c
JOIN reading r ON r.patient_id = :patient AND r.measured_at >= c.at AND r.{v} IS NOT NULL
LEFT JOIN device d ON d.id = r.source_id
ORDER BY least(r.measured_at, r.received_at) DESC, r.measured_at DESC LIMIT 1
"""
_OFF = """
SELECT min(least(measured_at, received_at)) FROM reading
WHERE patient_id = :patient AND measured_at >= :since AND received_at >= :since AND sensor_off & :bit <> 0
"""


def _rebuild(
    session: Session, patient_id: UUID, state: Row[Any], names: Collection[str], *, event_at: datetime
) -> None:
    """Look up anew the present values that may have come from the corrected reading."""
    latest, off = dict(state.latest), dict(state.off)
    at_ms = clock.epoch_ms(event_at)
    for name in names:
        if name in latest and latest[name][1] > at_ms:
            continue
        params: dict[str, Any] = {"patient": patient_id, "oldest": event_at - BACK}
        row = session.execute(text(_NEWEST.format(v=name)), params).first()
        latest.pop(name, None)
        if row is not None:
            spot = name in SPOT or row.interval_s is None
            interval_s = None if spot else continuous_interval(row.interval_s)
            latest[name] = [row.value, clock.epoch_ms(row.at), interval_s]
        _rebuild_off(session, patient_id, name, off, since=row.at if row is not None else event_at - BACK)
    session.execute(
        text(
            "UPDATE vital_state SET latest = CAST(:latest AS jsonb), off = CAST(:off AS jsonb)"
            " WHERE patient_id = :patient"
        ),
        {"patient": patient_id, "latest": _json(latest), "off": _json(off)},
    )


def _rebuild_off(
    session: Session, patient_id: UUID, name: str, off: dict[str, int], *, since: datetime
) -> None:
    off.pop(name, None)
    if name not in vitals.BIT:
        return
    params = {"patient": patient_id, "since": since, "bit": vitals.BIT[name]}
    at = session.scalar(text(_OFF), params)
    if at is not None:
        off[name] = clock.epoch_ms(at)


def _json(value: Mapping[str, Any]) -> str:
    return msgspec.json.encode(value).decode()


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


_CORRECTIONS = """
SELECT c.number, c.corrected_at, c.kind, c.because, c.before, c.after, a.name
FROM correction c JOIN account a ON a.id = c.account_id
WHERE c.patient_id = :patient AND c.measured_at = :at AND c.source_id = :source ORDER BY c.number
"""


def corrections_of(session: Session, key: Key) -> list[Row[Any]]:
    """The corrections of a reading, the first one first; its `before` is the original."""
    params = dict(zip(("patient", "at", "source"), key, strict=True))
    return list(session.execute(text(_CORRECTIONS), params))
