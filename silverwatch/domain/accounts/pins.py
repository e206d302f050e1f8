"""Locking a screen and opening it again, with the PIN of the account or its password. The caller commits.

A PIN is short, so it opens only what is already there: a session that its person began with the password. After
five wrong tries the session ends, and nothing but that session: nobody can be locked out by a stranger.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final
from uuid import UUID

from argon2 import PasswordHasher
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from silverwatch.domain import audit, events
from silverwatch.domain.accounts import passwords, sessions
from silverwatch.domain.accounts.facts import GrantsChanged
from silverwatch.domain.accounts.models import Account, LoginSession
from silverwatch.domain.accounts.sessions import SignedIn
from silverwatch.domain.errors import DomainError

SHORTEST: Final = 4
LONGEST: Final = 8
TRIES: Final = 5

_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlocked:
    """The session is open. `token` is its new secret where the password was given, else the old one goes on."""

    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """That was wrong. `left` tries are left; with none left the session has ended."""

    left: int


def check_new(pin: str) -> None:
    """Raises DomainError with what to do when this must not become a PIN."""
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST):
        raise DomainError(f"Choose a PIN of {SHORTEST} to {LONGEST} digits.")
    if _is_pattern(pin):
        raise DomainError("This PIN is easy to guess. Choose digits that are no row and do not repeat.")


def _is_pattern(pin: str) -> bool:
    """1111, 1212, 123123; 1234, 9876, 7890; 1122, 2211."""
    if any(pin == (pin[:size] * len(pin))[: len(pin)] for size in range(1, len(pin) // 2 + 1)):
        return True
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return len(steps) == 1 or len(set(pin)) < 3


def set_pin(session: Session, account_id: UUID, pin: str) -> None:
    """Give the account a PIN; raises DomainError for one that must not be chosen."""
    check_new(pin)
    session.execute(update(Account).where(Account.id == account_id).values(pin_hash=_hasher.hash(pin)))
    audit.record(session, "pin.set", subject=("account", account_id))


def remove_pin(session: Session, account_id: UUID) -> None:
    """From now on only the password opens a locked screen."""
    gone = session.execute(
        update(Account)
        .where(Account.id == account_id, Account.pin_hash.is_not(None))
        .values(pin_hash=None)
        .returning(Account.id)
    ).first()
    if gone is not None:
        audit.record(session, "pin.removed", subject=("account", account_id))


def lock(session: Session, found: SignedIn, *, now: datetime) -> None:
    """Its person walks away. Screens that show the session are told at once."""
    locked = session.execute(
        update(LoginSession)
        .where(LoginSession.id == found.session_id, LoginSession.locked_at.is_(None))
        .values(locked_at=now)
        .returning(LoginSession.id)
    ).first()
    if locked is not None:
        audit.record(session, "session.locked")
        events.record(session, GrantsChanged(account_id=found.actor.account_id))


def unlock(
    session: Session, found: SignedIn, *, pin: str = "", password: str = "", now: datetime
) -> Unlocked | Refused:
    """Open a locked session with the password or, where none is given, with the PIN.

    The caller commits a refusal too: it is one of five, and stands in the audit.
    """
    # Whoever tries twice at once waits here: the fifth try must not become ten.
    row = session.get(LoginSession, found.session_id, with_for_update=True, populate_existing=True)
    if row is None or row.ended_at is not None:
        return Refused(left=0)
    hashes = session.execute(
        select(Account.pin_hash, Account.password_hash).where(Account.id == row.account_id)
    ).one()
    means = "password" if password else "pin"
    if not passwords.fits(hashes.password_hash if password else hashes.pin_hash, password or pin):
        return _refuse(session, row, means=means, now=now)
    audit.record(session, "session.unlocked", detail={"with": means})
    events.record(session, GrantsChanged(account_id=found.actor.account_id))
    if password:
        return Unlocked(token=sessions.renew(session, row.id, now=now))
    row.locked_at, row.pin_failures, row.active_at = None, 0, now
    return Unlocked()


def _refuse(session: Session, row: LoginSession, *, means: str, now: datetime) -> Refused:
    row.pin_failures += 1
    left = max(0, TRIES - row.pin_failures)
    detail = {"because": "wrong", "with": means, "left": left}
    audit.record(session, "session.unlocked", outcome="refused", detail=detail)
    if left == 0:
        session.flush()
        sessions.end(session, [row.id], because="too many wrong tries", now=now)
        audit.record(session, "session.ended", detail={"because": "too many wrong tries"})
    return Refused(left=left)
