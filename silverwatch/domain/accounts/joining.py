"""How people get an account: the first administrator, invited people, and patients who register. The caller commits."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit
from silverwatch.domain.access import PEOPLE, Actor, Role
from silverwatch.domain.accounts import links, passwords
from silverwatch.domain.accounts.entries import email_of, name_of
from silverwatch.domain.accounts.holders import Tell, by_email, by_id, check_patient, put_in_wards
from silverwatch.domain.accounts.links import LIFETIMES, LinkKind
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.errors import ConflictError, DomainError

FIRST: Final = 7005
"""The lock of who makes the first account."""


def create_first_admin(session: Session, *, email: str, name: str, password: str, now: datetime) -> Account:
    """The account with which a site begins; raises ConflictError when there is any account already."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": FIRST})
    if session.scalar(select(Account.id).limit(1)) is not None:
        raise ConflictError("There is an account already. An administrator can invite you.")
    email, name = email_of(email), name_of(name)
    values = {
        "role": Role.ADMIN.value,
        "name": name,
        "password_hash": passwords.hash_new(password, email=email, name=name),
        "password_changed_at": now,
        "email_confirmed_at": now,
        "approved_at": now,
    }
    account, _ = _put(session, email, values, now=now)
    audit.record(session, "account.created", subject=("account", account.id), detail={"role": account.role})
    return account


def invite(
    session: Session,
    *,
    by: Actor,
    email: str,
    role: Role,
    name: str,
    ward_ids: Iterable[UUID],
    patient_id: UUID | None = None,
    base_url: str,
    now: datetime,
    tell: Tell,
) -> Account:
    """Add an account without a password and send the link with which the person chooses one.

    Inviting again an account that nobody ever used makes a new link; one that registered itself and was never
    approved becomes the invited one and loses the password that it had. Raises DomainError, and ConflictError
    when the address belongs to an account in use.
    """
    email, name = email_of(email), name_of(name)
    if role not in PEOPLE:
        raise DomainError("Choose a role.")
    account, is_new = _put(session, email, {"role": role.value, "name": name}, now=now)
    if account.approved_at is not None and account.password_hash is not None:
        if account.deactivated_at:
            raise ConflictError(
                "There is an account with this address already. It is deactivated: reactivate it instead."
            )
        raise ConflictError("There is an account with this address already.")
    patient = check_patient(session, patient_id, account_id=account.id) if role is Role.PATIENT else None
    account.password_hash = account.password_changed_at = None
    account.email_confirmed_at = account.deactivated_at = None
    account.role, account.name, account.patient_id, account.approved_at = role.value, name, patient, now
    session.flush()
    put_in_wards(session, account, ward_ids)
    links.revoke(session, account.id, now=now, kinds=("confirmation", "reset", "email"))
    url = _link(session, "invitation", account, "welcome", base_url=base_url, now=now, by=by.account_id)
    hours = _hours("invitation")
    tell(session, to=email, letter="invitation", now=now, name=name, role=role.value, url=url, hours=hours)
    detail = {"role": role.value, "again": not is_new}
    audit.record(session, "account.invited", actor=by, subject=("account", account.id), detail=detail)
    return account


def accept_invitation(session: Session, *, token: str, password: str, now: datetime) -> Account:
    """The invited person chooses a password; raises LinkEndedError, or DomainError for a bad password."""
    link = links.peek(session, kind="invitation", token=token, now=now)
    account = by_id(session, link.account_id)
    links.use(session, kind="invitation", token=token, now=now)
    account.password_hash = passwords.hash_new(password, email=account.email, name=account.name)
    account.password_changed_at = account.email_confirmed_at = now
    audit.record(session, "invitation.accepted", subject=("account", account.id))
    return account


