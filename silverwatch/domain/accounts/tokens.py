"""Refresh tokens: how a program stays signed in. The caller commits.

A program's sign-in is a session of kind api. Its refresh token works once and is replaced by the next; one that
comes back a second time was copied, by whomever, so the session ends for both.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit
from silverwatch.domain.accounts import sessions
from silverwatch.domain.accounts.models import LoginSession, RefreshToken
from silverwatch.domain.accounts.sessions import SignedIn, token_hash

PREFIX: Final = "swr_"
LONGEST: Final = 200

Refusal = Literal["unknown", "ended", "reused"]
"""reused: that has just ended the session, and is noted; the others changed nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """The next refresh token, shown once, and the session as it is now."""

    refresh: str
    signed_in: SignedIn


def issue(session: Session, *, session_id: UUID, expires_at: datetime, now: datetime) -> str:
    """A refresh token of the session, shown once; it ends with the session."""
    token = PREFIX + secrets.token_urlsafe(32)
    session.add(
        RefreshToken(
            id=clock.new_id(),
            session_id=session_id,
            token_hash=token_hash(token),
            created_at=now,
            expires_at=expires_at,
        )
    )
    session.flush()
    return token


def refresh(session: Session, *, token: str, now: datetime) -> Refreshed | Refusal:
    """Use a refresh token up and give the next one, or say why not; the caller notes the refusal.

    A token that comes back ends its session, and is in the audit with it: commit also then.
    """
    # One statement finds and uses it: of two that come at once the second waits here and then finds it used.
    session_id = session.scalar(
        update(RefreshToken)
        .where(RefreshToken.token_hash == token_hash(token), RefreshToken.used_at.is_(None))
        .values(used_at=now)
        .returning(RefreshToken.session_id)
    )
    if session_id is None:
        return _refuse(session, token, now=now)
    found = find(session, session_id, now=now)
    if found is None:
        return "ended"
    sessions.touch(session, session_id, now=now)
    return Refreshed(
        refresh=issue(session, session_id=session_id, expires_at=found.expires_at, now=now), signed_in=found
    )


def find(session: Session, session_id: UUID, *, now: datetime) -> SignedIn | None:
    """The open session of a program, with what its holder may do now."""
    found = sessions.find_many(session, [session_id], now=now).get(session_id)
    # Who has set up a second factor since, or owes one now, signs in again with it.
    return found if found is not None and found.kind == "api" and found.state == "open" else None


def _refuse(session: Session, token: str, *, now: datetime) -> Refusal:
    """The token was used before, or was never ours."""
    row = session.execute(
        select(LoginSession.id, LoginSession.account_id)
        .join(RefreshToken, RefreshToken.session_id == LoginSession.id)
        .where(RefreshToken.token_hash == token_hash(token))
    ).one_or_none()
    if row is None:
        return "unknown"
    if not sessions.end(session, [row.id], because="refresh token reused", now=now):
        return "ended"
    # Whose token it was is the subject; who sent it is what nobody knows.
    audit.record(
        session,
        "token.reused",
        outcome="refused",
        session_id=row.id,
        subject=("account", row.account_id),
    )
    return "reused"
