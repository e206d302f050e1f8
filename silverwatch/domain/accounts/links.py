"""Links that are sent by e-mail and work once. The caller commits; who uses a link is not asked who they are."""

import secrets
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.accounts.models import Account, OneTimeLink
from silverwatch.domain.accounts.sessions import token_hash
from silverwatch.domain.errors import DomainError

LinkKind = Literal["invitation", "confirmation", "reset", "email"]

LIFETIMES: Final[dict[LinkKind, timedelta]] = {
    "invitation": timedelta(hours=72),
    "confirmation": timedelta(hours=72),
    "reset": timedelta(hours=1),
    "email": timedelta(hours=24),
}


class LinkEndedError(DomainError):
    """No such link, or it was used, replaced or has expired: all look the same."""

    def __init__(self) -> None:
        super().__init__("This link has ended or was used. Ask for a new one.")


def make(
    session: Session, *, kind: LinkKind, account_id: UUID, email: str, now: datetime, by: UUID | None = None
) -> str:
    """The token of a new link, shown once; earlier links of that kind and account end."""
    revoke(session, account_id, now=now, kinds=(kind,))
    token = secrets.token_urlsafe(32)
    session.add(
        OneTimeLink(
            id=clock.new_id(),
            kind=kind,
            account_id=account_id,
            email=email,
            token_hash=token_hash(token),
            created_by=by,
            created_at=now,
            expires_at=now + LIFETIMES[kind],
        )
    )
    session.flush()
    return token


def peek(session: Session, *, kind: LinkKind, token: str, now: datetime) -> OneTimeLink:
    """The link of a token, without using it; raises LinkEndedError."""
    found = session.scalar(_open(kind, token, now))
    if found is None:
        raise LinkEndedError
    return found


def holder_of(session: Session, *, kind: LinkKind, token: str, now: datetime) -> Account:
    """Whose link this is, without using it; raises LinkEndedError."""
    account = session.get(Account, peek(session, kind=kind, token=token, now=now).account_id)
    if account is None:
        raise LinkEndedError
    return account


def use(session: Session, *, kind: LinkKind, token: str, now: datetime) -> OneTimeLink:
    """The link of a token, which works no more; raises LinkEndedError. Of two at once one gets it."""
    found = session.scalar(_open(kind, token, now).with_for_update(of=OneTimeLink))
    if found is None:
        raise LinkEndedError
    found.used_at = now
    session.flush()
    return found


def revoke(session: Session, account_id: UUID, *, now: datetime, kinds: tuple[LinkKind, ...]) -> None:
    """End the account's links of these kinds."""
    session.execute(
        update(OneTimeLink)
        .where(
            OneTimeLink.account_id == account_id,
            OneTimeLink.kind.in_(kinds),
            OneTimeLink.used_at.is_(None),
            OneTimeLink.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )


def _open(kind: LinkKind, token: str, now: datetime) -> Select[OneTimeLink]:
    return (
        select(OneTimeLink)
        .join(Account, Account.id == OneTimeLink.account_id)
        .where(
            OneTimeLink.token_hash == token_hash(token),
            OneTimeLink.kind == kind,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.revoked_at.is_(None),
            OneTimeLink.expires_at > now,
            Account.deactivated_at.is_(None),
        )
    )
