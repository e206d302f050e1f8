"""Compare the devices' account with the database, and the stored alerts with a recomputation from nothing."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from benchmarks.faults.writers import Account, Key
from silverwatch import clock, db
from silverwatch.domain.alerts.layers import limits_of
from silverwatch.domain.alerts.limits import SITE_DEFAULTS, Limits
from silverwatch.domain.alerts.rules import Checkpoint, Episode, Reading, Verdict, evaluate
from silverwatch.domain.readings.vitals import BIT, NUMERIC, names_in

EXPECTED: Final = ("429", "503")
"""Refusals that tell a device to come again."""

Open = tuple[UUID, str, str]
"""An alert that is on: patient, kind, priority."""

NOT_BY_READINGS: Final = ("fall", "help")
_READINGS: Final = (
    f"SELECT r.patient_id, r.source_id, r.measured_at, r.received_at, r.seq, r.sensor_off, {', '.join(NUMERIC)},"
    " d.serial, d.interval_s FROM reading r JOIN device d ON d.id = r.source_id ORDER BY r.patient_id, r.measured_at"
)
_STATES: Final = "SELECT patient_id, seq FROM vital_state"
_ALERTS: Final = (
    "SELECT patient_id, kind, priority, live, run_from, event_at, last_at, ended_at, closed_at, closed_as FROM alert"
    " WHERE subject = 'patient' AND NOT kind = ANY(:others) AND closed_as IS DISTINCT FROM 'withdrawn'"
    # What an alert was before its condition came back.
    " UNION ALL SELECT patient_id, kind, priority, true, run_from, event_at, last_at, ended_at, ended_at, 'came back'"
    " FROM alert_episode WHERE withdrawn_at IS NULL"
)


@dataclass(slots=True)
class Findings:
    """What the comparison found. `problems` is empty when every promise was kept."""

    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    altered: int = 0
    double: int = 0
    half: int = 0
    unanswered: int = 0
    alerts_expected: int = 0
    alerts_found: int = 0
    open_expected: int = 0
    open_found: int = 0
    open_stale: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Stored:
    """One look at the database, all of one moment. `states`: by patient, how many sets its state has counted."""

    now: datetime = field(default_factory=clock.now)
    readings: list[Row[Any]] = field(default_factory=list)
    alerts: list[Row[Any]] = field(default_factory=list)
    states: dict[UUID, int] = field(default_factory=dict)
    limits: Mapping[UUID, Limits] = field(default_factory=dict)


def look(database_url: str) -> Stored:
    """Read what is stored, in one snapshot."""
    engine = db.make_engine(database_url, pool_size=1)
    try:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            now, readings = clock.now(), list(connection.execute(text(_READINGS)))
            return Stored(
                now=now,
                readings=readings,
                alerts=list(connection.execute(text(_ALERTS), {"others": list(NOT_BY_READINGS)})),
                states={row.patient_id: row.seq for row in connection.execute(text(_STATES))},
                # Those of now: nobody changes any during a run.
                limits=limits_of(Session(connection), {row.patient_id for row in readings}, now=now),
            )
    finally:
        engine.dispose()


def compare(account: Account, stored: Stored, *, found: Findings) -> None:
    """Add to `found` what the devices' account and the rules say otherwise than what is stored."""
    found.acknowledged, found.stored = len(account.acknowledged), len(stored.readings)
    found.problems += [f"refused: {line}" for line in account.refused]
    _compare_readings(account, stored, found)
    _compare_sequences(stored, found)
    expected = recompute(stored)
    found.alerts_expected = sum(len(verdicts) for verdicts in expected.values())
    rows: dict[UUID, list[Row[Any]]] = defaultdict(list)
    for alert in stored.alerts:
        rows[alert.patient_id].append(alert)
    for patient_id in expected.keys() | rows.keys():
        _compare_alerts(patient_id, expected.get(patient_id, []), rows.get(patient_id, []), found=found)
    _compare_open(expected, stored, found)
    odd = {what: n for what, n in account.answers.items() if what[0] in "45" and what not in EXPECTED}
    if odd:
        found.problems.append(f"answers that a device must never get: {odd}")


def _compare_readings(account: Account, stored: Stored, found: Findings) -> None:
    times = Counter((row.serial, row.measured_at) for row in stored.readings)
    rows = {(row.serial, row.measured_at): row for row in stored.readings}
    for key, count in times.items():
        if count > 1:
            found.double += 1
            found.problems.append(f"double: {_name(key)} is stored {count} times")
        if key not in account.sent:
            found.problems.append(f"never sent: {_name(key)} is stored")
        elif key not in account.acknowledged:
            found.unanswered += 1
    for key, values in account.acknowledged.items():
        row = rows.get(key)
        if row is None:
            found.lost += 1
            found.problems.append(f"lost: {_name(key)} was acknowledged and is not stored")
        elif _said(row) != values:
            found.altered += 1
            found.problems.append(f"altered: {_name(key)} said {values}, stored {_said(row)}")


