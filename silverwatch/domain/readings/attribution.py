"""Whose readings are they, after the bindings of a device were changed: those of another wearer move to the right one.

A reading belongs to whom its device was bound to at its time. What nobody wore goes to the quarantine, and what waits
there comes out when somebody turns out to have worn it. Received times stay, and so do event times and delays; both
patients wait to be judged from the first moved reading on. Locks the patients' states; the devices are locked already.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Cursor
from sqlalchemy.orm import Session

from silverwatch.domain.errors import ConflictError
from silverwatch.domain.readings import arrivals, departures, store
from silverwatch.domain.readings.departures import Waiting
from silverwatch.domain.readings.pieces import Piece
from silverwatch.domain.readings.state import State, fold

MOST: Final = 200_000
"""So many readings are moved in one go at most."""


class Resting(NamedTuple):
    """A reading that a patient lost: an alarm of this vital and time rested on it."""

    patient_id: UUID
    event_at: datetime
    vital: str


@dataclass(slots=True)
class Moved:
    """What a change of bindings has moved. `lost`: what the alarms of patients rested on and is not theirs."""

    readings: int = 0
    patient_ids: set[UUID] = field(default_factory=set)
    lost: set[Resting] = field(default_factory=set)


def move(
    session: Session,
    changed: Sequence[Piece],
    *,
    by: UUID | None,
    now: datetime,
    chosen: Sequence[Waiting] = (),
) -> Moved:
    """Bring readings, events and the quarantine in line with these changes; raises ConflictError for too many.

    `chosen`: items of the quarantine of which a person said whose they are, whatever the bindings say.
    """
    found = Moved()
    if not changed and not chosen:
        return found
    found.patient_ids = {p for piece in changed for p in (piece.before, piece.after) if p is not None}
    found.patient_ids |= {item.after for item in chosen}
    cur = cursor_of(session)
    states = store.lock_states(cur, sorted(found.patient_ids))
    leaving = departures.leave(cur, changed, most=MOST)
    waiting = [*departures.waiting(cur, changed, most=MOST), *chosen]
    found.readings = len(leaving) + len(waiting)
    if found.readings > MOST:
        raise ConflictError("These are too many readings to move at once. Choose a shorter time.")
    departures.forget(cur, leaving, states=states)
    departures.keep_as_unbound(cur, [row for row in leaving if row.after is None])
    taken = arrivals.settle(cur, leaving, waiting)
    for patient_id, rows in store.grouped(taken.changed).items():
        fold(states[patient_id], rows)
    store.look_for_later_off(cur, [state for state in states.values() if state.reattached])
    arrivals.write(cur, taken, by=by, now=now)
    departures.hand_over(cur, changed, states=states)
    _write_states(cur, states, now=now)
    found.lost = {
        Resting(row.before, row.event_at, name)
        for row in leaving
        if row.before is not None
        for name in row.values
    }
    return found


def cursor_of(session: Session) -> Cursor[Any]:
    """A psycopg cursor in the session's transaction."""
    session.flush()
    connection = session.connection().connection.driver_connection
    assert connection is not None  # noqa: S101 - it is open: the session is in a transaction
    found: Cursor[Any] = connection.cursor()
    return found


_STATES = (
    "UPDATE vital_state SET seq = %s, latest = %s::jsonb, off = %s::jsonb,"
    " unjudged_since = CASE WHEN %s::timestamptz IS NULL THEN unjudged_since ELSE coalesce(unjudged_since, %s) END,"
    " unjudged_from = least(unjudged_from, %s::timestamptz) WHERE patient_id = %s"
)


def _write_states(cur: Cursor[Any], states: Mapping[UUID, State], *, now: datetime) -> None:
    for patient_id, state in sorted(states.items()):
        latest, off = departures.plain(state.latest), departures.plain(state.off)
        # Raised in any case: a post that read it before looks again (decision 0008).
        changed = state.changed_from
        cur.execute(_STATES, (state.seq + 1, latest, off, changed, now, changed, patient_id))
