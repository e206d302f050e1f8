"""Sign-ins as rows. The caller commits; who still shows an ended session is told within 2 s."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import case, select, text, update
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import events
from silverwatch.domain.access import STAFF, Actor, Role
from silverwatch.domain.accounts.facts import GrantsChanged
from silverwatch.domain.accounts.models import LoginSession, Totp
from silverwatch.domain.settings.service import Security

LENGTH: Final = timedelta(hours=12)
DISPLAY_LENGTH: Final = timedelta(days=365)
MOST: Final = 5
"""Sessions of one person at once; a sixth ends the oldest."""
PROVED_FOR: Final = timedelta(minutes=10)
"""For so long after giving the password nobody is asked for it again."""

Kind = Literal["browser", "api", "display"]
State = Literal["open", "locked", "code", "enrol"]
"""code: the second factor is still owed; enrol: it has to be set up first; locked: nobody was there for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """Where a sign-in comes from, for the person to recognise."""

    address: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session that has not ended, who holds it, and how far it is open."""

    session_id: UUID
    kind: Kind
    expires_at: datetime
    active_at: datetime
    proved_at: datetime | None
    actor: Actor
    state: State
    display_id: UUID | None = None
    language: str = "en"
    has_pin: bool = False
    idle_minutes: int = Security().idle_minutes
    photo_at: datetime | None = None
    """Since when the holder has the photo of now, if there is one."""

    def is_proved(self, now: datetime) -> bool:
        """Was the password given lately enough for a dangerous action?"""
        return self.proved_at is not None and now - self.proved_at < PROVED_FOR


def begin(
    session: Session,
    *,
    account_id: UUID,
    now: datetime,
    kind: Kind = "browser",
    browser: Browser | None = None,
    second_factor: bool = False,
) -> tuple[str, UUID]:
    """Open a session for an account whose password has just been given: its secret token and its id.

    `second_factor`: the code was given too. The oldest sessions beyond five end.
    """
    token, session_id = secrets.token_urlsafe(32), clock.new_id()
    browser = browser or Browser()
    session.add(
        LoginSession(
            id=session_id,
            token_hash=token_hash(token),
            kind=kind,
            account_id=account_id,
            created_at=now,
            expires_at=now + LENGTH,
            active_at=now,
            proved_at=now,
            second_factor_at=now if second_factor else None,
            address=browser.address,
            browser=(browser.name or "")[:200] or None,
        )
    )
    session.flush()
    _end_oldest(session, account_id, kind=kind, proved=second_factor, now=now)
    return token, session_id


def _end_oldest(session: Session, account_id: UUID, *, kind: str, proved: bool, now: datetime) -> None:
    """Five at once, counted apart: who has only the password ends no session of who gave the code as well."""
    others = session.scalars(
        select(LoginSession.id)
        .where(
            LoginSession.account_id == account_id,
            LoginSession.kind == kind,
            LoginSession.second_factor_at.is_not(None) == proved,
            LoginSession.ended_at.is_(None),
            LoginSession.expires_at > now,
        )
        .order_by(LoginSession.created_at.desc(), LoginSession.id.desc())
        .offset(MOST)
    ).all()
    end(session, others, because="too many sessions", now=now)


def begin_display(session: Session, *, display_id: UUID, now: datetime, browser: Browser) -> tuple[str, UUID]:
    """Open the session of a wall screen."""
    token, session_id = secrets.token_urlsafe(32), clock.new_id()
    session.add(
        LoginSession(
            id=session_id,
            token_hash=token_hash(token),
            kind="display",
            display_id=display_id,
            created_at=now,
            expires_at=now + DISPLAY_LENGTH,
            active_at=now,
            address=browser.address,
            browser=(browser.name or "")[:200] or None,
        )
    )
    session.flush()
    return token, session_id


def renew(session: Session, session_id: UUID, *, now: datetime, second_factor: bool = False) -> str:
    """Give an open session a new token, because more may be done with it from now on; the old one is dead.

    Also notes that the password was given now; `second_factor`: and the code. Where there is a second factor, the
    password alone proves nothing.
    """
    token = secrets.token_urlsafe(32)
    has_factor = (
        select(Totp.account_id)
        .where(Totp.account_id == LoginSession.account_id, Totp.confirmed_at.is_not(None))
        .exists()
    )
    values = {
        "token_hash": token_hash(token),
        "proved_at": now if second_factor else case((has_factor, LoginSession.proved_at), else_=now),
        "active_at": now,
        "locked_at": None,
        "pin_failures": 0,
    }
    if second_factor:
        values["second_factor_at"] = now
    row = session.execute(
        update(LoginSession)
        .where(LoginSession.id == session_id)
        .values(**values)
        .returning(LoginSession.account_id, LoginSession.kind)
    ).one_or_none()
    if second_factor and row is not None:
        _end_oldest(session, row.account_id, kind=row.kind, proved=True, now=now)
    return token


def touch(session: Session, session_id: UUID, *, now: datetime) -> None:
    """Somebody did something with this session."""
    session.execute(update(LoginSession).where(LoginSession.id == session_id).values(active_at=now))


def end(session: Session, session_ids: Iterable[UUID], *, because: str, now: datetime) -> int:
    """End these sessions and whatever still shows them; gives how many were open."""
    ids = list(session_ids)
    if not ids:
        return 0
    ended = session.execute(
        update(LoginSession)
        .where(LoginSession.id.in_(ids), LoginSession.ended_at.is_(None))
        .values(ended_at=now, ended_because=because)
        .returning(LoginSession.account_id, LoginSession.display_id)
    ).all()
    for holder in {row.account_id or row.display_id for row in ended}:
        events.record(session, GrantsChanged(account_id=holder))
    return len(ended)


def end_all(
    session: Session, account_id: UUID, *, because: str, now: datetime, but: UUID | None = None
) -> int:
    """End every session of the account (but one); gives how many were open."""
    query = select(LoginSession.id).where(
        LoginSession.account_id == account_id, LoginSession.ended_at.is_(None), LoginSession.expires_at > now
    )
    if but is not None:
        query = query.where(LoginSession.id != but)
    return end(session, session.scalars(query).all(), because=because, now=now)


def find(session: Session, *, token: str, now: datetime) -> SignedIn | None:
    """The session that this token belongs to, unless it has ended."""
    found = _read(session, "s.token_hash = :hash", now=now, hash=token_hash(token))
    return found[0] if found else None


def find_many(session: Session, session_ids: Iterable[UUID], *, now: datetime) -> dict[UUID, SignedIn]:
    """Which of these sessions have not ended, and what their holders may do now: one query for all."""
    ids = list(session_ids)
    found = _read(session, "s.id = ANY(:ids)", now=now, ids=ids) if ids else []
    return {item.session_id: item for item in found}


def token_hash(token: str) -> bytes:
    """What is kept of a random token of 256 bits: guessing it is hopeless, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).digest()


