"""Two records of one person become one: all goes to the one, the other stays and points there. The caller commits.

Readings belong to who wore the device, and that is one person: with the bindings go the readings (decision 0018).
The alarms of the record that goes on are then what judging all its readings gives, as after a correction. The order of
locks is that of `records.stays`, but for the patients themselves: nothing may refer to them anew meanwhile.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit, events
from silverwatch.domain.access import Actor
from silverwatch.domain.accounts.facts import GrantsChanged
from silverwatch.domain.admissions import merge_tables, merge_views
from silverwatch.domain.alerts import limit_versions, service
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.devices import service as devices
from silverwatch.domain.devices.facts import BindingsChanged
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.readings import attribution, departures, store, vitals
from silverwatch.domain.readings.corrections import judge_again
from silverwatch.domain.readings.state import State
from silverwatch.domain.records import notes
from silverwatch.domain.records.facts import NoteChanged, PatientsMoved
from silverwatch.domain.records.models import Patient
from silverwatch.domain.records.stays import refusal

BECAUSE: Final = "The records of one patient were merged."
DAY: Final = timedelta(days=1)
REFUSED: Final = {
    "ex_stay_patient": "Both lay in a bed at the same time: these are two persons, or a stay is wrong."
    " If it is one person, discharge the record that should go first.",
    "ex_binding_patient_kind": "Both wore a device of the same type at the same time: these are two persons, or it is"
    " wrong who wore it. Correct that on the page of the device first.",
}
MEANWHILE: Final = "Somebody has merged one of these records meanwhile. Look for the patient again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What became of it: so many readings went along; own limits of these vitals ended."""

    readings: int
    dropped: tuple[str, ...]


def merge(session: Session, actor: Actor, *, kept: UUID, gone: UUID, because: str, now: datetime) -> Merged:
    """From now on there is only `kept`. Who may, and that it is one person, was asked before (`merge_views.pair_for`).

    Raises ConflictError where the database says that it cannot be one person, or somebody was faster.
    """
    _lock(session, kept, gone)
    worn = sorted(session.scalars(text(_DEVICES), {"ids": [kept, gone]}))
    devices.lock_devices(session, worn)
    cur = attribution.cursor_of(session)
    states = store.lock_states(cur, sorted((kept, gone)))
    number = _count(session, gone)
    if number > attribution.MOST:
        raise ConflictError("The record that goes has too many readings. Let it be the one that stays.")
    params: dict[str, Any] = {
        "kept": kept,
        "gone": gone,
        "now": now,
        "by": actor.account_id,
        "because": BECAUSE,
    }
    first: datetime = session.execute(text(_FIRST), params).scalar() or now
    dropped = merge_views.own_limits(session, gone)
    limit_versions.end_of_stay(session, gone, now=now, reason=limit_versions.MERGED)
    _move_spans(session, params)
    _move_alerts(session, kept, gone, now=now)
    session.execute(text("SET CONSTRAINTS fk_task_goal_id DEFERRED"))
    for statement in merge_tables.SINGLE:
        session.execute(text(statement), params)
    for table in merge_tables.MOVED:
        session.execute(text(f"UPDATE {table} SET patient_id = :kept WHERE patient_id = :gone"), params)
    _move_readings(session, params, states, now=now)
    for table in merge_tables.MADE_ANEW:
        session.execute(text(f"DELETE FROM {table} WHERE patient_id = :gone"), params)
    session.execute(text(_POINT), {**params, "because": because})
    judge_again(session, kept, since=min(first, now), now=now)
    if dropped:
        _write_down(session, actor, kept, gone, dropped, now=now)
    _tell(session, kept, gone, detail={"because": because, "readings": number, "limits": list(dropped)})
    return Merged(readings=number, dropped=dropped)


_DEVICES = "SELECT DISTINCT device_id FROM binding WHERE patient_id = ANY(:ids)"
_FIRST = """
SELECT least(
  (SELECT min(least(measured_at, received_at)) FROM reading WHERE patient_id = :gone),
  (SELECT min(least(at, received_at)) FROM device_event WHERE patient_id = :gone),
  (SELECT min(run_from) FROM alert WHERE patient_id = :gone AND subject = 'patient'))
"""
_POINT = """
UPDATE patient SET merged_into = :kept, merged_at = :now, merged_by = :by, merged_because = :because WHERE id = :gone
"""


def _lock(session: Session, kept: UUID, gone: UUID) -> None:
    query = select(Patient).where(Patient.id.in_((kept, gone))).order_by(Patient.id)
    found = session.scalars(query.with_for_update().execution_options(populate_existing=True)).all()
    if len(found) != 2 or any(patient.merged_into is not None for patient in found):
        raise ConflictError(MEANWHILE)


