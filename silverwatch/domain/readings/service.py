"""Store readings exactly once, and say what became of each item. The caller commits, and tells afterwards."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor, errors

from silverwatch.domain.devices.queries import Speaker, lock_sources
from silverwatch.domain.errors import DomainError
from silverwatch.domain.readings import quarantine, store, vitals
from silverwatch.domain.readings.accept import AHEAD, Refusal, RefusedError, Span, Taken, take
from silverwatch.domain.readings.intake import Batch, EventEntry, Intake, Outcome, Rejected, wearer
from silverwatch.domain.readings.partitions import Window
from silverwatch.domain.readings.state import Row, State, complete, conflict, fold, new_row
from silverwatch.domain.readings.store import Bound
from silverwatch.domain.readings.write import Heard, complete_rows, write

window = Window()


class RacedError(Exception):
    """Somebody stored the same key meanwhile, or a partition went: roll back and run again, `careful`."""


class UnpreparedError(DomainError):
    """No partition of readings is attached."""


def store_readings(
    cur: Cursor[Any],
    speaker: Speaker,
    *,
    present: store.Present | None,
    batch: Batch,
    received_at: datetime,
    careful: bool = False,
) -> Outcome:
    """Store a post of the device or gateway that `store.open_post` found.

    Without `careful` it looks for stored sets of the same keys only if the device's newest reading makes them
    likely. Raises ForeignDeviceError, RacedError, UnpreparedError.
    """
    intake = Intake(batch, speaker=speaker, received_at=received_at)
    serials = intake.read(span(cur, received_at))
    intake.resolve(lock_sources(cur, speaker, serials=serials))
    bound: Mapping[UUID, list[Bound]] = {}
    states: Mapping[UUID, State] = {}
    times = intake.span()
    if times is not None and present is not None and present.covers(*times):
        bound, states = {speaker.id: [present.bound]}, {present.bound.patient_id: present.state}
    elif times is not None:
        devices = {e.source.id for e in intake.entries} | {e.source.id for e in intake.events}
        bound, states = store.lock_bound(cur, list(devices), start=times[0], end=times[1])
    attributed = list(intake.attribute(bound))
    known = {}
    if careful or intake.may_be_known(bound):
        keys = {(entry.source.id, entry.taken.measured_at) for entry, _ in attributed}
        known = store.stored_rows(cur, keys, states)
    intake.settle(attributed, known)
    if intake.events:
        _store_events(cur, intake, bound, states)
    if intake.quarantined:
        quarantine.keep(cur, intake.quarantined, received_at=received_at)
    heard = sorted(intake.heard.values(), key=lambda device: device.device_id.int)
    _write(cur, intake.changed, states=states, heard=heard, received_at=received_at)
    intake.outcome.rejected.sort(key=lambda rejected: (rejected.place != "readings", rejected.index))
    return intake.outcome


def store_observation(
    cur: Cursor[Any],
    *,
    patient_id: UUID,
    source_id: UUID,
    measured_at: datetime,
    values: Mapping[str, Any],
    received_at: datetime,
    entered_by: UUID | None = None,
    confirmed: Collection[str] = (),
) -> Outcome:
    """Store a set that a person measured; `source_id` is the form's own uuid, so that a resend is a
    duplicate. `confirmed` are the vitals that were unusual and were looked at twice.

    All or nothing: if any value is refused, nothing is stored and `rejected` names the fields. Raises
    RacedError if the same form is being stored by another request.
    """
    outcome = Outcome()
    try:
        taken = take({**values, "measured_at": measured_at.isoformat()}, span(cur, received_at))
    except RefusedError as error:
        outcome.rejected.append(Rejected("readings", 0, error.refusal))
        return outcome
    _mean_zeros(taken)
    if taken.refusals:
        outcome.rejected += [Rejected("readings", 0, refusal) for refusal in taken.refusals]
        return outcome
    states = store.lock_states(cur, [patient_id])
    row = store.stored_rows(cur, [(source_id, taken.measured_at)], [patient_id]).get(
        (source_id, taken.measured_at)
    )
    if row is None and _is_saved(cur, patient_id, source_id, since=received_at - ONE_FORM):
        already = Refusal("conflict", "", "this form is saved already with another time")
        outcome.rejected.append(Rejected("readings", 0, already))
        return outcome
    if row is None:
        row = Row(patient_id, taken.measured_at, source_id, received_at, taken.values, 0)
        new_row(row)
        outcome.stored = 1
    elif refusal := conflict(row, taken):
        outcome.rejected.append(Rejected("readings", 0, refusal))
        return outcome
    elif complete(row, taken):
        outcome.stored = 1
    else:
        outcome.duplicates = 1
    changed = [row] if row.changed else []
    _write(cur, changed, states=states, heard=[], received_at=received_at, source_kind="manual")
    if changed and entered_by is not None:
        entry = (patient_id, row.measured_at, source_id, entered_by, received_at, sorted(confirmed))
        cur.execute(_ENTRY, entry)
    return outcome


ONE_FORM: Final = timedelta(days=2)
"""So long a form that is sent again with another time is still the same form."""


def _is_saved(cur: Cursor[Any], patient_id: UUID, source_id: UUID, *, since: datetime) -> bool:
    query = "SELECT 1 FROM observation_entry WHERE patient_id = %s AND measured_at > %s AND source_id = %s"
    return cur.execute(query, (patient_id, since, source_id)).fetchone() is not None


_ENTRY = (
    "INSERT INTO observation_entry (patient_id, measured_at, source_id, account_id, entered_at, confirmed)"
    " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
)


def span(cur: Cursor[Any], received_at: datetime) -> Span:
    """The measured times that can be stored now."""
    try:
        return Span(window.span(cur.connection)[0], received_at + AHEAD)
    except LookupError as error:
        raise UnpreparedError(str(error)) from error


def _mean_zeros(taken: Taken) -> None:
    """A person who writes 0 means 0: there is no sensor that could be off."""
    for name in vitals.names_in(taken.zeros):
        vital = vitals.BY_NAME[name]
        if vitals.is_plausible(vital, 0):
            taken.values[name] = 0.0
        else:
            taken.refusals.append(Refusal("implausible", name, f"not 0 {vital.unit}"))
    taken.zeros = taken.off = 0


def _write(
    cur: Cursor[Any],
    changed: list[Row],
    *,
    states: Mapping[UUID, State],
    heard: list[Heard],
    received_at: datetime,
    source_kind: str = "device",
) -> None:
    """Fold the rows into the states of their patients and write all of it."""
    for patient_id, rows in store.grouped(changed).items():
        fold(states[patient_id], rows)
    touched = [state for _, state in sorted(states.items()) if state.changed_from is not None]
    store.look_for_later_off(cur, touched)
    complete_rows(cur, [row for row in changed if row.stored])
    new = [row for row in changed if not row.stored]
    write(cur, new, states=touched, heard=heard, received_at=received_at, source_kind=source_kind)


@contextmanager
def racing() -> Iterator[None]:
    """Around the whole transaction, commit included: turns what a race looks like into RacedError."""
    try:
        yield
    except errors.DivisionByZero as error:
        raise RacedError from error
    except errors.CheckViolation as error:
        # Its partition was detached since we looked.
        window.forget()
        raise RacedError from error


_EVENTS = (
    "INSERT INTO device_event (device_id, at, kind, patient_id, received_at)"
    " SELECT n.*, %s FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[], %s::uuid[]) AS n"
    " ON CONFLICT DO NOTHING RETURNING at, patient_id"
)


def _store_events(
    cur: Cursor[Any], intake: Intake, bound: Mapping[UUID, list[Bound]], states: Mapping[UUID, State]
) -> None:
    """Store the events once each; those that are about a patient wait to be judged."""

    def line(entry: EventEntry) -> tuple[UUID, datetime, str, UUID | None]:
        device_id, at = entry.source.id, entry.taken.at
        return device_id, at, entry.taken.kind, wearer(bound.get(device_id, ()), at)

    lines = sorted({line(entry) for entry in intake.events}, key=lambda one: (one[0].int, *one[1:3]))
    columns = (list(column) for column in zip(*lines, strict=True))
    new = cur.execute(_EVENTS, (intake.received_at, *columns)).fetchall()
    intake.outcome.stored += len(new)
    intake.outcome.duplicates += len(intake.events) - len(new)
    for at, patient_id in new:
        if patient_id is not None:
            states[patient_id].touch(min(at, intake.received_at))
