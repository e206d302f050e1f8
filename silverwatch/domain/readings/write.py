"""Write readings and the state beside them, on psycopg: one statement for any batch.

Only the columns that a batch uses are sent. One row goes as VALUES, more as arrays; the texts are few and
cached, so that PostgreSQL prepares each once a connection.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from psycopg import Cursor
from psycopg.types.numeric import Int4, Int8

from silverwatch.domain.readings import vitals
from silverwatch.domain.readings.state import Row, State


@dataclass(slots=True)
class Heard:
    """What a post says about a device: a row of `device_state`. None leaves what is there."""

    device_id: UUID
    last_reading_at: datetime | None = None
    skew_s: float | None = None
    battery: int | None = None
    signal_dbm: int | None = None
    firmware: str | None = None


_ROW_TYPES: Final = ("uuid", "timestamptz", "uuid", "int8", "int4")
_ROW_NAMES: Final = ("patient_id", "measured_at", "source_id", "seq", "sensor_off")
_STATE_TYPES: Final = ("uuid", "int8", "jsonb", "jsonb", "timestamptz")
_STATE_NAMES: Final = ("patient_id", "seq", "latest", "off", "changed_from")
_HEARD_TYPES: Final = ("uuid", "timestamptz", "float8", "int4", "int4", "text")
_HEARD_NAMES: Final = ("device_id", "last_reading_at", "skew_s", "battery", "signal_dbm", "firmware")
_HEARD_SET: Final = (
    "last_seen_at = {at}, last_reading_at = greatest(d.last_reading_at, n.last_reading_at),"
    " skew_s = coalesce(n.skew_s, d.skew_s), battery = coalesce(n.battery, d.battery),"
    " signal_dbm = coalesce(n.signal_dbm, d.signal_dbm), firmware = coalesce(n.firmware, d.firmware)"
)
_STATE_SET: Final = (
    "seq = n.seq, latest = n.latest, off = n.off, unjudged_since = coalesce(v.unjudged_since, {at}),"
    " unjudged_from = least(v.unjudged_from, n.changed_from)"
)


def write(
    cur: Cursor[Any],
    rows: Sequence[Row],
    *,
    states: Sequence[State],
    heard: Sequence[Heard],
    received_at: datetime,
    source_kind: str,
) -> None:
    """Insert the rows, update states and devices, all in one statement that travels with the commit.

    Where somebody stored the same key meanwhile it fails as DivisionByZero: roll back and look first.
    """
    used = {name for row in rows for name in row.values}
    columns = tuple(name for name in vitals.NAMES if name in used)
    parameters: list[Any] = []
    if heard:
        parameters += _heard_values(heard[0]) if len(heard) == 1 else [msgspec.json.encode(heard).decode()]
        parameters.append(received_at)
    if states:
        parameters += _state_values(states[0]) if len(states) == 1 else [_states_json(states)]
        parameters.append(received_at)
    if rows:
        parameters += (received_at, source_kind)
        lines = [_row_values(row, columns) for row in rows]
        parameters += lines[0] if len(lines) == 1 else _arrays(lines)
        parameters.append(len(rows))
    if not parameters:
        return
    counts = (min(len(rows), 2), min(len(states), 2), min(len(heard), 2))
    text = _write_text(columns, *counts)
    cur.execute(text, parameters, prepare=True)


def _row_values(row: Row, columns: tuple[str, ...]) -> list[Any]:
    values = row.values
    return [
        row.patient_id,
        row.measured_at,
        row.source_id,
        Int8(row.seq),
        Int4(row.off),
        *[values.get(name) for name in columns],
    ]


def _state_values(state: State) -> list[Any]:
    latest, off = msgspec.json.encode(state.latest).decode(), msgspec.json.encode(state.off).decode()
    return [state.patient_id, Int8(state.seq), latest, off, state.changed_from]


def _heard_values(heard: Heard) -> list[Any]:
    return [
        heard.device_id,
        heard.last_reading_at,
        # Numbers as text: None and a number then have one type, and the statement is prepared once.
        None if heard.skew_s is None else repr(heard.skew_s),
        None if heard.battery is None else str(heard.battery),
        None if heard.signal_dbm is None else str(heard.signal_dbm),
        heard.firmware,
    ]


def _states_json(states: Sequence[State]) -> str:
    """The columns of many states for `jsonb_to_recordset`."""
    names = _STATE_NAMES
    return msgspec.json.encode([{name: getattr(state, name) for name in names} for state in states]).decode()


def _arrays(lines: Sequence[Sequence[Any]]) -> list[str]:
    """The columns of the lines as array literals: our values need no quoting, and this is much faster than
    the driver's way through each element."""
    return [_array(column) for column in zip(*lines, strict=True)]