def _count(session: Session, patient_id: UUID) -> int:
    query = "SELECT count(*) FROM (SELECT 1 FROM reading WHERE patient_id = :id LIMIT :most) r"
    return int(session.execute(text(query), {"id": patient_id, "most": attribution.MOST + 1}).scalar_one())


def _move_spans(session: Session, params: dict[str, Any]) -> None:
    """Where they lay and what they wore: the database says whether that can have been one person."""
    for table in ("stay", "binding"):
        try:
            with session.begin_nested():
                session.execute(
                    text(f"UPDATE {table} SET patient_id = :kept WHERE patient_id = :gone"), params
                )
        except IntegrityError as error:
            raise ConflictError(
                refusal(error, REFUSED, "Both were in two places at the same time.")
            ) from error


def _move_alerts(session: Session, kept: UUID, gone: UUID, *, now: datetime) -> None:
    """At most one alarm of a kind is open: of two the one of the record that goes is withdrawn."""
    theirs = select(Alert).where(Alert.patient_id.in_((kept, gone)), Alert.subject == "patient")
    alerts = session.scalars(
        theirs.where(Alert.closed_at.is_(None)).order_by(Alert.id).with_for_update()
    ).all()
    standing = {alert.kind for alert in alerts if alert.patient_id == kept}
    for alert in alerts:
        if alert.patient_id == gone and alert.kind in standing:
            alert.ended_at = alert.ended_at or now
            service.close(session, alert, now=now, closed_as="withdrawn")
    session.flush()
    query = (
        "UPDATE alert SET patient_id = :kept,"
        " subject_id = CASE WHEN subject = 'patient' THEN CAST(:kept AS uuid) ELSE subject_id END"
        " WHERE patient_id = :gone"
    )
    session.execute(text(query), {"kept": kept, "gone": gone})
    session.expire_all()


_DAYS = """
SELECT DISTINCT date_trunc('day', measured_at, 'UTC') AS day FROM reading WHERE patient_id = :gone ORDER BY day
"""
_READINGS = """
UPDATE reading SET patient_id = :kept, seq = seq + :offset
WHERE patient_id = :gone AND measured_at >= :day AND measured_at < :end
"""


def _move_readings(
    session: Session, params: dict[str, Any], states: dict[UUID, State], *, now: datetime
) -> None:
    """Day by day: a statement must end. Received times stay, and with them event times and delays."""
    state, other = states[params["kept"]], states[params["gone"]]
    for day in session.scalars(text(_DAYS), params).all():
        session.execute(text(_READINGS), {**params, "offset": state.seq, "day": day, "end": day + DAY})
    cur = attribution.cursor_of(session)
    names = set(state.latest) | set(state.off) | set(other.latest) | set(other.off)
    departures.rebuild(cur, state, names & set(vitals.NAMES), first=now, last=now + DAY)
    latest, off = departures.plain(state.latest), departures.plain(state.off)
    cur.execute(
        "UPDATE vital_state SET seq = %s, latest = %s::jsonb, off = %s::jsonb WHERE patient_id = %s",
        (state.seq + other.seq + 1, latest, off, state.patient_id),
    )


def _write_down(
    session: Session, actor: Actor, kept: UUID, gone: UUID, dropped: Iterable[str], *, now: datetime
) -> None:
    """The next one who looks after the patient reads which limits ended: among the notes, in what happened."""
    number = session.get_one(Patient, gone).hospital_number
    names = ", ".join(vitals.BY_NAME[vital].label for vital in dropped)
    written = f"The record {number} was merged into this one. Its own alarm limits ended: {names}."
    note_id = clock.new_id()
    notes.write(session, actor, note_id=note_id, patient_id=kept, written=written, now=now)
    audit.record(session, "note.written", subject=("note", note_id), patient_ids=[kept])
    events.record(session, NoteChanged(patient_id=kept))


def _tell(session: Session, kept: UUID, gone: UUID, *, detail: dict[str, Any]) -> None:
    audit.record(
        session, "patients.merged", subject=("patient", kept), patient_ids=[kept, gone],
        detail={"gone": str(gone), **detail},
    )  # fmt: skip
    places: Iterable[Any] = session.execute(text(_PLACES), {"kept": kept}).all()
    beds, wards = tuple(row.id for row in places), tuple({row.ward_id for row in places})
    events.record(session, PatientsMoved(patient_ids=(kept,), bed_ids=beds, ward_ids=wards))
    events.record(session, BindingsChanged(patient_ids=(kept,)))
    team = "SELECT account_id FROM care_team_member WHERE patient_id = :kept"
    for account_id in session.scalars(text(team), {"kept": kept}):
        events.record(session, GrantsChanged(account_id=account_id))


_PLACES = """
SELECT b.id, b.ward_id FROM stay s JOIN bed b ON b.id = s.bed_id WHERE s.patient_id = :kept AND upper_inf(s.during)
"""
