"""Planned shifts: who is to work when, in which ward and as what. The caller commits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit, events
from silverwatch.domain.access import Actor
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError
from silverwatch.domain.wards import roster
from silverwatch.domain.wards.facts import DutyChanged
from silverwatch.domain.wards.models import PlannedShift
from silverwatch.domain.wards.shifts import PATTERNS, DutyRole, may_serve, span

AHEAD: Final = timedelta(days=92)
"""How far ahead shifts are planned: a quarter of a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A planned shift with the name of who is to come."""

    id: UUID
    ward_id: UUID
    account_id: UUID
    name: str
    role: DutyRole
    day: date
    pattern: str
    starts_at: datetime
    ends_at: datetime


def plan(
    session: Session,
    by: Actor,
    *,
    ward_id: UUID,
    account_id: UUID,
    day: date,
    pattern: str,
    role: DutyRole | None,
    zone: ZoneInfo,
    now: datetime,
) -> PlannedShift:
    """Plan one shift. Raises NotFoundError for a foreign ward, DomainError for what cannot be planned."""
    if ward_id not in by.ward_ids:
        raise NotFoundError("There is no such ward.")
    if pattern not in PATTERNS:
        raise DomainError("Choose early, late or night.")
    starts_at, ends_at = span(day, pattern, zone=zone)
    if ends_at <= now or starts_at > now + AHEAD:
        raise DomainError("Choose a day from today on, at most three months ahead.")
    known = {account.id: account for account in roster.staff_of(session, [ward_id])[ward_id]}
    account = known.get(account_id)
    if account is None:
        raise DomainError("Choose a caregiver of this ward.")
    usual = DutyRole(account.duty_role)
    wanted = role or usual
    if not may_serve(usual, wanted):
        raise DomainError(f"{account.name} cannot take that duty. Choose another one.")
    there = select(PlannedShift).where(
        PlannedShift.account_id == account_id,
        PlannedShift.ward_id == ward_id,
        PlannedShift.starts_at == starts_at,
        PlannedShift.cancelled_at.is_(None),
    )
    if session.scalar(there.with_for_update()) is not None:
        raise ConflictError(f"{account.name} is planned for this shift already.")
    shift = PlannedShift(
        id=clock.new_id(),
        ward_id=ward_id,
        account_id=account_id,
        role=wanted.value,
        day=day,
        pattern=pattern,
        starts_at=starts_at,
        ends_at=ends_at,
        planned_at=now,
        planned_by=by.account_id,
    )
    session.add(shift)
    _note(session, "shift.planned", shift)
    return shift


def cancel(session: Session, by: Actor, shift_id: UUID, *, now: datetime) -> UUID:
    """Take a planned shift back; gives its ward. Raises NotFoundError for another ward's as for none. Twice is once."""
    shift = session.get(PlannedShift, shift_id, with_for_update=True)
    if shift is None or shift.ward_id not in by.ward_ids:
        raise NotFoundError("There is no such shift.")
    if shift.cancelled_at is None:
        shift.cancelled_at, shift.cancelled_by = now, by.account_id
        _note(session, "shift.cancelled", shift)
    return shift.ward_id


def planned(
    session: Session, ward_ids: Iterable[UUID], *, since: datetime, until: datetime
) -> Sequence[Planned]:
    """The planned shifts of these wards that touch the time between, by their beginning."""
    query = (
        select(PlannedShift, Account.name)
        .join(Account, Account.id == PlannedShift.account_id)
        .where(
            PlannedShift.ward_id.in_(list(ward_ids)),
            PlannedShift.cancelled_at.is_(None),
            PlannedShift.starts_at < until,
            PlannedShift.starts_at > since - timedelta(days=2),
            PlannedShift.ends_at > since,
        )
        .order_by(PlannedShift.starts_at, PlannedShift.role, Account.name)
    )
    return [
        Planned(
            id=shift.id,
            ward_id=shift.ward_id,
            account_id=shift.account_id,
            name=name,
            role=DutyRole(shift.role),
            day=shift.day,
            pattern=shift.pattern,
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
        )
        for shift, name in session.execute(query)
    ]


def _note(session: Session, action: str, shift: PlannedShift) -> None:
    detail = {"day": shift.day.isoformat(), "shift": shift.pattern, "duty": shift.role}
    audit.record(session, action, ward_id=shift.ward_id, subject=("account", shift.account_id), detail=detail)
    events.record(session, DutyChanged(ward_id=shift.ward_id))
