"""Accounts and their sign-ins. A sign-in is a row: ending the row ends it everywhere."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import events
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.accounts.facts import GrantsChanged
from silverwatch.domain.accounts.models import Account, LoginSession, Membership
from silverwatch.domain.errors import DomainError

SESSION_LENGTH: Final = timedelta(hours=12)
MIN_PASSWORD: Final = 12
MAX_PASSWORD: Final = 256

_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session that is open now, and who holds it."""

    session_id: UUID
    expires_at: datetime
    actor: Actor


def create_account(
    session: Session,
    *,
    email: str,
    password: str,
    role: Role,
    name: str,
    ward_ids: Iterable[UUID] = (),
    patient_id: UUID | None = None,
) -> Account:
    """Add an account; raises DomainError for a password outside 12 to 256 characters."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise DomainError(f"Choose a password of {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
    account = Account(
        id=clock.new_id(),
        email=email.strip().lower(),
        password_hash=_hasher.hash(password),
        role=role.value,
        name=name,
        patient_id=patient_id,
        created_at=clock.now(),
    )
    session.add(account)
    session.flush()
    session.add_all(Membership(account_id=account.id, ward_id=ward_id) for ward_id in ward_ids)
    session.flush()
    return account


def sign_in(session: Session, *, email: str, password: str, now: datetime) -> tuple[str, Actor] | None:
    """Open a session: its secret token and who it is for; None when the pair does not fit.

    An unknown address costs the same hash as a wrong password, so time does not tell them apart.
    """
    account = session.scalar(
        select(Account).where(Account.email == email.strip().lower(), Account.deactivated_at.is_(None))
    )
    if not _verify(account.password_hash if account else _nobody(), password[:MAX_PASSWORD]) or not account:
        return None
    token = secrets.token_urlsafe(32)
    session.add(
        LoginSession(
            id=clock.new_id(),
            token_hash=_hash(token),
            account_id=account.id,
            created_at=now,
            expires_at=now + SESSION_LENGTH,
        )
    )
    session.flush()
    signed_in = find_session(session, token=token, now=now)
    return (token, signed_in.actor) if signed_in else None


def sign_out(session: Session, *, session_id: UUID, now: datetime) -> None:
    """End a session; whoever still shows it is told."""
    account_id = session.scalar(
        update(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(LoginSession.account_id)
    )
    if account_id:
        events.record(session, GrantsChanged(account_id=account_id))


def find_session(session: Session, *, token: str, now: datetime) -> SignedIn | None:
    """The open session that this token belongs to."""
    found = _open_sessions(session, "s.token_hash = :hash", now=now, hash=_hash(token))
    return found[0] if found else None


def open_sessions(session: Session, *, session_ids: Iterable[UUID], now: datetime) -> dict[UUID, SignedIn]:
    """Which of these sessions are still open, and what their holders may do now: one query for all."""
    ids = list(session_ids)
    found = _open_sessions(session, "s.id = ANY(:ids)", now=now, ids=ids) if ids else []
    return {item.session_id: item for item in found}


def _open_sessions(session: Session, condition: str, *, now: datetime, **params: object) -> list[SignedIn]:
    rows = session.execute(
        text(
            "SELECT s.id, s.expires_at, a.id AS account_id, a.role, a.name, a.patient_id,"
            " array_remove(array_agg(m.ward_id), NULL) AS ward_ids"
            " FROM login_session s JOIN account a ON a.id = s.account_id"
            " LEFT JOIN membership m ON m.account_id = a.id"
            f" WHERE {condition} AND s.ended_at IS NULL AND s.expires_at > :now"
            " AND a.deactivated_at IS NULL GROUP BY s.id, a.id"
        ),
        {"now": now, **params},
    )
    return [
        SignedIn(
            session_id=row.id,
            expires_at=row.expires_at,
            actor=Actor(
                account_id=row.account_id,
                role=Role(row.role),
                name=row.name,
                ward_ids=frozenset(row.ward_ids),
                patient_id=row.patient_id,
            ),
        )
        for row in rows
    ]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False
