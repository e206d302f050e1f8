"""Break-glass: a caregiver opens a foreign record for a stated reason, for an hour at most. The caller commits."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit, events, throttle
from silverwatch.domain.access import Actor, Role, may_see_patient
from silverwatch.domain.accounts import proving
from silverwatch.domain.accounts.facts import GrantsChanged
from silverwatch.domain.accounts.holders import Tell, by_id
from silverwatch.domain.accounts.models import Account, EmergencyAccess
from silverwatch.domain.accounts.sessions import SignedIn
from silverwatch.domain.errors import DomainError, NotFoundError
from silverwatch.domain.throttle import Limit

LENGTH: Final = timedelta(minutes=60)
REASON: Final = range(10, 501)
MAX_NOTE: Final = 500
MAX_NUMBER: Final = 60
TRIES: Final = Limit(name="emergency access", tries=5, per=timedelta(minutes=15))
BEGUN: Final = "emergency.begun"

_PATIENT: Final = """
SELECT p.id, b.ward_id FROM patient p
LEFT JOIN stay s ON s.patient_id = p.id AND s.during @> CAST(:now AS timestamptz)
LEFT JOIN bed b ON b.id = s.bed_id
WHERE p.hospital_number = :number
"""

# What was opened: the audit's rows of this person about this patient while the access lasted.
_ACCESSES: Final = """
SELECT e.id, e.patient_id, e.reason, e.begun_at, least(e.ends_at, e.ended_at) AS over_at, e.reviewed_at,
  a.name, p.hospital_number, r.name AS reviewed_by,
  (SELECT count(*) FROM audit_entry x WHERE x.account_id = e.account_id AND x.patient_ids @> ARRAY[e.patient_id]
    AND x.at > e.begun_at AND x.at <= least(e.ends_at, e.ended_at) AND x.action NOT LIKE 'emergency.%') AS opened
FROM emergency_access e JOIN account a ON a.id = e.account_id JOIN patient p ON p.id = e.patient_id
LEFT JOIN account r ON r.id = e.reviewed_by
WHERE {condition} ORDER BY e.id DESC LIMIT :limit
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Whose record is open now. `access_id` is empty where it was theirs to see already: no glass was broken."""

    patient_id: UUID
    access_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAccess:
    """An access that lasts, for the banner."""

    id: UUID
    patient_id: UUID
    hospital_number: str
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """An access for the review. `over_at` is when it ended or will end; `opened` how many rows the audit has of it."""

    id: UUID
    patient_id: UUID
    hospital_number: str
    name: str
    reason: str
    begun_at: datetime
    over_at: datetime
    reviewed_at: datetime | None
    reviewed_by: str | None
    opened: int


def check(session: Session, found: SignedIn, *, password: str, now: datetime) -> proving.Wrong | float | None:
    """Is this the person's password? None when it is, else what is wrong, or the seconds until the next try.

    Only wrong ones count: who saves one life after the other is not held up. The refusal is in the audit.
    """
    who = str(found.actor.account_id)
    wait_s = throttle.take(session, TRIES, who, now=now)
    if wait_s is not None:
        audit.record(session, BEGUN, outcome="refused", detail={"because": "too many tries"})
        return wait_s
    wrong = proving.check_password(session, found, password=password, action=BEGUN, now=now)
    if wrong is None:
        throttle.give_back(session, TRIES, who)
    return wrong


def begin(
    session: Session, *, actor: Actor, hospital_number: str, reason: str, now: datetime, tell: Tell
) -> Begun:
    """Open the record of the patient with this number for an hour, and tell every administrator.

    Raises NotFoundError for an unknown number, DomainError for a reason that says too little or too much.
    """
    if len(reason) not in REASON:
        raise DomainError(f"Give a reason of {REASON.start} to {REASON.stop - 1} characters.")
    # Two requests at once open one access: the second one waits here and finds the first.
    by_id(session, actor.account_id)
    number = hospital_number.replace("\0", "")
    row = session.execute(text(_PATIENT), {"number": number, "now": now}).first()
    if row is None:
        raise NotFoundError("There is no patient with this number.")
    if may_see_patient(actor, row.id, ward_id=row.ward_id) or _is_open(session, actor, row.id, now=now):
        return Begun(patient_id=row.id, access_id=None)
    access = EmergencyAccess(
        id=clock.new_id(),
        account_id=actor.account_id,
        patient_id=row.id,
        reason=reason,
        begun_at=now,
        ends_at=now + LENGTH,
    )
    session.add(access)
    audit.record(
        session, BEGUN, subject=("emergency", access.id), patient_ids=[row.id], detail={"reason": reason}
    )
    _tell_admins(session, name=actor.name, until=access.ends_at, now=now, tell=tell)
    events.record(session, GrantsChanged(account_id=actor.account_id))
    return Begun(patient_id=row.id, access_id=access.id)


def end(session: Session, *, actor: Actor, access_id: UUID, now: datetime) -> None:
    """End one's own access before its time; nothing happens if it is over. Raises NotFoundError."""
    access = session.get(EmergencyAccess, access_id, with_for_update=True)
    if access is None or access.account_id != actor.account_id:
        raise NotFoundError("There is no such emergency access.")
    if access.ended_at is None and access.ends_at > now:
        _end(session, access, at=now, because="by hand")