def register_patient(
    session: Session, *, name: str, email: str, password: str, base_url: str, now: datetime, tell: Tell
) -> None:
    """Note that somebody wants a patient's account: it waits for the address to be confirmed, then for approval.

    An address that is known gets a letter that says so, and everything else happens as for one that is not: the
    caller learns nothing. Raises DomainError for a name, address or password that cannot be.
    """
    email, name = email_of(email), name_of(name)
    password_hash = passwords.hash_new(password, email=email, name=name)
    account, is_new = _put(session, email, {"role": Role.PATIENT.value, "name": name}, now=now)
    is_pending = account.email_confirmed_at is None and account.approved_at is None
    if is_new or (is_pending and account.deactivated_at is None):
        # Whoever registers last and opens the letter of that gets in: who came before never proved the address.
        account.name, account.password_hash, account.password_changed_at = name, password_hash, now
        url = _link(session, "confirmation", account, "confirm", base_url=base_url, now=now)
        tell(session, to=email, letter="confirm", now=now, url=url, hours=_hours("confirmation"))
        audit.record(session, "account.registered", subject=("account", account.id))
        return
    tell(session, to=email, letter="already_registered", now=now)
    audit.record(
        session, "account.registered", outcome="refused", subject=("account", account.id),
        detail={"because": "the address is known"},
    )  # fmt: skip


def confirm_email(session: Session, *, token: str, password: str, now: datetime) -> Account:
    """Who holds the mailbox confirms, with the password that counts from now on; the account waits for approval.

    Not the one of the registration: anybody may have registered this address, and the newest letter may be theirs.
    Raises LinkEndedError, or DomainError for a password that must not be chosen.
    """
    link = links.peek(session, kind="confirmation", token=token, now=now)
    account = by_id(session, link.account_id)
    account.password_hash = passwords.hash_new(password, email=account.email, name=account.name)
    links.use(session, kind="confirmation", token=token, now=now)
    account.password_changed_at = account.email_confirmed_at = now
    audit.record(session, "account.confirmed", subject=("account", account.id))
    return account


def approve_patient(
    session: Session,
    *,
    by: Actor,
    account_id: UUID,
    patient_id: UUID,
    base_url: str,
    now: datetime,
    tell: Tell,
) -> Account:
    """A registered person is this patient: from now on they may sign in, and a letter says so.

    Raises NotFoundError, DomainError for an unknown patient, ConflictError when there is nothing to approve.
    """
    account = by_id(session, account_id)
    if account.deactivated_at is not None or account.approved_at is not None:
        raise ConflictError("This account does not wait for approval. Reload the page.")
    if account.email_confirmed_at is None:
        raise ConflictError(
            "This person has not confirmed their e-mail address yet. Approve them afterwards."
        )
    account.patient_id = check_patient(session, patient_id, account_id=account.id)
    account.approved_at = now
    tell(session, to=account.email, letter="approved", now=now, name=account.name, url=f"{base_url}/login")
    audit.record(
        session, "account.approved", actor=by, subject=("account", account.id), patient_ids=[patient_id]
    )
    return account


def _put(session: Session, email: str, values: dict[str, Any], *, now: datetime) -> tuple[Account, bool]:
    """The account with this address, locked, made with these values if there was none; and whether it was made."""
    row = insert(Account).values(id=clock.new_id(), email=email, created_at=now, language="en", **values)
    made = session.scalar(row.on_conflict_do_nothing(index_elements=["email"]).returning(Account.id))
    account = by_email(session, email)
    if account is None:
        raise ConflictError("This account has just changed. Try again.")
    return account, made is not None


def _link(
    session: Session,
    kind: LinkKind,
    account: Account,
    path: str,
    *,
    base_url: str,
    now: datetime,
    by: UUID | None = None,
) -> str:
    token = links.make(session, kind=kind, account_id=account.id, email=account.email, now=now, by=by)
    return f"{base_url}/{path}/{token}"


def _hours(kind: LinkKind) -> int:
    return int(LIFETIMES[kind].total_seconds() // 3600)