def _said(row: Row[Any]) -> dict[str, float]:
    """The row in the words of its device: 0 where the sensor was off."""
    values = {name: getattr(row, name) for name in NUMERIC if getattr(row, name) is not None}
    return values | dict.fromkeys(names_in(row.sensor_off & sum(BIT.values())), 0.0)


def _name(key: Key) -> str:
    return f"{key[0]} {key[1]:%H:%M:%S.%f}"


def _compare_sequences(stored: Stored, found: Findings) -> None:
    """A set is whole when the patient's state counted it: the numbers of its sets are 1 to n without a hole."""
    numbers: dict[UUID, list[int]] = defaultdict(list)
    for row in stored.readings:
        numbers[row.patient_id].append(row.seq)
    for patient_id, counted in stored.states.items():
        have = sorted(numbers.get(patient_id, []))
        if have != list(range(1, counted + 1)):
            found.half += 1
            found.problems.append(
                f"half: patient {patient_id} has {len(have)} sets and a state that counts {counted}"
            )


def recompute(stored: Stored) -> dict[UUID, list[Verdict]]:
    """Every patient's readings folded in one go from nothing: all episodes, ended ones too."""
    readings: dict[UUID, list[Reading]] = defaultdict(list)
    for row in stored.readings:
        readings[row.patient_id].append(_reading(row))
    return {
        patient_id: evaluate(
            Checkpoint.empty(),
            sorted(own, key=lambda reading: reading.event_at),
            limits=stored.limits.get(patient_id, SITE_DEFAULTS),
            now=stored.now,
        )[1]
        for patient_id, own in readings.items()
    }


def _reading(row: Row[Any]) -> Reading:
    return Reading(
        event_at=min(row.measured_at, row.received_at),
        values={name: getattr(row, name) for name in NUMERIC if getattr(row, name) is not None},
        sensor_off=row.sensor_off,
        spot=row.interval_s > 60,
        interval_s=row.interval_s,
    )


def _compare_alerts(
    patient_id: UUID, verdicts: Sequence[Verdict], rows: Sequence[Row[Any]], *, found: Findings
) -> None:
    """Each episode has exactly one alert, and no alert is without an episode."""
    for verdict in verdicts:
        episode = verdict.episode
        same = [row for row in rows if _is_about(row, episode)]
        found.alerts_found += bool(same)
        if len(same) != 1:
            found.problems.append(
                f"{len(same)} alerts instead of 1 for {episode.kind} of patient {patient_id},"
                f" raised {episode.raised_at:%H:%M:%S.%f}, ended {episode.ended_at}: {[_words(row) for row in same]}"
            )
    for row in rows:
        if not any(_is_about(row, verdict.episode) for verdict in verdicts):
            found.problems.append(f"an alert of patient {patient_id} without an episode: {_words(row)}")


def _is_about(row: Row[Any], episode: Episode) -> bool:
    """Same kind and overlapping. An alert whose condition came back before anybody saw it covers both episodes."""
    if row.kind != episode.kind:
        return False
    row_end = row.ended_at or (row.last_at if row.closed_at else None)
    begins_in_time = row_end is None or episode.run_from <= row_end
    return begins_in_time and (episode.ended_at is None or episode.ended_at >= row.run_from)


def _words(row: Row[Any]) -> Mapping[str, Any]:
    return {
        name: f"{value:%H:%M:%S.%f}" if isinstance(value, datetime) else value
        for name, value in row._asdict().items()
        if name != "patient_id" and value is not None
    }


def _compare_open(expected: Mapping[UUID, Sequence[Verdict]], stored: Stored, found: Findings) -> None:
    """What is on now, kind and priority: all that is live must be stored as open, and what is stored as open must
    not have ended. Between the two: an alarm whose newest reading is old, such as one whose sensor came off, stays.
    An alert whose condition is over waits to be seen and is not counted."""
    live, stale = Counter[Open](), Counter[Open]()
    for patient_id, verdicts in expected.items():
        for verdict in verdicts:
            if not verdict.episode.contradicted:
                kind = live if verdict.live else stale
                kind[patient_id, verdict.episode.kind, verdict.episode.priority] += 1
    rows = Counter[Open](
        (row.patient_id, row.kind, row.priority)
        for row in stored.alerts
        if row.closed_at is None and row.ended_at is None
    )
    found.open_expected, found.open_found = live.total(), (rows & live).total()
    found.open_stale = (rows & stale).total()
    found.problems += [f"open by the rules and not stored so: {item}" for item in live - rows]
    found.problems += [f"stored as open and not so by the rules: {item}" for item in rows - live - stale]
    both = Counter((row.patient_id, row.kind) for row in stored.alerts if row.closed_at is None)
    found.problems += [
        f"{count} open alerts of one kind: {item}" for item, count in both.items() if count > 1
    ]