def _array(column: Sequence[Any]) -> str:
    return "{" + ",".join(["NULL" if value is None else str(value) for value in column]) + "}"


@lru_cache(maxsize=256)
def _write_text(columns: tuple[str, ...], rows: int, states: int, heard: int) -> bytes:
    """The statement for these columns and for none, one or many rows, states and devices."""
    parts = []
    if heard:
        parts.append(
            f"heard AS (UPDATE device_state d SET {_HEARD_SET.format(at='m.at')}"
            f" FROM {_records(_HEARD_NAMES, _HEARD_TYPES, many=heard > 1)},"
            " (VALUES (%s::timestamptz)) AS m (at)"
            " WHERE d.device_id = n.device_id RETURNING 1)"
        )
    if states:
        parts.append(
            f"states AS (UPDATE vital_state v SET {_STATE_SET.format(at='m.at')}"
            f" FROM {_records(_STATE_NAMES, _STATE_TYPES, many=states > 1)},"
            " (VALUES (%s::timestamptz)) AS m (at)"
            " WHERE v.patient_id = n.patient_id RETURNING 1)"
        )
    if rows:
        names = (*_ROW_NAMES, *columns)
        types = _types(columns)
        listed = ", ".join(names)
        new = _values(names, types) if rows == 1 else _unnest(names, types)
        parts.append(
            f"stored AS (INSERT INTO reading ({listed}, received_at, source_kind)"
            f" SELECT {listed}, %s::timestamptz, %s FROM {new}"
            " ON CONFLICT DO NOTHING RETURNING 1)"
        )
    # There is no other way for a statement to fail by what it found, without a function in the database.
    check = "1 / (CASE WHEN (SELECT count(*) FROM stored) = %s::int8 THEN 1 ELSE 0 END)" if rows else "1"
    return f"WITH {', '.join(parts)} SELECT {check}".encode()


def _types(columns: tuple[str, ...]) -> tuple[str, ...]:
    return (*_ROW_TYPES, *("text" if name == vitals.CONSCIOUSNESS else "float8" for name in columns))


def _values(names: Sequence[str], types: Sequence[str]) -> str:
    """One row: the planner knows that it is one, and takes the index."""
    return f"(VALUES ({', '.join(f'%s::{kind}' for kind in types)})) AS n ({', '.join(names)})"


def _unnest(names: Sequence[str], types: Sequence[str]) -> str:
    return f"unnest({', '.join(f'%s::{kind}[]' for kind in types)}) AS n ({', '.join(names)})"


def _records(names: Sequence[str], types: Sequence[str], *, many: bool) -> str:
    if not many:
        return _values(names, types)
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(names, types, strict=True))
    return f"jsonb_to_recordset(%s::jsonb) AS n ({columns})"


class Plain(NamedTuple):
    """A post to `write_together`: what it says, and the versions of the device's row and of the state that it read."""

    heard: Heard
    seen: str
    state: State
    was: int
    rows: Sequence[Row]


_ASKED: Final = (
    *zip(_HEARD_NAMES, _HEARD_TYPES, strict=True),
    *zip(_STATE_NAMES, _STATE_TYPES, strict=True),
    ("seen", "text"),
    ("was", "int8"),
    ("items", "int8"),
)