def close_expired(session: Session, *, now: datetime) -> int:
    """Note the end of those whose time is over: they opened nothing any more since then. Gives how many."""
    expired = session.scalars(
        select(EmergencyAccess)
        .where(EmergencyAccess.ended_at.is_(None), EmergencyAccess.ends_at <= now)
        .with_for_update(skip_locked=True)
    ).all()
    for access in expired:
        _end(session, access, at=access.ends_at, because="time is over")
    return len(expired)


def review(session: Session, *, actor: Actor, access_id: UUID, note: str, now: datetime) -> None:
    """An administrator has looked at it; the first review stands. Raises NotFoundError."""
    access = session.get(EmergencyAccess, access_id, with_for_update=True)
    if access is None:
        raise NotFoundError("There is no such emergency access.")
    if access.reviewed_at is not None:
        return
    access.reviewed_at, access.reviewed_by = now, actor.account_id
    audit.record(
        session,
        "emergency.reviewed",
        subject=("emergency", access.id),
        patient_ids=[access.patient_id],
        detail={"note": note} if note else {},
    )


def open_now(session: Session, actor: Actor, *, now: datetime) -> list[OpenAccess]:
    """The actor's accesses that last, the one that ends first first."""
    rows = session.execute(
        text(
            "SELECT e.id, e.patient_id, p.hospital_number, e.ends_at FROM emergency_access e"
            " JOIN patient p ON p.id = e.patient_id"
            " WHERE e.account_id = :account AND e.ended_at IS NULL AND e.ends_at > :now ORDER BY e.ends_at"
        ),
        {"account": actor.account_id, "now": now},
    )
    return [OpenAccess(**row) for row in rows.mappings()]


def unreviewed(session: Session, *, limit: int) -> list[Access]:
    """Accesses that nobody has looked at, newest first."""
    return _accesses(session, "e.reviewed_at IS NULL", limit=limit)


def reviewed(session: Session, *, limit: int, before: UUID | None = None) -> list[Access]:
    """Accesses that somebody has looked at, newest first, next `before` one of them."""
    condition = "e.reviewed_at IS NOT NULL" + (" AND e.id < :before" if before else "")
    return _accesses(session, condition, limit=limit, before=before)


def _accesses(session: Session, condition: str, **params: Any) -> list[Access]:
    rows = session.execute(text(_ACCESSES.format(condition=condition)), params)
    return [Access(**row) for row in rows.mappings()]


def _is_open(session: Session, actor: Actor, patient_id: UUID, *, now: datetime) -> bool:
    return any(item.patient_id == patient_id for item in open_now(session, actor, now=now))


def _end(session: Session, access: EmergencyAccess, *, at: datetime, because: str) -> None:
    access.ended_at = at
    audit.record(
        session,
        "emergency.ended",
        subject=("emergency", access.id),
        patient_ids=[access.patient_id],
        detail={"because": because},
    )
    events.record(session, GrantsChanged(account_id=access.account_id))


def _tell_admins(session: Session, *, name: str, until: datetime, now: datetime, tell: Tell) -> None:
    """No word of the patient or the reason: a letter lies in inboxes that we do not guard."""
    admins = select(Account.email, Account.language).where(
        Account.role == Role.ADMIN.value, Account.deactivated_at.is_(None), Account.approved_at.is_not(None)
    )
    for row in session.execute(admins).all():
        tell(
            session,
            to=row.email,
            letter="emergency_access",
            now=now,
            language=row.language,
            name=name,
            at=now,
            until=until,
        )
