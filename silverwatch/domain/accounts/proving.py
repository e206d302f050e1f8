"""Giving the code, or the password once more, in a session that is there already. The caller commits.

Five wrong ones end the session. What is right gives it a new token, because more may be done with it from now on.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from silverwatch.domain import audit
from silverwatch.domain.accounts import passwords, second_factor, sessions, signing
from silverwatch.domain.accounts.codes import Keys
from silverwatch.domain.accounts.models import Account, LoginSession
from silverwatch.domain.accounts.second_factor import Way
from silverwatch.domain.accounts.sessions import SignedIn
from silverwatch.domain.accounts.signing import TooMany

MOST_WRONG: Final = 5
"""Wrong passwords and codes within one session; then it ends."""

Wrong = Literal["password", "code", "ended"]
"""ended: that was the fifth, or the session had ended already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """It was right: the session's new token, shown once, and whence the code came, if there was one."""

    token: str
    way: Way | None = None


def give_code(
    session: Session, found: SignedIn, *, code: str, keys: Keys, now: datetime, known_browser: str | None
) -> Proved | Wrong | TooMany:
    """The code that a half open session owes."""
    if not _hold(session, found.session_id):
        return "ended"
    way = _use_code(session, found, code, keys=keys, now=now, known_browser=known_browser)
    if isinstance(way, TooMany):
        return way
    if way is None:
        return _failed(session, found, "code", action=signing.CODE_GIVEN, now=now)
    audit.record(session, signing.CODE_GIVEN, detail={"by": way})
    return Proved(token=sessions.renew(session, found.session_id, now=now, second_factor=True), way=way)


def give_password(
    session: Session,
    found: SignedIn,
    *,
    password: str,
    code: str,
    keys: Keys,
    now: datetime,
    known_browser: str | None,
) -> Proved | Wrong | TooMany:
    """The password again, and a code when the account has a second factor."""
    if not _hold(session, found.session_id):
        return "ended"
    account_id = found.actor.account_id
    password_hash = session.scalar(select(Account.password_hash).where(Account.id == account_id))
    if not passwords.fits(password_hash, password):
        return _failed(session, found, "password", action="session.proved", now=now)
    way: Way | None = None
    if second_factor.status(session, account_id) is not None:
        used = _use_code(session, found, code, keys=keys, now=now, known_browser=known_browser)
        if isinstance(used, TooMany):
            return used
        if used is None:
            return _failed(session, found, "code", action="session.proved", now=now)
        way = used
    audit.record(session, "session.proved", detail={"by": ["password", *([way] if way else [])]})
    token = sessions.renew(session, found.session_id, now=now, second_factor=way is not None)
    return Proved(token=token, way=way)


def check_password(
    session: Session, found: SignedIn, *, password: str, action: str, now: datetime
) -> Wrong | None:
    """Is this the password, given with the form of an `action` that asks for it? None when it is."""
    if not _hold(session, found.session_id):
        return "ended"
    query = select(Account.password_hash).where(Account.id == found.actor.account_id)
    if not passwords.fits(session.scalar(query), password):
        return _failed(session, found, "password", action=action, now=now)
    return None


def give_up(session: Session, session_id: UUID, *, now: datetime) -> None:
    """End a half open session whose code did not come in time."""
    if sessions.end(session, [session_id], because="code too late", now=now):
        audit.record(session, "session.ended", detail={"because": "code too late"})


def _hold(session: Session, session_id: UUID) -> bool:
    """Let no other request try anything in this session meanwhile; False when it has ended."""
    held = session.scalar(
        select(LoginSession.id)
        .where(LoginSession.id == session_id, LoginSession.ended_at.is_(None))
        .with_for_update()
    )
    return held is not None


def _use_code(
    session: Session, found: SignedIn, code: str, *, keys: Keys, now: datetime, known_browser: str | None
) -> Way | TooMany | None:
    account_id = found.actor.account_id
    granted = signing.ask_for_code(session, account_id=account_id, now=now, known_browser=known_browser)
    if isinstance(granted, TooMany):
        return granted
    way = second_factor.use(session, account_id=account_id, code=code, keys=keys, now=now)
    if way is not None:
        signing.succeeded(session, granted)
    return way


def _failed(session: Session, found: SignedIn, wrong: Wrong, *, action: str, now: datetime) -> Wrong:
    """Note it; the fifth ends the session."""
    audit.record(session, action, outcome="refused", detail={"because": f"wrong {wrong}"})
    times = session.scalar(
        update(LoginSession)
        .where(LoginSession.id == found.session_id)
        .values(pin_failures=LoginSession.pin_failures + 1)
        .returning(LoginSession.pin_failures)
    )
    if (times or 0) < MOST_WRONG:
        return wrong
    sessions.end(session, [found.session_id], because="too many wrong tries", now=now)
    audit.record(session, "session.ended", detail={"because": "too many wrong tries"})
    return "ended"