# Every request and, for all open sockets together, every second tick asks this: everything in one go.
_SESSIONS: Final = """
SELECT s.id, s.kind, s.expires_at, s.active_at, s.proved_at, s.second_factor_at, s.locked_at, s.display_id,
  a.id AS account_id, a.role, coalesce(a.name, d.name) AS name, a.patient_id, a.language,
  a.pin_hash IS NOT NULL AS has_pin, d.ward_id AS display_ward_id,
  (SELECT p.changed_at FROM account_photo p WHERE p.account_id = a.id) AS photo_at,
  ARRAY(SELECT m.ward_id FROM membership m WHERE m.account_id = a.id) AS ward_ids,
  ARRAY(SELECT c.patient_id FROM care_team_member c WHERE c.account_id = a.id) AS care_team_of,
  ARRAY(SELECT e.patient_id FROM emergency_access e
        WHERE e.account_id = a.id AND e.ended_at IS NULL AND e.ends_at > :now) AS emergency_for,
  EXISTS (SELECT FROM totp t WHERE t.account_id = a.id AND t.confirmed_at IS NOT NULL) AS has_totp,
  (SELECT value FROM site_setting WHERE name = 'security') AS security
FROM login_session s LEFT JOIN account a ON a.id = s.account_id LEFT JOIN display d ON d.id = s.display_id
WHERE {condition} AND s.ended_at IS NULL AND s.expires_at > :now
  AND (a.id IS NULL OR (a.deactivated_at IS NULL AND a.approved_at IS NOT NULL)) AND d.revoked_at IS NULL
"""


def _read(session: Session, condition: str, *, now: datetime, **params: object) -> list[SignedIn]:
    rows = session.execute(text(_SESSIONS.format(condition=condition)), {"now": now, **params})
    return [_signed_in(row, now=now) for row in rows]


def _signed_in(row: Any, *, now: datetime) -> SignedIn:
    is_display = row.display_id is not None
    role = Role.DISPLAY if is_display else Role(row.role)
    site = Security(**row.security) if row.security else Security()
    return SignedIn(
        session_id=row.id,
        kind=row.kind,
        expires_at=row.expires_at,
        active_at=row.active_at,
        proved_at=row.proved_at,
        actor=Actor(
            account_id=row.display_id if is_display else row.account_id,
            role=role,
            name=row.name,
            ward_ids=frozenset([row.display_ward_id] if is_display else row.ward_ids),
            patient_id=row.patient_id,
            care_team_of=frozenset(row.care_team_of),
            emergency_for=frozenset(row.emergency_for),
        ),
        state=_state(row, role, site, now=now),
        display_id=row.display_id,
        language=row.language or "en",
        has_pin=row.has_pin,
        idle_minutes=site.idle_minutes,
        photo_at=row.photo_at,
    )


def _state(row: Any, role: Role, site: Security, *, now: datetime) -> State:
    if row.kind != "display" and row.second_factor_at is None:
        if row.has_totp:
            return "code"
        if role in STAFF and site.require_second_factor:
            return "enrol"
    idle = role in STAFF and now - row.active_at > site.idle
    return "locked" if row.kind == "browser" and (idle or row.locked_at is not None) else "open"
