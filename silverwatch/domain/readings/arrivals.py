"""Readings that turn out to be a patient's: moved from another one, or taken out of the quarantine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import Cursor

from silverwatch.domain.readings import quarantine, store, vitals
from silverwatch.domain.readings.accept import Refusal, RefusedError, Span, Taken, take
from silverwatch.domain.readings.departures import Leaving, Waiting, keep_as_conflict
from silverwatch.domain.readings.quarantine import Kept
from silverwatch.domain.readings.state import Row, complete, conflict, continuous_interval, new_row
from silverwatch.domain.readings.write import complete_rows

ANY_TIME: Final = Span(datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
"""What is in the quarantine was in time when it came."""


@dataclass(slots=True)
class Settled:
    """What becomes of the arrivals: rows to insert or to complete, items that are decided, and those that conflict."""

    rows: dict[tuple[UUID, datetime, UUID], Row] = field(default_factory=dict)
    decided: list[tuple[UUID, UUID]] = field(default_factory=list)
    conflicts: list[tuple[UUID, UUID, Refusal]] = field(default_factory=list)
    aside: list[tuple[Kept, datetime]] = field(default_factory=list)

    @property
    def changed(self) -> list[Row]:
        """The rows to insert or to complete, in the order of their keys."""
        found = [row for row in self.rows.values() if row.changed]
        return sorted(found, key=lambda row: (row.patient_id.int, row.measured_at, row.source_id.int))


def settle(cur: Cursor[Any], leaving: Sequence[Leaving], waiting: Sequence[Waiting]) -> Settled:
    """Each arrival against what its patient has of the same time, and against those before it."""
    found = Settled()
    moved = [(row, row.after) for row in leaving if row.after is not None]
    parsed = [(item, _taken(item.item)) for item in waiting]
    keys = {(patient, row.measured_at, row.device_id) for row, patient in moved}
    keys |= {(item.after, taken.measured_at, item.device_id) for item, taken in parsed if taken is not None}
    _look(cur, found, keys)
    for row, patient_id in moved:
        taken = Taken(None, row.measured_at, dict(row.values), 0, row.off, [])
        source = row.device_id, row.interval_s
        refusal = _settle(found, patient_id, taken, source=source, received_at=row.received_at)
        if refusal is not None:
            keep_as_conflict(cur, row, refusal)
    for item, given in parsed:
        if given is None:
            # Nothing of it can be stored: it stays where it is, for a person to decide.
            continue
        source = item.device_id, item.interval_s
        refusal = None
        if given.values or given.off:
            refusal = _settle(found, item.after, given, source=source, received_at=item.received_at)
        if refusal is not None:
            found.conflicts.append((item.id, item.after, refusal))
            continue
        found.decided.append((item.id, item.after))
        for aside in given.refusals:
            kept = Kept(item.device_id, item.after, given.measured_at, aside, item.item)
            found.aside.append((kept, item.received_at))
    return found


def _taken(item: str) -> Taken | None:
    try:
        return take(msgspec.json.decode(item), ANY_TIME)
    except (RefusedError, msgspec.DecodeError):
        return None


def _look(cur: Cursor[Any], found: Settled, keys: Iterable[tuple[UUID, datetime, UUID]]) -> None:
    """What is stored of these keys already."""
    by_patient: dict[UUID, list[tuple[UUID, datetime]]] = {}
    for patient_id, at, source_id in keys:
        by_patient.setdefault(patient_id, []).append((source_id, at))
    for patient_id, wanted in by_patient.items():
        for (source_id, at), row in store.stored_rows(cur, wanted, [patient_id]).items():
            found.rows[patient_id, at, source_id] = row


def _settle(
    found: Settled, patient_id: UUID, taken: Taken, *, source: tuple[UUID, float], received_at: datetime
) -> Refusal | None:
    key = (patient_id, taken.measured_at, source[0])
    row = found.rows.get(key)
    if row is None:
        row = new_row(Row(patient_id, taken.measured_at, source[0], received_at, taken.values, taken.off))
        found.rows[key] = row
    elif refusal := conflict(row, taken):
        return refusal
    else:
        complete(row, taken)
    row.interval_s = continuous_interval(source[1])
    return None


_COLUMNS: Final = (
    "patient_id",
    "measured_at",
    "source_id",
    "seq",
    "received_at",
    "sensor_off",
    *vitals.NAMES,
)
_TYPES: Final = (
    *("uuid", "timestamptz", "uuid", "int8", "timestamptz", "int4"),
    *("text" if name == vitals.CONSCIOUSNESS else "float8" for name in vitals.NAMES),
)
_INSERT = (
    f"INSERT INTO reading ({', '.join(_COLUMNS)}, source_kind) SELECT n.*, 'device'"
    f" FROM unnest({', '.join(f'%s::{kind}[]' for kind in _TYPES)}) AS n"
)
_DECIDED = (
    "UPDATE quarantine SET decided_at = %s, decided_by = %s, decision = 'attributed', patient_id = n.patient_id"
    " FROM unnest(%s::uuid[], %s::uuid[]) AS n (id, patient_id) WHERE quarantine.id = n.id"
)
_CONFLICTS = (
    "UPDATE quarantine SET code = 'conflict', pointer = n.pointer, detail = n.detail, patient_id = n.patient_id"
    " FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[]) AS n (id, patient_id, pointer, detail)"
    " WHERE quarantine.id = n.id"
)


def write(cur: Cursor[Any], settled: Settled, *, by: UUID | None, now: datetime) -> None:
    """Insert and complete the rows; what waited is decided, or waits as a conflict."""
    changed = settled.changed
    complete_rows(cur, [row for row in changed if row.stored])
    new = [row for row in changed if not row.stored]
    if new:
        lines = [
            (
                r.patient_id,
                r.measured_at,
                r.source_id,
                r.seq,
                r.received_at,
                r.off,
                *map(r.values.get, vitals.NAMES),
            )
            for r in new
        ]
        cur.execute(_INSERT.encode(), [list(column) for column in zip(*lines, strict=True)])
    if settled.decided:
        cur.execute(_DECIDED, [now, by, *(list(column) for column in zip(*settled.decided, strict=True))])
    if settled.conflicts:
        ids, patients, refusals = (list(column) for column in zip(*settled.conflicts, strict=True))
        pointers = [quarantine.pointer(refusal.field) for refusal in refusals]
        cur.execute(_CONFLICTS, [ids, patients, pointers, [refusal.detail for refusal in refusals]])
    for kept, received_at in settled.aside:
        quarantine.keep(cur, [kept], received_at=received_at)
