"""Readings that leave a patient because somebody else wore the device, and what waited in the quarantine for that."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from psycopg import Cursor

from silverwatch import clock
from silverwatch.domain.readings import vitals
from silverwatch.domain.readings.accept import Refusal, Values
from silverwatch.domain.readings.pieces import Piece
from silverwatch.domain.readings.quarantine import Kept
from silverwatch.domain.readings.state import SPOT, State, continuous_interval

BACK: Final = timedelta(days=14)
"""So far back the value before a lost one is looked for; one that is older is no present value of anybody."""
UNBOUND: Final = Refusal("unbound", "", "the device was bound to nobody then")


class Leaving(NamedTuple):
    """A stored reading of `before` that is `after`'s, or nobody's."""

    device_id: UUID
    interval_s: float
    before: UUID
    after: UUID | None
    measured_at: datetime
    received_at: datetime
    off: int
    values: Values

    @property
    def event_at(self) -> datetime:
        """A fast clock of the source cannot put it into our future."""
        return min(self.measured_at, self.received_at)


class Waiting(NamedTuple):
    """An item of the quarantine that is `after`'s."""

    id: UUID
    device_id: UUID
    interval_s: float
    after: UUID
    received_at: datetime
    item: str


_PIECES = (
    "unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[], %s::uuid[], %s::uuid[])"
    " AS c (device_id, lo, hi, before, after)"
)
_LEAVING = (
    "SELECT c.device_id, d.interval_s, c.before, c.after, r.measured_at, r.received_at, r.sensor_off, "
    + ", ".join(f"r.{name}" for name in vitals.NAMES)
    + f" FROM {_PIECES} JOIN device d ON d.id = c.device_id"
    " JOIN reading r ON r.patient_id = c.before AND r.source_id = c.device_id"
    "  AND r.measured_at >= c.lo AND r.measured_at < c.hi"
    " ORDER BY c.before, r.measured_at, c.device_id LIMIT %s"
)
_WAITING = (
    "SELECT q.id, q.device_id, d.interval_s, c.after, q.received_at, q.item"
    f" FROM {_PIECES} JOIN device d ON d.id = c.device_id"
    " JOIN quarantine q ON q.device_id = c.device_id AND q.measured_at >= c.lo AND q.measured_at < c.hi"
    "  AND q.code = 'unbound' AND q.decided_at IS NULL"
    " WHERE c.before IS NULL AND c.after IS NOT NULL ORDER BY q.received_at, q.id LIMIT %s FOR UPDATE OF q"
)
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def columns(changed: Sequence[Piece]) -> list[list[Any]]:
    """The pieces as parameters of `_PIECES`."""
    return [
        [piece.device_id for piece in changed],
        [piece.start or _FIRST for piece in changed],
        [piece.end or _LAST for piece in changed],
        [piece.before for piece in changed],
        [piece.after for piece in changed],
    ]


def leave(cur: Cursor[Any], changed: Sequence[Piece], *, most: int) -> list[Leaving]:
    """The stored readings that are somebody else's, at most one more than `most`."""
    rows = cur.execute(_LEAVING, [*columns(changed), most + 1]).fetchall()
    return [Leaving._make((*row[:7], _values(row[7:]))) for row in rows]


def _values(found: Sequence[Any]) -> Values:
    return {name: value for name, value in zip(vitals.NAMES, found, strict=True) if value is not None}


def waiting(cur: Cursor[Any], changed: Sequence[Piece], *, most: int) -> list[Waiting]:
    """What waits in the quarantine, nobody's until now, in the order in which it came."""
    return [Waiting(*row) for row in cur.execute(_WAITING, [*columns(changed), most + 1])]


_AMBIGUOUS = (
    "SELECT q.id, q.device_id, d.interval_s, %s::uuid, q.received_at, q.item"
    " FROM quarantine q JOIN device d ON d.id = q.device_id"
    " WHERE q.device_id = %s AND q.code = 'ambiguous' AND q.decided_at IS NULL"
    "  AND q.measured_at >= %s AND q.measured_at < %s"
    " ORDER BY q.received_at, q.id LIMIT %s FOR UPDATE OF q"
)


def ambiguous(
    cur: Cursor[Any], device_id: UUID, *, patient_id: UUID, start: datetime, end: datetime, most: int
) -> list[Waiting]:
    """What waits because it is too near to a change of wearer for the device's clock, as the patient's."""
    params = (patient_id, device_id, start, end, most + 1)
    return [Waiting(*row) for row in cur.execute(_AMBIGUOUS, params)]


_FORGET = (
    "DELETE FROM reading r USING unnest(%s::uuid[], %s::timestamptz[], %s::uuid[]) AS k (patient_id, at, source_id)"
    " WHERE r.patient_id = k.patient_id AND r.measured_at = k.at AND r.source_id = k.source_id"
    " AND r.measured_at BETWEEN %s AND %s"
)


def forget(cur: Cursor[Any], leaving: Sequence[Leaving], *, states: Mapping[UUID, State]) -> None:
    """Take the readings away from their patients, and look up the present values that came from them anew."""
    if not leaving:
        return
    times = [row.measured_at for row in leaving]
    keys = [[row.before for row in leaving], times, [row.device_id for row in leaving]]
    cur.execute(_FORGET, [*keys, min(times), max(times)])
    lost: dict[UUID, set[str]] = {}
    for row in leaving:
        states[row.before].touch(row.event_at)
        lost.setdefault(row.before, set()).update(row.values, vitals.names_in(row.off))
    for patient_id, names in lost.items():
        first = min(row.event_at for row in leaving if row.before == patient_id)
        last = max(row.event_at for row in leaving if row.before == patient_id)
        rebuild(cur, states[patient_id], names, first=first, last=last)


