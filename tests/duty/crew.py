"""People who can be on duty: some more than the cast has, and what they do."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from silverwatch import clock, db
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.accounts.models import Account, Membership
from silverwatch.domain.wards import roster
from silverwatch.domain.wards.shifts import DutyRole
from tests.cast import password_hash


def join(name: str, ward_id: UUID, *, usual: str = "nurse") -> Actor:
    """A new caregiver of the ward."""
    now = clock.now()
    with db.transaction() as session:
        account = Account(
            id=clock.new_id(), email=f"{name.lower()}@a.example", password_hash=password_hash(),
            role="caregiver", name=name, created_at=now, email_confirmed_at=now, approved_at=now,
            password_changed_at=now, duty_role=usual,
        )  # fmt: skip
        session.add(account)
        session.flush()
        session.add(Membership(account_id=account.id, ward_id=ward_id))
    return Actor(account_id=account.id, role=Role.CAREGIVER, name=name, ward_ids=frozenset([ward_id]))


def actor_of(email: str) -> Actor:
    """Somebody of the cast, as an actor."""
    with db.transaction() as session:
        account = session.scalars(select(Account).where(Account.email == email)).one()
        wards = session.scalars(select(Membership.ward_id).where(Membership.account_id == account.id)).all()
    return Actor(account_id=account.id, role=Role(account.role), name=account.name, ward_ids=frozenset(wards))


def accept(actor: Actor, ward_id: UUID, *, role: str | None = None, now: datetime | None = None) -> None:
    """Accept duty."""
    with db.transaction() as session:
        roster.accept(session, actor, ward_id, now=now or clock.now(), role=DutyRole(role) if role else None)


def leave(actor: Actor, ward_id: UUID, **how: Any) -> None:
    """End duty."""
    with db.transaction() as session:
        roster.hand_over(session, actor, ward_id, now=clock.now(), **how)


def there(ward_id: UUID, *, now: datetime | None = None) -> list[tuple[str, str, bool]]:
    """Who is on duty: name, role, has accepted."""
    with db.transaction() as session:
        found = roster.on_duty(session, [ward_id], now=now or clock.now())[ward_id]
    return [(person.name, person.role.value, person.is_here) for person in found]
