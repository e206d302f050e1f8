"""Whom to call for a person: a few names with phone numbers, kept by that person. The caller commits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit
from silverwatch.domain.accounts.models import Account, EmergencyContact
from silverwatch.domain.accounts.profile import name_problem, phone_problem, text_problem
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError

MOST: Final = 5
RELATION_ADVICE: Final = "Enter who this is for you, such as sister or neighbour."


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody to call. Texts are single lines."""

    name: str = ""
    relation: str = ""
    phone: str = ""


def problems(wanted: Contact) -> dict[str, str]:
    """Field to what to do about it; empty when this contact can be kept."""
    found = {
        "name": name_problem(wanted.name),
        "relation": text_problem(wanted.relation) if wanted.relation else RELATION_ADVICE,
        "phone": phone_problem(wanted.phone),
    }
    return {field: problem for field, problem in found.items() if problem}


def contacts_of(session: Session, account_id: UUID) -> list[EmergencyContact]:
    """The contacts of an account, in the order in which they were added."""
    query = select(EmergencyContact).where(EmergencyContact.account_id == account_id)
    return list(session.scalars(query.order_by(EmergencyContact.created_at, EmergencyContact.id)))


def add(session: Session, account_id: UUID, *, wanted: Contact, now: datetime) -> None:
    """Keep one more contact; the same one sent twice is one.

    Raises DomainError for what `problems` complains about, ConflictError for a sixth contact.
    """
    if found := problems(wanted):
        raise DomainError(next(iter(found.values())))
    # Two forms at once are counted one after the other.
    session.execute(select(Account.id).where(Account.id == account_id).with_for_update())
    kept = contacts_of(session, account_id)
    if any(wanted == Contact(name=one.name, relation=one.relation, phone=one.phone) for one in kept):
        return
    if len(kept) >= MOST:
        raise ConflictError(f"You have {MOST} contacts already. Remove one before you add another.")
    contact = EmergencyContact(
        id=clock.new_id(),
        account_id=account_id,
        name=wanted.name,
        relation=wanted.relation,
        phone=wanted.phone,
        created_at=now,
    )
    session.add(contact)
    audit.record(
        session, "contact.added", subject=("account", account_id), detail={"contact": str(contact.id)}
    )


def remove(session: Session, account_id: UUID, *, contact_id: UUID) -> None:
    """Forget a contact; raises NotFoundError for another person's as for none."""
    contact = session.get(EmergencyContact, contact_id)
    if contact is None or contact.account_id != account_id:
        raise NotFoundError("There is no such contact.")
    session.delete(contact)
    audit.record(
        session, "contact.removed", subject=("account", account_id), detail={"contact": str(contact_id)}
    )