# The newest value by event time: one whose clock is fast may have a later `measured_at` and an earlier event.
_NEWEST = (
    "WITH c AS (SELECT least(measured_at, received_at) AS at FROM reading"
    "  WHERE patient_id = %s AND measured_at > %s AND {v} IS NOT NULL ORDER BY measured_at DESC LIMIT 1)"
    " SELECT r.{v} AS value, least(r.measured_at, r.received_at) AS at, d.interval_s FROM c"
    " JOIN reading r ON r.patient_id = %s AND r.measured_at >= c.at AND r.{v} IS NOT NULL"
    " LEFT JOIN device d ON d.id = r.source_id"
    " ORDER BY least(r.measured_at, r.received_at) DESC, r.measured_at DESC LIMIT 1"
)
_OFF = (
    "SELECT min(least(measured_at, received_at)) FROM reading"
    " WHERE patient_id = %s AND measured_at >= %s AND received_at >= %s AND sensor_off & %s <> 0"
)


def rebuild(cur: Cursor[Any], state: State, names: Iterable[str], *, first: datetime, last: datetime) -> None:
    """Look up anew the present values that may have come from readings of these times, which are gone."""
    for name in sorted(names):
        if name in state.latest and state.latest[name][1] > clock.epoch_ms(last):
            continue
        params = (state.patient_id, first - BACK, state.patient_id)
        row = cur.execute(_NEWEST.format(v=name).encode(), params).fetchone()
        state.latest.pop(name, None)
        state.off.pop(name, None)
        if row is not None:
            spot = name in SPOT or row[2] is None
            state.latest[name] = [
                row[0],
                clock.epoch_ms(row[1]),
                None if spot else continuous_interval(row[2]),
            ]
        if name in vitals.BIT:
            since = row[1] if row is not None else first - BACK
            found = cur.execute(_OFF, (state.patient_id, since, since, vitals.BIT[name])).fetchone()
            if found is not None and found[0] is not None:
                state.off[name] = clock.epoch_ms(found[0])


def keep_as_unbound(cur: Cursor[Any], leaving: Sequence[Leaving]) -> None:
    """What nobody wore waits in the quarantine for a decision, with the time at which it came."""
    _keep(cur, [(row, Kept(row.device_id, None, row.measured_at, UNBOUND, said(row))) for row in leaving])


def said(row: Leaving) -> str:
    """The reading in the words of a device: a sensor that was off says 0."""
    item: dict[str, Any] = {"measured_at": row.measured_at.isoformat(), **row.values}
    item.update(dict.fromkeys(vitals.names_in(row.off), 0))
    return plain(item)


_KEEP = (
    "INSERT INTO quarantine (id, key, device_id, patient_id, measured_at, code, pointer, detail, item, received_at)"
    " SELECT * FROM unnest(%s::uuid[], %s::bytea[], %s::uuid[], %s::uuid[], %s::timestamptz[], %s::text[], %s::text[],"
    "  %s::text[], %s::text[], %s::timestamptz[])"
    " ON CONFLICT (key) DO UPDATE SET decided_at = NULL, decided_by = NULL, decision = NULL, because = NULL"
)


def _keep(cur: Cursor[Any], items: Sequence[tuple[Leaving, Kept]]) -> None:
    lines = {
        kept.key: (
            clock.new_id(), kept.key, kept.device_id, kept.patient_id, kept.measured_at, kept.refusal.code,
            kept.pointer, kept.refusal.detail, kept.item, row.received_at,
        )
        for row, kept in items
    }  # fmt: skip
    if lines:
        ordered = [lines[key] for key in sorted(lines)]
        cur.execute(_KEEP, [list(column) for column in zip(*ordered, strict=True)])


def keep_as_conflict(cur: Cursor[Any], row: Leaving, refusal: Refusal) -> None:
    """The patient has another value of the same time: the first stands, this one is kept for review."""
    _keep(cur, [(row, Kept(row.device_id, row.after, row.measured_at, refusal, said(row)))])


_EVENTS = (
    f"UPDATE device_event e SET patient_id = c.after, judged_at = NULL FROM {_PIECES}"
    " WHERE e.device_id = c.device_id AND e.at >= c.lo AND e.at < c.hi AND e.patient_id IS NOT DISTINCT FROM c.before"
    " RETURNING c.before, c.after, least(e.at, e.received_at)"
)
_ASIDE = (
    f"UPDATE quarantine q SET patient_id = c.after FROM {_PIECES}"
    " WHERE q.device_id = c.device_id AND q.measured_at >= c.lo AND q.measured_at < c.hi AND q.patient_id = c.before"
)
_CORRECTED = (
    f"UPDATE correction o SET patient_id = c.after FROM {_PIECES}"
    " WHERE o.patient_id = c.before AND o.source_id = c.device_id AND o.measured_at >= c.lo AND o.measured_at < c.hi"
    " AND c.after IS NOT NULL"
)


def hand_over(cur: Cursor[Any], changed: Sequence[Piece], *, states: Mapping[UUID, State]) -> None:
    """What belongs to the readings goes with them: events of the device, refused values, corrections by hand."""
    params = columns(changed)
    for before, after, at in cur.execute(_EVENTS, params).fetchall():
        for patient_id in (before, after):
            if patient_id is not None:
                states[patient_id].touch(at)
    cur.execute(_ASIDE, params)
    cur.execute(_CORRECTED, params)


def plain(value: Mapping[str, Any]) -> str:
    """As JSON."""
    return msgspec.json.encode(value).decode()
