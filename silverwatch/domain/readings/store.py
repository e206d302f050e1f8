"""What is stored already: bindings, states (locked), sets of the same key. One statement for any batch."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg import Cursor
from psycopg.types.numeric import Int4

from silverwatch import clock
from silverwatch.domain.devices.queries import Speaker
from silverwatch.domain.readings import vitals
from silverwatch.domain.readings.state import Row, State, off_again

Key = tuple[UUID, datetime]
"""What identifies a set: its source and the source's word for when."""


class Bound(NamedTuple):
    """A device speaks about a patient from `start` until before `end`; None is without end."""

    patient_id: UUID
    start: datetime | None
    end: datetime | None

    def covers(self, moment: datetime) -> bool:
        """Is the moment inside the interval?"""
        return (self.start is None or self.start <= moment) and (self.end is None or moment < self.end)


_STATE = "v.patient_id, v.seq, v.latest::text AS latest, v.off::text AS off"
_BOUND = (
    "WITH bound AS MATERIALIZED ("
    "  SELECT b.device_id, b.patient_id, lower(b.during) AS start, upper(b.during) AS stop"
    "  FROM unnest(%s::uuid[]) AS k (id) JOIN binding b ON b.device_id = k.id"
    "  WHERE b.during && tstzrange(%s, %s, '[]')),"
    f" state AS MATERIALIZED (SELECT {_STATE} FROM vital_state v"
    "  WHERE v.patient_id IN (SELECT patient_id FROM bound) ORDER BY v.patient_id FOR UPDATE)"
    " SELECT device_id, patient_id, start, stop, NULL AS seq, NULL AS latest, NULL AS off FROM bound"
    " UNION ALL SELECT NULL, patient_id, NULL, NULL, seq, latest, off FROM state"
)
# Who speaks, whom the device is on now, and that patient's state, the rows of device and patient locked in
# this order. The bindings are those of the statement's beginning: if the device's row was written while we
# waited for its lock (another xmin), they may be old.
_OPEN = (
    "WITH me AS MATERIALIZED ("
    "  SELECT d.id, d.serial, d.interval_s, d.kind = 'gateway' AS is_gateway, d.ward_id, s.xmin AS seen"
    "  FROM device_key k JOIN device d ON d.id = k.device_id JOIN device_state s ON s.device_id = d.id"
    "  WHERE k.hash = %s AND k.revoked_at IS NULL AND (k.ends_at IS NULL OR k.ends_at > %s)"
    "   AND d.retired_at IS NULL),"
    " locked AS MATERIALIZED ("
    "  SELECT s.skew_s, s.last_reading_at, s.xmin AS held FROM me JOIN device_state s ON s.device_id = me.id"
    "  WHERE NOT me.is_gateway FOR UPDATE OF s),"
    " bound AS MATERIALIZED ("
    "  SELECT b.patient_id, lower(b.during) AS start, upper(b.during) AS stop"
    "  FROM me JOIN locked l ON l.held = me.seen JOIN binding b ON b.device_id = me.id"
    "  WHERE b.during @> %s::timestamptz),"
    f" state AS MATERIALIZED (SELECT {_STATE} FROM vital_state v"
    "  WHERE v.patient_id IN (SELECT patient_id FROM bound) FOR UPDATE)"
    " SELECT me.id, me.serial, me.interval_s, l.skew_s, l.last_reading_at, me.is_gateway, me.ward_id,"
    "  b.start, b.stop, n.patient_id, n.seq, n.latest, n.off"
    " FROM me LEFT JOIN locked l ON true LEFT JOIN bound b ON true"
    " LEFT JOIN state n ON n.patient_id = b.patient_id"
)
# The same without a lock: `seen` is the version of the device's row. Whoever binds it to somebody else writes it.
_LOOK = (
    "SELECT k.hash, d.id, d.serial, d.interval_s, s.skew_s, s.last_reading_at, d.kind = 'gateway', d.ward_id,"
    "  lower(b.during), upper(b.during), v.patient_id, v.seq, v.latest::text, v.off::text, s.xmin::text AS seen"
    " FROM device_key k JOIN device d ON d.id = k.device_id JOIN device_state s ON s.device_id = d.id"
    " LEFT JOIN binding b ON b.device_id = d.id AND d.kind <> 'gateway' AND b.during @> %s::timestamptz"
    " LEFT JOIN vital_state v ON v.patient_id = b.patient_id"
    " WHERE k.hash = ANY(%s) AND k.revoked_at IS NULL AND (k.ends_at IS NULL OR k.ends_at > %s)"
    "  AND d.retired_at IS NULL"
)
_LOCK = f"SELECT {_STATE} FROM vital_state v WHERE v.patient_id = ANY(%s) ORDER BY v.patient_id FOR UPDATE"
_NEW_STATE = (
    "INSERT INTO vital_state (patient_id) SELECT * FROM unnest(%s::uuid[]) AS n (id) ORDER BY id"
    " ON CONFLICT DO NOTHING"
)


class Present(NamedTuple):
    """The patient whom a device is on now: the binding, and the locked state."""

    bound: Bound
    state: State

    def covers(self, start: datetime, end: datetime) -> bool:
        """Is there no other binding to think of for this span?"""
        return self.bound.covers(start) and self.bound.covers(end)


def open_post(cur: Cursor[Any], key_hash: bytes, *, now: datetime) -> tuple[Speaker, Present | None] | None:
    """Whose key it is, and whom the device is on; None for an unknown or revoked key or a retired device.

    Locks the rows of a device that speaks for itself and of its patient. A gateway's are locked by
    `lock_sources`, together with those of its devices and in the order of ids.
    """
    row = cur.execute(_OPEN, (key_hash, now, now), prepare=True).fetchone()
    if row is None:
        return None
    start, stop, patient_id, seq, latest, off = row[7:]
    present = None
    if patient_id is not None:
        present = Present(Bound(patient_id, start, stop), _state(patient_id, seq, latest, off))
    return Speaker(*row[:7]), present


