"""Accounts and how people get in. The caller commits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit
from silverwatch.domain.access import Role
from silverwatch.domain.accounts import passwords, sessions
from silverwatch.domain.accounts.models import Account, Membership
from silverwatch.domain.accounts.sessions import Browser, Kind, SignedIn

Refusal = Literal["wrong", "unconfirmed", "unapproved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A sign-in that succeeded: the session's secret token, shown once, and the session."""

    token: str
    signed_in: SignedIn


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
    """Add an account that may sign in at once; raises DomainError for a password that must not be chosen."""
    now = clock.now()
    account = Account(
        id=clock.new_id(),
        email=email.strip().lower(),
        password_hash=passwords.hash_new(password),
        password_changed_at=now,
        role=role.value,
        name=name,
        patient_id=patient_id,
        created_at=now,
        email_confirmed_at=now,
        approved_at=now,
    )
    session.add(account)
    session.flush()
    session.add_all(Membership(account_id=account.id, ward_id=ward_id) for ward_id in ward_ids)
    session.flush()
    return account


def sign_in(
    session: Session,
    *,
    email: str,
    password: str,
    now: datetime,
    browser: Browser | None = None,
    kind: Kind = "browser",
) -> Entered | Refusal:
    """Open a session, or say why not. Only who knows the password learns more than "wrong".

    An unknown address costs the same hash as a wrong password, so time does not tell them apart. The refusal is
    in the audit, once, without what was typed.
    """
    account = session.scalar(
        select(Account).where(Account.email == email.strip().lower(), Account.deactivated_at.is_(None))
    )
    if not passwords.fits(account.password_hash if account else None, password) or account is None:
        audit.record(session, "session.opened", outcome="refused", detail={"because": "wrong"})
        return "wrong"
    refusal: Refusal | None = (
        "unconfirmed"
        if account.email_confirmed_at is None
        else "unapproved"
        if account.approved_at is None
        else None
    )
    if refusal is not None:
        subject = ("account", account.id)
        audit.record(
            session, "session.opened", outcome="refused", subject=subject, detail={"because": refusal}
        )
        return refusal
    if not _still_holds(session, account):
        audit.record(session, "session.opened", outcome="refused", detail={"because": "wrong"})
        return "wrong"
    token, _ = sessions.begin(session, account_id=account.id, now=now, kind=kind, browser=browser)
    found = sessions.find(session, token=token, now=now)
    if found is None:
        raise RuntimeError("a session that was just opened is not there")
    audit.record(session, "session.opened", actor=found.actor, session_id=found.session_id)
    return Entered(token=token, signed_in=found)


def _still_holds(session: Session, account: Account) -> bool:
    """Was the password not changed, nor the account ended, while we hashed? From here on it cannot be."""
    row = session.execute(
        select(Account.password_hash, Account.deactivated_at)
        .where(Account.id == account.id)
        .with_for_update(read=True)
    ).one()
    return row.password_hash == account.password_hash and row.deactivated_at is None


def sign_out(session: Session, *, session_id: UUID, now: datetime) -> None:
    """End a session; whoever still shows it is told."""
    if sessions.end(session, [session_id], because="signed out", now=now):
        audit.record(session, "session.ended", detail={"because": "signed out"})
