"""Pauses: something does not sound for a while, for a reason and until a time. Rows: a restart changes nothing."""

from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import events
from silverwatch.domain.access import Actor, may_acknowledge
from silverwatch.domain.alerts import muting, service, whereabouts
from silverwatch.domain.alerts.care_models import Pause
from silverwatch.domain.alerts.facts import PauseChanged
from silverwatch.domain.alerts.models import Acknowledgement, Alert
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError

Scope = Literal["alarm", "patient", "sound"]

REASONS: Final[dict[Scope, tuple[str, ...]]] = {
    "alarm": ("treated", "sensor", "procedure", "comfort", "other"),
    "patient": ("xray", "theatre", "shower", "physiotherapy", "off_ward", "other"),
    "sound": ("procedure", "family", "handover", "other"),
}
LONGEST: Final[dict[Scope, timedelta]] = {
    "alarm": timedelta(hours=4),
    "patient": timedelta(hours=12),
    # Ours: the standard leaves the longest to the organisation, bedside monitors take 2 to 3 minutes.
    "sound": timedelta(minutes=5),
}
USUAL: Final[dict[Scope, timedelta]] = {
    "alarm": timedelta(minutes=30),
    "patient": timedelta(hours=1),
    "sound": timedelta(minutes=2),
}
MAX_NOTE: Final = 200


def begin(
    session: Session,
    actor: Actor,
    *,
    scope: Scope,
    subject_id: UUID,
    kind: str | None = None,
    reason: str,
    note: str = "",
    ends_at: datetime,
    now: datetime,
) -> Pause:
    """Pause an alarm (`kind`) or all of a patient, or the sound of a ward. Raises DomainError that says what to do."""
    _check(scope, reason=reason, note=note, ends_at=ends_at, now=now)
    of_ward = scope == "sound"
    pause = Pause(
        id=clock.new_id(),
        scope=scope,
        patient_id=None if of_ward else subject_id,
        ward_id=subject_id if of_ward else None,
        kind=kind,
        reason=reason,
        note=note.strip(),
        started_at=now,
        started_by=actor.account_id,
        ends_at=ends_at,
    )
    try:
        with session.begin_nested():
            session.add(pause)
    except IntegrityError as error:
        raise ConflictError("There is a pause already. End it, or change its time.") from error
    _changed(session, pause, now=now)
    return pause


def extend(session: Session, pause: Pause, *, ends_at: datetime, now: datetime) -> None:
    """Another end. Raises DomainError for one that is past or too far away."""
    _check(pause.scope, reason=pause.reason, note=pause.note or "-", ends_at=ends_at, now=now)  # type: ignore[arg-type]
    pause.ends_at = ends_at
    _changed(session, pause, now=now)


def end(session: Session, pause: Pause, *, by: UUID | None, now: datetime) -> None:
    """It is over: what is still true sounds."""
    if pause.ended_at is None:
        pause.ended_at, pause.ended_by = now, by
        _changed(session, pause, now=now)


def end_due(session: Session, *, now: datetime) -> int:
    """End the pauses whose time is over, and those of patients who lie nowhere any more."""
    gone = (
        "scope <> 'sound' AND NOT EXISTS (SELECT 1 FROM stay s WHERE s.patient_id = pause.patient_id"
        " AND s.during @> CAST(:now AS timestamptz))"
        " AND EXISTS (SELECT 1 FROM stay s WHERE s.patient_id = pause.patient_id"
        " AND upper(s.during) > pause.started_at)"
    )
    query = (
        select(Pause)
        .where(Pause.ended_at.is_(None), text(f"(ends_at <= CAST(:now AS timestamptz) OR ({gone}))"))
        .order_by(Pause.id)
        .with_for_update(skip_locked=True)
    )
    due = session.scalars(query, {"now": now}).all()
    for pause in due:
        end(session, pause, by=None, now=now)
    return len(due)


def align(session: Session, *, now: datetime) -> int:
    """Mute what a pause, a standby or a silent device makes quiet, and let sound what nothing does any more."""
    wanted = muting.differences(session, now=now)
    if not wanted:
        return 0
    rows = session.execute(
        select(Alert, Acknowledgement.id)
        .outerjoin(Acknowledgement, service.standing())
        .where(Alert.id.in_(wanted), Alert.closed_at.is_(None))
        .order_by(Alert.id)
        .with_for_update(of=Alert, skip_locked=True)
    ).all()
    for alert, taken in rows:
        by = wanted[alert.id]
        if by is not None:
            service.mute(session, alert, by)
        else:
            service.unmute(session, alert, taken=taken is not None, now=now)
    return len(rows)


def pause_for(session: Session, actor: Actor, pause_id: UUID, *, now: datetime) -> Pause:
    """A pause that this actor may end; raises NotFoundError for another ward's as for none."""
    pause = session.get(Pause, pause_id, with_for_update=True)
    ward_id = pause.ward_id if pause else None
    if pause is not None and pause.patient_id is not None:
        place = whereabouts.places_of(session, [pause.patient_id], now=now).get(pause.patient_id)
        ward_id = place[1] if place else None
    if pause is None or ward_id is None or not may_acknowledge(actor, ward_id):
        raise NotFoundError("There is no such pause.")
    return pause


def _check(scope: Scope, *, reason: str, note: str, ends_at: datetime, now: datetime) -> None:
    if reason not in REASONS[scope]:
        raise DomainError("Choose a reason for the pause.")
    if reason == "other" and not note.strip():
        raise DomainError("Say in a few words why: the list does not tell.")
    if len(note) > MAX_NOTE:
        raise DomainError(f"Write at most {MAX_NOTE} characters.")
    longest = LONGEST[scope]
    if not now < ends_at <= now + longest + timedelta(minutes=1):
        minutes = int(longest.total_seconds() // 60)
        if minutes >= 60:
            raise DomainError(f"Choose an end within the next {minutes // 60} hours.")
        raise DomainError(f"Choose an end within the next {minutes} minutes.")


def _changed(session: Session, pause: Pause, *, now: datetime) -> None:
    """Alarms follow in the same transaction: nothing sounds in between, and nothing stays quiet a moment longer."""
    session.flush()
    align(session, now=now)
    events.record(session, PauseChanged(subject_id=pause.patient_id or pause.ward_id or pause.id))
