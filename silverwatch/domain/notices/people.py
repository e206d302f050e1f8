"""Whom a step of a chain names now, and where each of them can be told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from silverwatch.domain.access import Role
from silverwatch.domain.accounts.models import Account, Membership
from silverwatch.domain.alerts.steps import Step
from silverwatch.domain.notices.models import NoticeAddress, NoticePreference
from silverwatch.domain.notices.rules import Person, Quiet, Told
from silverwatch.domain.wards import roster
from silverwatch.domain.wards.roster import OnDuty
from silverwatch.domain.wards.shifts import DutyRole

Fallback = Literal["backup", "planned", "ward", "admins"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Whom a step names: `fallback` says by which way, None for those who have the duty."""

    account_ids: tuple[UUID, ...]
    fallback: Fallback | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Who could be told about a ward (None: about the whole site): on duty, members, and administrators."""

    on_duty: Sequence[OnDuty] = ()
    members: Sequence[UUID] = ()
    admins: Sequence[UUID] = ()
    active: frozenset[UUID] = frozenset()

    def named(self, step: Step) -> Named | None:
        """Whom the step names now, None where nobody has that duty."""
        if step.account_id is not None:
            return Named(account_ids=(step.account_id,)) if step.account_id in self.active else None
        assert step.role is not None  # noqa: S101 - a step names a role or a person
        here = [person for person in self.on_duty if person.is_here]
        for people, fallback in (
            (_as(here, step.role), None),
            (_as(here, DutyRole.BACKUP), "backup"),
            (_as([person for person in self.on_duty if not person.is_here], step.role), "planned"),
        ):
            if people:
                return Named(account_ids=people, fallback=fallback)  # type: ignore[arg-type]
        return None

    def last_resort(self) -> Named:
        """Everybody on duty, else everybody of the ward, else the administrators: never nobody where there is one."""
        on_duty = tuple(person.account_id for person in self.on_duty)
        if on_duty:
            return Named(account_ids=on_duty, fallback="ward")
        if self.members:
            return Named(account_ids=tuple(self.members), fallback="ward")
        return Named(account_ids=tuple(self.admins), fallback="admins")


def _as(people: Iterable[OnDuty], role: DutyRole) -> tuple[UUID, ...]:
    return tuple(person.account_id for person in people if person.role is role)


def crews(session: Session, ward_ids: Iterable[UUID | None], *, now: datetime) -> dict[UUID | None, Crew]:
    """The crew of each ward, and that of the site under None. A constant number of queries."""
    wards = [ward_id for ward_id in set(ward_ids) if ward_id is not None]
    duty = roster.on_duty(session, wards, now=now)
    rows = session.execute(
        select(Account.id, Account.role, Membership.ward_id)
        .outerjoin(Membership, Membership.account_id == Account.id)
        .where(
            Account.role.in_([Role.CAREGIVER.value, Role.ADMIN.value]),
            Account.deactivated_at.is_(None),
            Account.approved_at.is_not(None),
        )
        .order_by(Account.id)
    ).all()
    admins = tuple(dict.fromkeys(row.id for row in rows if row.role == Role.ADMIN.value))
    caregivers = [row for row in rows if row.role == Role.CAREGIVER.value]
    active = frozenset(row.id for row in caregivers)
    found: dict[UUID | None, Crew] = {None: Crew(admins=admins, active=active)}
    for ward_id in wards:
        members = tuple(row.id for row in caregivers if row.ward_id == ward_id)
        found[ward_id] = Crew(on_duty=duty[ward_id], members=members, admins=admins, active=active)
    return found


def persons(session: Session, account_ids: Iterable[UUID]) -> dict[UUID, Person]:
    """Where each of these people can be told, and when not. Three queries."""
    ids = list(set(account_ids))
    accounts = session.scalars(select(Account).where(Account.id.in_(ids))).all()
    addresses: dict[UUID, dict[str, UUID | None]] = {
        # The address of the account was confirmed when they joined.
        account.id: {"email": None} if account.email_confirmed_at else {}
        for account in accounts
    }
    query = (
        select(NoticeAddress)
        .where(
            NoticeAddress.account_id.in_(ids),
            NoticeAddress.verified_at.is_not(None),
            NoticeAddress.removed_at.is_(None),
        )
        .order_by(NoticeAddress.verified_at)
    )
    for address in session.scalars(query):
        addresses[address.account_id][address.channel] = address.id
    quiet = {
        row.account_id: Quiet(begin=row.quiet_from, end=row.quiet_until)
        for row in session.scalars(select(NoticePreference).where(NoticePreference.account_id.in_(ids)))
        if row.quiet_from is not None and row.quiet_until is not None
    }
    return {
        account.id: Person(
            account_id=account.id,
            name=account.name,
            reachable=addresses[account.id],
            quiet=quiet.get(account.id),
        )
        for account in accounts
    }


_TOLD = """
SELECT n.account_id, n.channel, a.subject_id, a.kind, n.created_at, n.priority
FROM notice n JOIN alert a ON a.id = n.alert_id
WHERE n.account_id = ANY(:accounts) AND n.created_at > CAST(:since AS timestamptz) AND n.held_as IS NULL
  AND n.cancelled_at IS NULL
ORDER BY n.created_at
"""


class History:
    """What people were told in the last hour; grows with what is written now."""

    def __init__(self, session: Session, account_ids: Iterable[UUID], *, now: datetime) -> None:
        self._last: dict[tuple[UUID, str, UUID, str], tuple[datetime, str]] = {}
        self._count: dict[tuple[UUID, str], int] = {}
        params = {"accounts": list(set(account_ids)), "since": now - timedelta(hours=1)}
        for row in session.execute(text(_TOLD), params):
            self.add(
                row.account_id, row.channel, about=(row.subject_id, row.kind), at=row.created_at,
                priority=row.priority,
            )  # fmt: skip

    def told(self, account_id: UUID, channel: str, *, about: tuple[UUID, str]) -> Told:
        """What this person was told lately on this channel."""
        last = self._last.get((account_id, channel, *about))
        return Told(
            last_at=last[0] if last else None,
            last_priority=last[1] if last else "low",
            in_hour=self._count.get((account_id, channel), 0),
        )

    def add(
        self, account_id: UUID, channel: str, *, about: tuple[UUID, str], at: datetime, priority: str
    ) -> None:
        """One more."""
        self._last[(account_id, channel, *about)] = (at, priority)
        self._count[account_id, channel] = self._count.get((account_id, channel), 0) + 1
