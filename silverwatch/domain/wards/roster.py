"""Who is on duty: accepted and handed over as rows, planned shifts beside them. The caller commits.

Only who accepted duty is there. Who was planned and has not accepted is a fallback, and is shown as one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit, events
from silverwatch.domain.access import Actor, Role, may_acknowledge
from silverwatch.domain.accounts.models import Account, Membership
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.wards.facts import DutyChanged
from silverwatch.domain.wards.models import Duty, PlannedShift, Ward
from silverwatch.domain.wards.shifts import LONGEST, DutyRole, may_serve

ORDER: Final = {role: place for place, role in enumerate(DutyRole)}


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Somebody who answers for a ward now. `accepted_at` is None for who was planned and has not accepted yet.

    `until`: the end of the planned shift, if one was planned.
    """

    account_id: UUID
    name: str
    ward_id: UUID
    role: DutyRole
    accepted_at: datetime | None
    until: datetime | None = None

    @property
    def is_here(self) -> bool:
        """Did this person accept the duty?"""
        return self.accepted_at is not None


def on_duty(session: Session, ward_ids: Iterable[UUID], *, now: datetime) -> dict[UUID, tuple[OnDuty, ...]]:
    """Ward id to who is on duty there: nurses first, who accepted before who is only planned. Two queries."""
    wanted = list(ward_ids)
    found: dict[UUID, dict[UUID, OnDuty]] = {ward_id: {} for ward_id in wanted}
    for duty, name in session.execute(_present(wanted, now=now)):
        found[duty.ward_id][duty.account_id] = OnDuty(
            account_id=duty.account_id,
            name=name,
            ward_id=duty.ward_id,
            role=DutyRole(duty.role),
            accepted_at=duty.accepted_at,
        )
    for shift, name in session.execute(_planned_now(wanted, now=now)):
        here = found[shift.ward_id].get(shift.account_id)
        found[shift.ward_id][shift.account_id] = OnDuty(
            account_id=shift.account_id,
            name=name,
            ward_id=shift.ward_id,
            role=here.role if here else DutyRole(shift.role),
            accepted_at=here.accepted_at if here else None,
            until=shift.ends_at,
        )
    return {ward_id: tuple(sorted(people.values(), key=_place)) for ward_id, people in found.items()}


def wards_on_duty(session: Session, account_id: UUID, *, now: datetime) -> dict[UUID, Duty]:
    """Where this person is on duty now: ward id to the duty."""
    query = select(Duty).where(
        Duty.account_id == account_id, Duty.ended_at.is_(None), Duty.accepted_at > now - LONGEST
    )
    return {duty.ward_id: duty for duty in session.scalars(query)}


def accept(
    session: Session, actor: Actor, ward_id: UUID, *, now: datetime, role: DutyRole | None = None
) -> Duty:
    """Be on duty in a ward from now on, as planned, or as this person usually is; again with another role: changed.

    Raises NotFoundError for a ward that is not the actor's, ConflictError for a role that they may not take.
    """
    account = _caregiver(session, actor, ward_id)
    planned = next((shift for shift, _ in session.execute(_planned_now([ward_id], now=now))
                    if shift.account_id == actor.account_id), None)  # fmt: skip
    usual = DutyRole(account.duty_role)
    wanted = role or DutyRole(planned.role if planned else usual)
    if not may_serve(usual, wanted) and (planned is None or planned.role != wanted):
        raise ConflictError("You cannot take this duty. Choose another one, or ask an administrator.")
    present = _duty_of(session, ward_id, actor.account_id)
    if present is not None and present.role == wanted and present.accepted_at > now - LONGEST:
        return present
    if present is not None:
        is_long = present.accepted_at <= now - LONGEST
        present.ended_at, present.ended_as = now, "forgotten" if is_long else "changed"
        session.flush()
    duty = Duty(
        id=clock.new_id(), ward_id=ward_id, account_id=actor.account_id, role=wanted.value, accepted_at=now
    )
    session.add(duty)
    session.flush()
    _note(session, "duty.accepted", ward_id, actor.account_id, role=wanted.value)
    return duty


