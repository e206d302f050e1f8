"""Which beds are whose this shift: taken and given back as rows. The caller commits.

A bed is allocated, not a patient: whoever is moved into it is looked after too. As long as nobody in a ward has
taken a bed, all its beds are everybody's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit, events
from silverwatch.domain.access import Actor, Permission
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.wards.facts import AllocationChanged
from silverwatch.domain.wards.models import Allocation, Bed
from silverwatch.domain.wards.shifts import LONGEST

MOST_BEDS: Final = 200
"""So many beds are taken at once at most: more than any ward has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who looks after a bed now."""

    account_id: UUID
    name: str
    taken_at: datetime


def holders(session: Session, bed_ids: Iterable[UUID], *, now: datetime) -> dict[UUID, Holder]:
    """Bed id to who looks after it. A bed that was taken longer ago than anybody works is nobody's."""
    query = (
        select(Allocation.bed_id, Allocation.account_id, Allocation.taken_at, Account.name)
        .join(Account, Account.id == Allocation.account_id)
        .where(
            Allocation.bed_id.in_(list(bed_ids)),
            Allocation.ended_at.is_(None),
            Allocation.taken_at > now - LONGEST,
            Account.deactivated_at.is_(None),
        )
    )
    return {
        row.bed_id: Holder(account_id=row.account_id, name=row.name, taken_at=row.taken_at)
        for row in session.execute(query)
    }


def take(
    session: Session, actor: Actor, bed_ids: Iterable[UUID], *, now: datetime, seen: Iterable[UUID] = ()
) -> int:
    """Look after these beds from now on; gives how many are new. A colleague's bed is taken over only if it was
    among `seen`, the beds that the actor was shown as somebody's.

    Raises NotFoundError for a bed outside the actor's wards, ConflictError for one that a colleague took meanwhile.
    """
    beds = _beds(session, actor, bed_ids)
    shown, taken = set(seen), []
    standing = _standing(session, beds)
    known = holders(session, beds, now=now)
    for bed_id in beds:
        holder = known.get(bed_id)
        if holder is not None and holder.account_id == actor.account_id:
            continue
        if holder is not None and bed_id not in shown:
            raise ConflictError(
                f"{holder.name} has taken one of these beds meanwhile. Look again and choose."
            )
        if bed_id in standing:
            standing[bed_id].ended_at, standing[bed_id].ended_as = now, "taken_over"
        taken.append(bed_id)
    session.flush()
    session.add_all(
        Allocation(id=clock.new_id(), bed_id=bed_id, account_id=actor.account_id, taken_at=now)
        for bed_id in taken
    )
    session.flush()
    if taken:
        _note(session, "beds.taken", taken, over=[known[bed].name for bed in taken if bed in known])
    return len(taken)


def give_back(session: Session, actor: Actor, bed_ids: Iterable[UUID], *, now: datetime) -> int:
    """Look after these beds no longer; gives how many were the actor's. Raises NotFoundError as `take` does."""
    beds = _beds(session, actor, bed_ids)
    mine = [found for found in _standing(session, beds).values() if found.account_id == actor.account_id]
    for allocation in mine:
        allocation.ended_at, allocation.ended_as = now, "given_back"
    session.flush()
    if mine:
        _note(session, "beds.given_back", [found.bed_id for found in mine])
    return len(mine)


def _beds(session: Session, actor: Actor, bed_ids: Iterable[UUID]) -> list[UUID]:
    """These beds, each locked: two who take the same one are one after the other."""
    wanted = sorted(set(bed_ids))[:MOST_BEDS]
    query = (
        select(Bed.id)
        .where(Bed.id.in_(wanted), Bed.ward_id.in_(actor.ward_ids))
        .order_by(Bed.id)
        .with_for_update(key_share=True)
    )
    if not actor.may(Permission.KEEP_ROUNDS) or list(session.scalars(query)) != wanted:
        raise NotFoundError("There is no such bed.")
    return wanted


def _standing(session: Session, beds: list[UUID]) -> dict[UUID, Allocation]:
    query = select(Allocation).where(Allocation.bed_id.in_(beds), Allocation.ended_at.is_(None))
    return {found.bed_id: found for found in session.scalars(query)}


def _note(session: Session, action: str, beds: list[UUID], *, over: Iterable[str] = ()) -> None:
    rows = session.execute(
        select(Bed.ward_id, Bed.label).where(Bed.id.in_(beds)).order_by(Bed.position)
    ).all()
    detail = {"beds": [row.label for row in rows], "from": sorted(set(over))}
    audit.record(session, action, ward_id=rows[0].ward_id, detail=detail)
    events.record(session, AllocationChanged())
