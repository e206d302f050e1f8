"""How people keep their account: forgotten and changed passwords, a new e-mail address. The caller commits."""

import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit
from silverwatch.domain.accounts import links, passwords, sessions
from silverwatch.domain.accounts.entries import email_of
from silverwatch.domain.accounts.holders import Tell, by_email, by_id
from silverwatch.domain.accounts.links import LIFETIMES, LinkEndedError
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.errors import ConflictError, DomainError


class WrongPasswordError(DomainError):
    """The present password was not given; the view notes the refusal."""

    def __init__(self) -> None:
        super().__init__("This is not your present password. Try again.")


def request_reset(session: Session, *, email: str, base_url: str, now: datetime, tell: Tell) -> None:
    """Send a link with which the password can be chosen anew, if there is such an account; nobody learns whether.

    An invited person who has no password yet opens the invitation instead. Raises DomainError for an address that
    cannot be.
    """
    email = email_of(email)
    account = by_email(session, email)
    if account is None or account.password_hash is None or account.deactivated_at is not None:
        _pretend(session, email, base_url=base_url, now=now, tell=tell)
        detail = {"because": "unknown"}
        audit.record(session, "password.reset_requested", outcome="refused", detail=detail)
        return
    token = links.make(session, kind="reset", account_id=account.id, email=account.email, now=now)
    _tell_of_reset(session, account.email, token, base_url=base_url, now=now, tell=tell)
    audit.record(session, "password.reset_requested", subject=("account", account.id))


def reset_password(session: Session, *, token: str, password: str, now: datetime, tell: Tell) -> Account:
    """Choose a new password with a link; every session ends, the second factor stays.

    Raises LinkEndedError, or DomainError for a password that must not be chosen.
    """
    link = links.peek(session, kind="reset", token=token, now=now)
    account = by_id(session, link.account_id)
    links.use(session, kind="reset", token=token, now=now)
    # The link was opened, so the address is theirs: this also confirms a registration.
    account.email_confirmed_at = account.email_confirmed_at or now
    _set_password(session, account, password, now=now, tell=tell)
    sessions.end_all(session, account.id, because="password reset", now=now)
    audit.record(session, "password.reset", subject=("account", account.id))
    return account


def change_password(
    session: Session,
    *,
    account_id: UUID,
    current: str,
    new: str,
    keep_session: UUID,
    now: datetime,
    tell: Tell,
) -> None:
    """Change one's own password; every other session ends.

    Raises WrongPasswordError, or DomainError for a password that must not be chosen.
    """
    account = by_id(session, account_id)
    if not passwords.fits(account.password_hash, current):
        raise WrongPasswordError
    if current == new:
        raise DomainError("Choose a password that is not your present one.")
    _set_password(session, account, new, now=now, tell=tell)
    sessions.end_all(session, account.id, because="password changed", now=now, but=keep_session)
    audit.record(session, "password.changed", subject=("account", account.id))


def request_email_change(
    session: Session, *, account_id: UUID, email: str, base_url: str, now: datetime, tell: Tell
) -> None:
    """Send a link to the new address; nothing changes until it is opened. The view asks for the password first.

    Whether somebody has the address already is told to its owner alone. Raises DomainError.
    """
    account, email = by_id(session, account_id), email_of(email)
    if email == account.email:
        raise DomainError("This is your address already. Enter the new one.")
    is_known = session.scalar(select(Account.id).where(Account.email == email)) is not None
    token = links.make(session, kind="email", account_id=account.id, email=email, now=now)
    if is_known:
        tell(session, to=email, letter="already_registered", now=now)
    else:
        hours = int(LIFETIMES["email"].total_seconds() // 3600)
        tell(session, to=email, letter="email_change", now=now, url=f"{base_url}/email/{token}", hours=hours)
    audit.record(session, "email.change_requested", subject=("account", account.id))


def confirm_email_change(
    session: Session, *, token: str, now: datetime, tell: Tell, keep_session: UUID | None = None
) -> Account:
    """The link at the new address was opened: the account has that address, the old one is told, sessions end.

    `keep_session` goes on if it is one of this account. Raises LinkEndedError, ConflictError when somebody else
    has taken the address meanwhile.
    """
    link = links.peek(session, kind="email", token=token, now=now)
    account = by_id(session, link.account_id)
    links.use(session, kind="email", token=token, now=now)
    if session.scalar(select(Account.id).where(Account.email == link.email)) is not None:
        raise ConflictError("Another account has this address now. Ask your administrator.")
    old = account.email
    try:
        with session.begin_nested():
            account.email, account.email_confirmed_at = link.email, now
    except IntegrityError:
        # Somebody else was given the address in this very moment.
        raise LinkEndedError from None
    links.revoke(session, account.id, now=now, kinds=("reset",))
    sessions.end_all(session, account.id, because="e-mail address changed", now=now, but=keep_session)
    tell(session, to=old, letter="email_changed", now=now)
    audit.record(session, "email.changed", subject=("account", account.id))
    return account


def _tell_of_reset(
    session: Session, email: str, token: str, *, base_url: str, now: datetime, tell: Tell
) -> None:
    minutes = int(LIFETIMES["reset"].total_seconds() // 60)
    tell(session, to=email, letter="reset", now=now, url=f"{base_url}/reset/{token}", minutes=minutes)


def _pretend(session: Session, email: str, *, base_url: str, now: datetime, tell: Tell) -> None:
    """The work of a link and a letter, taken back: the time of the answer must not say who has an account."""
    savepoint = session.begin_nested()
    links.revoke(session, clock.new_id(), now=now, kinds=("reset",))
    _tell_of_reset(session, email, secrets.token_urlsafe(32), base_url=base_url, now=now, tell=tell)
    session.flush()
    savepoint.rollback()


def _set_password(session: Session, account: Account, password: str, *, now: datetime, tell: Tell) -> None:
    account.password_hash = passwords.hash_new(password, email=account.email, name=account.name)
    account.password_changed_at = now
    links.revoke(session, account.id, now=now, kinds=("reset", "confirmation", "email"))
    tell(session, to=account.email, letter="password_changed", now=now)
