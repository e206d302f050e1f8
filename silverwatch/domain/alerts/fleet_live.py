"""The fleet and the faults as live regions of a person's own: what their role and wards let them see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor, Permission, Role
from silverwatch.domain.alerts import faults, fleet
from silverwatch.domain.alerts.fleet import Bars, Fleet, Wanted

_ACTORS = """
SELECT a.id, a.role, a.name, array_remove(array_agg(m.ward_id), NULL) AS wards
FROM account a LEFT JOIN membership m ON m.account_id = a.id WHERE a.id = ANY(:ids) GROUP BY a.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetView:
    """A page of devices as somebody sees it, with the bars of their last day. `may_keep`: may they add one?"""

    account_id: UUID
    fleet: Fleet
    bars: Mapping[UUID, Bars]
    wanted: Wanted
    may_keep: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsView:
    """How many devices there are in each state."""

    account_id: UUID
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultView:
    """The faults of somebody's devices."""

    account_id: UUID
    faults: faults.FaultList


def view(session: Session, actor: Actor, wanted: Wanted, *, now: datetime) -> FleetView:
    """What somebody sees who asks for these devices; two statements."""
    found = fleet.fleet(session, actor, wanted, now=now)
    return FleetView(
        account_id=actor.account_id,
        fleet=found,
        bars=fleet.last_day(session, found.rows, now=now),
        wanted=wanted,
        may_keep=actor.may(Permission.KEEP_DEVICES),
    )


def fleets(session: Session, account_ids: Sequence[UUID], now: datetime) -> dict[UUID, FleetView]:
    """Account id to the first page of all their devices, worst first."""
    actors = _actors(session, account_ids, Permission.SEE_DEVICES)
    return {actor.account_id: view(session, actor, Wanted(), now=now) for actor in actors}


def counts(session: Session, account_ids: Sequence[UUID], now: datetime) -> dict[UUID, CountsView]:
    """Account id to how many of their devices are in each state."""
    return {
        actor.account_id: CountsView(
            account_id=actor.account_id, counts=fleet.fleet(session, actor, Wanted(), now=now).counts
        )
        for actor in _actors(session, account_ids, Permission.SEE_DEVICES)
    }


def fault_views(session: Session, account_ids: Sequence[UUID], now: datetime) -> dict[UUID, FaultView]:
    """Account id to the faults of their devices."""
    return {
        actor.account_id: FaultView(
            account_id=actor.account_id, faults=faults.faults(session, actor, now=now)
        )
        for actor in _actors(session, account_ids, Permission.TAKE_FAULTS)
    }


def _actors(session: Session, account_ids: Sequence[UUID], permission: Permission) -> list[Actor]:
    rows = session.execute(text(_ACTORS), {"ids": list(account_ids)})
    actors = [
        Actor(account_id=row.id, role=Role(row.role), name=row.name, ward_ids=frozenset(row.wards))
        for row in rows
    ]
    return [actor for actor in actors if actor.may(permission)]