def hand_over(
    session: Session,
    actor: Actor,
    ward_id: UUID,
    *,
    now: datetime,
    to: UUID | None = None,
    even_if_last: bool = False,
) -> Duty:
    """End the actor's duty in a ward. Handed to somebody who has accepted duty there, or to those who stay.

    Raises NotFoundError when the actor is not on duty there, ConflictError when the other has not accepted yet
    or when nobody would be left (unless `even_if_last`: then an alarm says so).
    """
    _caregiver(session, actor, ward_id)
    duty = _duty_of(session, ward_id, actor.account_id)
    if duty is None:
        raise NotFoundError("You are not on duty in this ward.")
    others = {
        person.account_id: person
        for person in on_duty(session, [ward_id], now=now)[ward_id]
        if person.is_here and person.account_id != actor.account_id
    }
    if to is not None and to not in others:
        raise ConflictError("They have not accepted duty yet. Ask them to accept it first.")
    if not others and not even_if_last:
        raise ConflictError("You are the only one on duty. Wait until somebody else has accepted duty.")
    duty.ended_at, duty.ended_as, duty.handed_to = now, "handed_over" if to else "off", to
    session.flush()
    _note(session, "duty.handed_over", ward_id, actor.account_id, to=str(to) if to else None)
    return duty


def end_forgotten(session: Session, *, now: datetime) -> int:
    """End every duty that has lasted longer than anybody works; gives how many."""
    ended = session.execute(
        update(Duty)
        .where(Duty.ended_at.is_(None), Duty.accepted_at <= now - LONGEST)
        .values(ended_at=now, ended_as="forgotten")
        .returning(Duty.ward_id)
    ).scalars()
    wards = list(ended)
    for ward_id in set(wards):
        events.record(session, DutyChanged(ward_id=ward_id))
    return len(wards)


def set_usual(session: Session, by: Actor, *, account_id: UUID, role: DutyRole) -> None:
    """Say as what somebody usually is on duty; raises NotFoundError for who belongs to none of the actor's wards."""
    known = {account.id for staff in staff_of(session, list(by.ward_ids)).values() for account in staff}
    if account_id not in known:
        raise NotFoundError("There is no such account.")
    account = session.get_one(Account, account_id, with_for_update=True)
    if account.duty_role != role.value:
        detail = {"from": account.duty_role, "to": role.value}
        account.duty_role = role.value
        audit.record(session, "duty.usual_changed", subject=("account", account_id), detail=detail)


def staff_of(session: Session, ward_ids: Sequence[UUID]) -> dict[UUID, list[Account]]:
    """The caregivers of each ward who can be put on duty, by name."""
    query = (
        select(Membership.ward_id, Account)
        .join(Account, Account.id == Membership.account_id)
        .where(
            Membership.ward_id.in_(ward_ids),
            Account.role == Role.CAREGIVER.value,
            Account.deactivated_at.is_(None),
            Account.approved_at.is_not(None),
        )
        .order_by(Account.name, Account.id)
    )
    found: dict[UUID, list[Account]] = {ward_id: [] for ward_id in ward_ids}
    for ward_id, account in session.execute(query):
        found[ward_id].append(account)
    return found


def _caregiver(session: Session, actor: Actor, ward_id: UUID) -> Account:
    """The actor's account, locked: two clicks at once are one after the other."""
    if not may_acknowledge(actor, ward_id) or session.get(Ward, ward_id) is None:
        raise NotFoundError("There is no such ward.")
    account = session.get(Account, actor.account_id, with_for_update={"key_share": True})
    if account is None:
        raise NotFoundError("There is no such account.")
    return account


def _duty_of(session: Session, ward_id: UUID, account_id: UUID) -> Duty | None:
    query = select(Duty).where(
        Duty.ward_id == ward_id, Duty.account_id == account_id, Duty.ended_at.is_(None)
    )
    return session.scalar(query.with_for_update())


def _present(ward_ids: list[UUID], *, now: datetime) -> Select[Duty, str]:
    return (
        select(Duty, Account.name)
        .join(Account, Account.id == Duty.account_id)
        .where(
            Duty.ward_id.in_(ward_ids),
            Duty.ended_at.is_(None),
            Duty.accepted_at > now - LONGEST,
            Account.deactivated_at.is_(None),
        )
    )


def _planned_now(ward_ids: list[UUID], *, now: datetime) -> Select[PlannedShift, str]:
    return (
        select(PlannedShift, Account.name)
        .join(Account, Account.id == PlannedShift.account_id)
        .where(
            PlannedShift.ward_id.in_(ward_ids),
            PlannedShift.cancelled_at.is_(None),
            PlannedShift.starts_at <= now,
            PlannedShift.starts_at > now - timedelta(days=2),
            PlannedShift.ends_at > now,
            Account.deactivated_at.is_(None),
        )
    )


def _place(person: OnDuty) -> tuple[bool, int, str]:
    return (not person.is_here, ORDER[person.role], person.name)


def _note(session: Session, action: str, ward_id: UUID, account_id: UUID, **detail: str | None) -> None:
    audit.record(session, action, ward_id=ward_id, subject=("account", account_id), detail=detail)
    events.record(session, DutyChanged(ward_id=ward_id))
