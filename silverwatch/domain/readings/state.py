"""What a set changes: against the set of the same key, and in the patient's present vitals. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from silverwatch import clock
from silverwatch.domain.readings import vitals
from silverwatch.domain.readings.accept import Refusal, Taken, Values, check_pressures, refuse_value

LONGEST_CONTINUOUS_S = 60
"""A vital that comes less often than this is a spot value: one valid reading decides."""

SPOT: Final = frozenset(vital.name for vital in vitals.ALL if vital.spot) | {vitals.CONSCIOUSNESS}
_PRESSURES = ("systolic_bp", "diastolic_bp", "mean_bp")


@dataclass(slots=True)
class Row:
    """A row of `reading`, new or `stored` before, and what this request adds to it.

    `original` is what its source said where a person has corrected it since, with the mask `sensor_off`.
    """

    patient_id: UUID
    measured_at: datetime
    source_id: UUID
    received_at: datetime
    values: Values
    off: int
    stored: bool = False
    original: dict[str, Any] | None = None
    interval_s: float | None = None
    added: Values = field(default_factory=dict)
    added_off: int = 0
    changed: bool = False
    seq: int = 0

    @property
    def event_at(self) -> datetime:
        """A fast clock of the source cannot put it into our future."""
        return min(self.measured_at, self.received_at)


@dataclass(slots=True)
class State:
    """A patient's `vital_state`, locked. `changed_from`: the smallest event time of what was added.

    `reattached` are the vitals whose sensor-off was ended by a valid value: whether a later sensor-off is
    stored already is a question to the readings (`off_again`).
    """

    patient_id: UUID
    seq: int
    latest: dict[str, list[Any]]
    off: dict[str, int]
    changed_from: datetime | None = None
    reattached: set[str] = field(default_factory=set)

    def touch(self, event_at: datetime) -> None:
        """Something with this event time waits to be judged."""
        if self.changed_from is None or event_at < self.changed_from:
            self.changed_from = event_at


def continuous_interval(interval_s: float) -> float | None:
    """The interval that `latest` carries for continuous vitals of such a source; None: they are spot values."""
    return interval_s if interval_s <= LONGEST_CONTINUOUS_S else None


def new_row(row: Row) -> Row:
    """The row as one to insert: all of it is added."""
    row.added, row.added_off, row.changed = row.values, row.off, True
    return row


def conflict(row: Row, taken: Taken) -> Refusal | None:
    """What the set says otherwise than the row of its key: the row stands, and nothing is added to it."""
    said = {**taken.values, **dict.fromkeys(vitals.names_in(taken.zeros), 0.0)}
    if row.original is not None:
        return _conflict_corrected(row.original, said)
    for name, value in said.items():
        have = row.values.get(name)
        if have is not None and have != value:
            return Refusal("conflict", name, f"{have} of the same time stands")
    return None


def _conflict_corrected(original: Mapping[str, Any], said: Mapping[str, Any]) -> Refusal | None:
    """A source that says again what it said is a duplicate; nothing is added to what a person has corrected."""
    off = vitals.names_in(original["sensor_off"])
    for name, value in said.items():
        if original.get(name) != value and not (value == 0 and name in off):
            return Refusal("conflict", name, "this set was corrected by hand, and nothing is added to it")
    return None


def complete(row: Row, taken: Taken) -> bool:
    """Add to a row what it lacks, where there is no `conflict`; False for a plain duplicate."""
    if row.original is not None:
        return False
    adds = {name: value for name, value in taken.values.items() if name not in row.values}
    pressures = [name for name in _PRESSURES if name in adds]
    if pressures and check_pressures({**row.values, **adds}):
        for name in pressures:
            del adds[name]
            refuse_value(taken, Refusal("implausible", name, "contradicts the set that it completes"))
    off = row.off
    for name in adds:
        off &= ~vitals.BIT.get(name, 0)
    for name in vitals.names_in(taken.off):
        if name not in row.values and name not in adds:
            off |= vitals.BIT[name]
    if not adds and off == row.off:
        return False
    row.added_off = (row.added_off & off) | (off & ~row.off)
    row.values.update(adds)
    row.added.update(adds)
    row.off = off
    row.changed = True
    return True


def fold(state: State, rows: list[Row]) -> None:
    """Take the rows of one patient into the latest values, whatever order they came in."""
    rows.sort(key=lambda row: (row.event_at, row.measured_at))
    for row in rows:
        state.seq += 1
        row.seq = state.seq
        state.touch(row.event_at)
        at = clock.epoch_ms(row.event_at)
        for name, value in row.added.items():
            _take_value(state, name, [value, at, None if name in SPOT else row.interval_s])
        if row.added_off:
            for name in vitals.names_in(row.added_off):
                _take_off(state, name, at)


def _take_value(state: State, name: str, value: list[Any]) -> None:
    have = state.latest.get(name)
    if have is not None and value[1] < have[1]:
        return
    state.latest[name] = value
    if name in state.off and state.off[name] <= value[1]:
        del state.off[name]
        state.reattached.add(name)


def _take_off(state: State, name: str, at: int) -> None:
    have = state.latest.get(name)
    if have is None or have[1] < at:
        state.off[name] = min(at, state.off.get(name, at))


def off_again(state: State, name: str, at: int | None) -> None:
    """The earliest stored sensor-off after the latest valid value, if there is one (epoch ms)."""
    if at is not None:
        _take_off(state, name, at)