class Looked(NamedTuple):
    """What `look` found: `seen`, the version of the device's row, and `seq` of the state are what it depends on."""

    speaker: Speaker
    present: Present | None
    seen: str
    seq: int


def look(cur: Cursor[Any], key_hashes: Sequence[bytes], *, now: datetime) -> dict[bytes, Looked]:
    """As `open_post` for many keys at once, but nothing is locked. The keys that open nothing are missing."""
    found = {}
    for row in cur.execute(_LOOK, (now, list(key_hashes), now), prepare=True):
        start, stop, patient_id, seq, latest, off, seen = row[8:]
        present = None
        if patient_id is not None:
            present = Present(Bound(patient_id, start, stop), _state(patient_id, seq, latest, off))
        found[row[0]] = Looked(Speaker(*row[1:8]), present, seen, seq or 0)
    return found


def lock_bound(
    cur: Cursor[Any], device_ids: Sequence[UUID], *, start: datetime, end: datetime
) -> tuple[dict[UUID, list[Bound]], dict[UUID, State]]:
    """The bindings of each device that touch the span, and the locked states of their patients."""
    rows = cur.execute(_BOUND, (list(device_ids), start, end), prepare=True).fetchall()
    bound: dict[UUID, list[Bound]] = {}
    states: dict[UUID, State] = {}
    for device_id, patient_id, since, until, seq, latest, off in rows:
        if device_id is None:
            states[patient_id] = _state(patient_id, seq, latest, off)
        else:
            bound.setdefault(device_id, []).append(Bound(patient_id, since, until))
    patients = {part.patient_id for parts in bound.values() for part in parts}
    if len(states) < len(patients):
        states = lock_states(cur, patients)
    return bound, states


def lock_states(cur: Cursor[Any], patient_ids: Collection[UUID]) -> dict[UUID, State]:
    """The states of these patients, locked in the order of ids; made where there is none yet."""
    wanted = list(patient_ids)
    states: dict[UUID, State] = {}
    for _ in range(2):
        for row in cur.execute(_LOCK, (wanted,), prepare=True):
            states[row[0]] = _state(*row)
        if len(states) == len(wanted):
            break
        cur.execute(_NEW_STATE, (wanted,))
    return states


def _state(patient_id: UUID, seq: int, latest: str, off: str) -> State:
    return State(patient_id, seq, msgspec.json.decode(latest), msgspec.json.decode(off))


_SAME_KEY = (
    "SELECT r.patient_id, r.measured_at, r.source_id, r.received_at, r.sensor_off, "
    + ", ".join(f"r.{name}" for name in vitals.NAMES)
    + ", (SELECT c.before FROM correction c WHERE c.patient_id = r.patient_id AND c.measured_at = r.measured_at"
    "   AND c.source_id = r.source_id AND c.number = 1) AS original"
    " FROM unnest(%s::uuid[], %s::timestamptz[]) AS k (source_id, measured_at)"
    " JOIN reading r ON r.source_id = k.source_id AND r.measured_at = k.measured_at"
    " WHERE r.patient_id = ANY(%s) AND r.measured_at BETWEEN %s AND %s"
)


def stored_rows(cur: Cursor[Any], keys: Collection[Key], patient_ids: Collection[UUID]) -> dict[Key, Row]:
    """The sets of these keys that are stored already, for whichever of the patients."""
    if not keys or not patient_ids:
        return {}
    sources, times = [key[0] for key in keys], [key[1] for key in keys]
    found = {}
    for row in cur.execute(_SAME_KEY, (sources, times, list(patient_ids), min(times), max(times))):
        values = {name: v for name, v in zip(vitals.NAMES, row[5:-1], strict=True) if v is not None}
        found[row[2], row[1]] = Row(
            row[0], row[1], row[2], row[3], values, row[4], stored=True, original=row[-1]
        )
    return found


_OFF_AGAIN = (
    "SELECT k.patient_id, k.name, (SELECT min(least(r.measured_at, r.received_at)) FROM reading r"
    "  WHERE r.patient_id = k.patient_id AND r.measured_at >= k.at AND r.received_at >= k.at"
    "  AND r.sensor_off & k.bit <> 0)"
    " FROM unnest(%s::uuid[], %s::text[], %s::int4[], %s::timestamptz[]) AS k (patient_id, name, bit, at)"
)


def look_for_later_off(cur: Cursor[Any], states: Iterable[State]) -> None:
    """Where a late valid value ended a sensor-off, find the next one stored: the order must not matter."""
    asked = [(state, name) for state in states for name in state.reattached if name in vitals.BIT]
    if not asked:
        return
    by_id = {state.patient_id: state for state, _ in asked}
    columns = (
        [state.patient_id for state, _ in asked],
        [name for _, name in asked],
        [Int4(vitals.BIT[name]) for _, name in asked],
        [clock.from_epoch_ms(state.latest[name][1] + 1) for state, name in asked],
    )
    for patient_id, name, at in cur.execute(_OFF_AGAIN, columns):
        off_again(by_id[patient_id], name, None if at is None else clock.epoch_ms(at))


def grouped(rows: Iterable[Row]) -> Mapping[UUID, list[Row]]:
    """The rows of each patient."""
    found: dict[UUID, list[Row]] = {}
    for row in rows:
        found.setdefault(row.patient_id, []).append(row)
    return found
