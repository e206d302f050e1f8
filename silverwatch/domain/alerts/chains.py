"""Chains of escalation as they are stored, and the clock of an alert that escalates. The caller commits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.accounts.models import Account, Membership
from silverwatch.domain.alerts.chain_models import EscalationChain
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.alerts.steps import DEFAULTS, PRIORITIES, Chain, Step, as_json, from_json, problems
from silverwatch.domain.errors import DomainError, NotFoundError
from silverwatch.domain.wards.models import Ward
from silverwatch.domain.wards.shifts import DutyRole, may_serve


def begin(values: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """The columns with which a new live alert begins to escalate: its first step is due at once."""
    return {} if values.get("muted_by") else {"step": 0, "escalate_at": now}


def start(alert: Alert, now: datetime) -> None:
    """Escalate from the first step, anew for one that has come back or has become more urgent."""
    alert.step = 0
    alert.escalate_at = None if alert.muted_by else now


def stop(alert: Alert) -> None:
    """Nobody else is to be told: it was taken, muted, or is over."""
    alert.escalate_at = None


def chains_for(session: Session, ward_ids: Iterable[UUID | None]) -> dict[tuple[UUID | None, str], Chain]:
    """(Ward id, priority) to the chain that holds there, None for what concerns the whole site. One query."""
    wards = set(ward_ids) | {None}
    rows = session.scalars(
        select(EscalationChain).where(
            EscalationChain.ended_at.is_(None),
            or_(EscalationChain.ward_id.is_(None), EscalationChain.ward_id.in_([w for w in wards if w])),
        )
    ).all()
    own = {(row.ward_id, row.priority): _chain(row) for row in rows}
    return {
        (ward_id, priority): own.get((ward_id, priority)) or own.get((None, priority)) or DEFAULTS[priority]
        for ward_id in wards
        for priority in PRIORITIES
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a chain, with who made it."""

    chain: Chain
    made_at: datetime
    made_by: str | None
    ended_at: datetime | None


def versions(session: Session, ward_id: UUID | None, priority: str) -> list[Version]:
    """The versions of one chain, the newest first."""
    query = (
        select(EscalationChain, Account.name)
        .outerjoin(Account, Account.id == EscalationChain.made_by)
        .where(EscalationChain.ward_id.is_not_distinct_from(ward_id), EscalationChain.priority == priority)
        .order_by(EscalationChain.version.desc())
        .limit(50)
    )
    return [
        Version(chain=_chain(row), made_at=row.made_at, made_by=name, ended_at=row.ended_at)
        for row, name in session.execute(query)
    ]


def check(session: Session, ward_id: UUID | None, steps: Sequence[Step], repeat_s: int) -> dict[str, str]:
    """What is wrong with such a chain, as `steps.problems`; with those who can be told there now."""
    people = _people(session, ward_id)
    roles = {
        role
        for account in people.values()
        for role in DutyRole
        if may_serve(DutyRole(account.duty_role), role)
    }
    return problems(steps, repeat_s, people=people, roles=roles)


def change(
    session: Session,
    by: Actor,
    *,
    ward_id: UUID | None,
    priority: str,
    steps: Sequence[Step],
    repeat_s: int,
    now: datetime,
) -> Chain:
    """Make this the chain of the site, or of a ward; raises DomainError for one that would end in nobody."""
    _check_place(session, by, ward_id, priority)
    if found := check(session, ward_id, steps, repeat_s):
        raise DomainError(next(iter(found.values())))
    before = _end(session, ward_id, priority, now=now)
    row = EscalationChain(
        id=clock.new_id(),
        ward_id=ward_id,
        priority=priority,
        version=_last_version(session, ward_id, priority) + 1,
        steps=as_json(steps),
        repeat_s=repeat_s,
        made_at=now,
        made_by=by.account_id,
    )
    session.add(row)
    session.flush()
    detail = {
        "priority": priority,
        "from": _plain(before) if before else None,
        "to": _plain(row),
    }
    audit.record(session, "chain.changed", ward_id=ward_id, detail=detail)
    return _chain(row)


def use_the_sites(session: Session, by: Actor, *, ward_id: UUID, priority: str, now: datetime) -> None:
    """Take a ward's own chain back; the site's holds there again. Twice is once."""
    _check_place(session, by, ward_id, priority)
    before = _end(session, ward_id, priority, now=now)
    if before is not None:
        detail = {"priority": priority, "from": _plain(before), "to": "the chain of the site"}
        audit.record(session, "chain.changed", ward_id=ward_id, detail=detail)


def people_for(session: Session, ward_id: UUID | None) -> list[Account]:
    """Who can be named in a chain there: caregivers of the ward, or of any, by name."""
    return sorted(_people(session, ward_id).values(), key=lambda account: (account.name, account.id))


def _people(session: Session, ward_id: UUID | None) -> dict[UUID, Account]:
    query = (
        select(Account)
        .join(Membership, Membership.account_id == Account.id)
        .where(
            Account.role == Role.CAREGIVER.value,
            Account.deactivated_at.is_(None),
            Account.approved_at.is_not(None),
        )
    )
    if ward_id is not None:
        query = query.where(Membership.ward_id == ward_id)
    return {account.id: account for account in session.scalars(query)}


def _check_place(session: Session, by: Actor, ward_id: UUID | None, priority: str) -> None:
    if priority not in PRIORITIES or (ward_id is not None and ward_id not in by.ward_ids):
        raise NotFoundError("There is no such chain.")
    if ward_id is not None and session.get(Ward, ward_id) is None:
        raise NotFoundError("There is no such chain.")


def _end(session: Session, ward_id: UUID | None, priority: str, *, now: datetime) -> EscalationChain | None:
    row = session.scalar(
        select(EscalationChain)
        .where(
            EscalationChain.ward_id.is_not_distinct_from(ward_id),
            EscalationChain.priority == priority,
            EscalationChain.ended_at.is_(None),
        )
        .with_for_update()
    )
    if row is not None:
        row.ended_at = now
        session.flush()
    return row


def _last_version(session: Session, ward_id: UUID | None, priority: str) -> int:
    query = (
        select(EscalationChain.version)
        .where(EscalationChain.ward_id.is_not_distinct_from(ward_id), EscalationChain.priority == priority)
        .order_by(EscalationChain.version.desc())
    )
    return session.scalar(query.limit(1)) or 0


def _chain(row: EscalationChain) -> Chain:
    return Chain(
        id=row.id,
        ward_id=row.ward_id,
        priority=row.priority,
        version=row.version,
        steps=from_json(row.steps),
        repeat_s=row.repeat_s,
    )


def _plain(row: EscalationChain) -> dict[str, Any]:
    return {"version": row.version, "steps": row.steps, "repeat_s": row.repeat_s}
