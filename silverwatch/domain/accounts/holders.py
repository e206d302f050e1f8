"""What the verbs about accounts share: reading one to change it, and what must hold of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from silverwatch.domain.access import Role
from silverwatch.domain.accounts.models import Account, Membership
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError


class Tell(Protocol):
    """Writes a letter in the caller's transaction: `silverwatch.web.letters.tell`, which has the words."""

    def __call__(self, session: Session, *, to: str, letter: str, now: datetime, **data: object) -> None:
        """`letter` is its name; `data` is what it speaks of."""


def by_id(session: Session, account_id: UUID) -> Account:
    """The account, locked until the commit; raises NotFoundError."""
    found = session.get(Account, account_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFoundError("There is no such account.")
    return found


def by_email(session: Session, email: str) -> Account | None:
    """The account with this address, locked until the commit."""
    query = select(Account).where(Account.email == email).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def must_leave_an_admin(session: Session, account_id: UUID) -> None:
    """Raises ConflictError when nobody else could administer the site. Two at once wait for each other."""
    admins = session.scalars(
        select(Account.id)
        .where(
            Account.role == Role.ADMIN.value,
            Account.deactivated_at.is_(None),
            Account.approved_at.is_not(None),
            Account.password_hash.is_not(None),
        )
        .order_by(Account.id)
        .with_for_update()
    ).all()
    if account_id in admins and len(admins) == 1:
        raise ConflictError("This is the last administrator. Make somebody else an administrator first.")


def check_patient(session: Session, patient_id: UUID | None, *, account_id: UUID | None = None) -> UUID:
    """The record that a patient's account opens; raises DomainError, ConflictError where another account has it."""
    known = text("SELECT id FROM patient WHERE id = :id FOR NO KEY UPDATE")
    if patient_id is None or session.execute(known, {"id": patient_id}).first() is None:
        raise DomainError("Choose the patient whom this account belongs to.")
    other = select(Account.id).where(
        Account.patient_id == patient_id, Account.deactivated_at.is_(None), Account.id != account_id
    )
    if session.scalar(other.limit(1)) is not None:
        raise ConflictError(
            "This patient has another account. Deactivate it first, or choose another patient."
        )
    return patient_id


def put_in_wards(session: Session, account: Account, ward_ids: Iterable[UUID]) -> tuple[set[UUID], set[UUID]]:
    """Make these the account's wards: which were added and which taken away. Raises DomainError."""
    wanted = set(ward_ids)
    if wanted and account.role == Role.PATIENT.value:
        raise DomainError("A patient's account belongs to no ward. Leave the wards out.")
    known = session.scalars(text("SELECT id FROM ward WHERE id = ANY(:ids)"), {"ids": list(wanted)})
    if set(known) != wanted:
        raise DomainError("One of these wards does not exist. Reload the page and choose again.")
    present = set(session.scalars(select(Membership.ward_id).where(Membership.account_id == account.id)))
    gone, new = present - wanted, wanted - present
    session.execute(
        delete(Membership).where(Membership.account_id == account.id, Membership.ward_id.in_(gone))
    )
    session.add_all(Membership(account_id=account.id, ward_id=ward_id) for ward_id in sorted(new))
    session.flush()
    return new, gone