def write_together(cur: Cursor[Any], posts: Sequence[Plain], *, received_at: datetime) -> list[UUID]:
    """Write posts of different devices about different patients, in one statement; gives whose was written.

    It waits for nobody's lock, and leaves out each post whose device or patient is locked or has changed since it was
    read. Fails as DivisionByZero, with nothing written, where somebody stored one of the keys meanwhile.
    """
    rows = [row for post in posts for row in post.rows]
    used = {name for row in rows for name in row.values}
    columns = tuple(name for name in vitals.NAMES if name in used)
    asked = msgspec.json.encode([_asked(post) for post in posts]).decode()
    arrays = _arrays([_row_values(row, columns) for row in rows])
    parameters = [asked, received_at, received_at, received_at, *arrays]
    return [row[0] for row in cur.execute(_together_text(columns), parameters, prepare=True)]


def _asked(post: Plain) -> dict[str, Any]:
    heard, state = post.heard, post.state
    line: dict[str, Any] = {name: getattr(heard, name) for name in _HEARD_NAMES}
    line |= {name: getattr(state, name) for name in _STATE_NAMES}
    return line | {"seen": post.seen, "was": post.was, "items": len(post.rows)}


@lru_cache(maxsize=256)
def _together_text(columns: tuple[str, ...]) -> bytes:
    """Locks in the order device, patient, readings, as everywhere, but skips what somebody else holds."""
    names = (*_ROW_NAMES, *columns)
    listed = ", ".join(names)
    fields = ", ".join(f"{name} {kind}" for name, kind in _ASKED)
    check = "count(*) = (SELECT sum(a.items) FROM asked a JOIN patient USING (patient_id))"
    return (
        f"WITH asked AS MATERIALIZED (SELECT * FROM jsonb_to_recordset(%s::jsonb) AS a ({fields})),"
        " device AS MATERIALIZED ("
        "  SELECT d.device_id FROM asked a JOIN device_state d ON d.device_id = a.device_id"
        "  WHERE d.xmin = a.seen::xid FOR UPDATE OF d SKIP LOCKED),"
        " patient AS MATERIALIZED ("
        "  SELECT v.patient_id FROM device JOIN asked a ON a.device_id = device.device_id"
        "  JOIN vital_state v ON v.patient_id = a.patient_id WHERE v.seq = a.was FOR UPDATE OF v SKIP LOCKED),"
        f" heard AS (UPDATE device_state d SET {_HEARD_SET.format(at='%s::timestamptz')}"
        "  FROM asked n JOIN patient p ON p.patient_id = n.patient_id WHERE d.device_id = n.device_id),"
        f" states AS (UPDATE vital_state v SET {_STATE_SET.format(at='%s::timestamptz')}"
        "  FROM asked n JOIN patient p ON p.patient_id = n.patient_id WHERE v.patient_id = n.patient_id),"
        f" stored AS (INSERT INTO reading ({listed}, received_at, source_kind)"
        f"  SELECT {', '.join(f'n.{name}' for name in names)}, %s::timestamptz, 'device'"
        f"  FROM patient p JOIN {_unnest(names, _types(columns))} ON n.patient_id = p.patient_id"
        "  ON CONFLICT DO NOTHING RETURNING 1)"
        f" SELECT patient_id, 1 / (SELECT CASE WHEN {check} THEN 1 ELSE 0 END FROM stored) FROM patient"
    ).encode()


_COMPLETE = (
    "UPDATE reading r SET seq = n.seq, sensor_off = n.sensor_off, "
    + ", ".join(f"{name} = n.{name}" for name in vitals.NAMES)
    + " FROM "
    + _unnest((*_ROW_NAMES, *vitals.NAMES), (*_ROW_TYPES, *("float8" for _ in vitals.NUMERIC), "text"))
    + " WHERE r.patient_id = n.patient_id AND r.measured_at = n.measured_at AND r.source_id = n.source_id"
    " AND r.measured_at BETWEEN %s AND %s"
)


def complete_rows(cur: Cursor[Any], rows: Sequence[Row]) -> None:
    """Write what was added to rows that are stored already."""
    if not rows:
        return
    lines = [_row_values(row, vitals.NAMES) for row in rows]
    times = [row.measured_at for row in rows]
    cur.execute(_COMPLETE, [*_arrays(lines), min(times), max(times)])
