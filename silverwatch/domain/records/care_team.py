"""Who looks after a patient wherever the patient lies. Who joined and left stays readable. The caller commits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit, events
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.accounts.facts import GrantsChanged
from silverwatch.domain.accounts.models import Account, CareTeamMember, Membership
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records.record_models import CareTeamChange

MOST: Final = 200
"""So many people, and so many changes, are read at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A caregiver who is of the team, or could be: then `since` is None."""

    account_id: UUID
    name: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamChange:
    """Somebody joined or left. `name` and `by` are names."""

    at: datetime
    name: str
    joined: bool
    by: str


def members_of(session: Session, patient_id: UUID) -> list[Member]:
    """The team of a patient, by name."""
    query = (
        select(Account.id, Account.name, CareTeamMember.added_at)
        .join(CareTeamMember, CareTeamMember.account_id == Account.id)
        .where(CareTeamMember.patient_id == patient_id)
        .order_by(Account.name, Account.id)
        .limit(MOST)
    )
    return [Member(account_id=row.id, name=row.name, since=row.added_at) for row in session.execute(query)]


def candidates(session: Session, patient_id: UUID, *, ward_ids: Iterable[UUID]) -> list[Member]:
    """The caregivers of these wards who are not of the team yet, by name."""
    of_wards = select(Membership.account_id).where(Membership.ward_id.in_(set(ward_ids)))
    of_team = select(CareTeamMember.account_id).where(CareTeamMember.patient_id == patient_id)
    query = (
        select(Account.id, Account.name)
        .where(
            Account.role == Role.CAREGIVER.value,
            Account.approved_at.is_not(None),
            Account.deactivated_at.is_(None),
            Account.id.in_(of_wards),
            Account.id.not_in(of_team),
        )
        .order_by(Account.name, Account.id)
        .limit(MOST)
    )
    return [Member(account_id=row.id, name=row.name) for row in session.execute(query)]


def join(session: Session, actor: Actor, *, patient_id: UUID, account_id: UUID, now: datetime) -> bool:
    """They look after the patient from now on; False when they do already."""
    values = {"patient_id": patient_id, "account_id": account_id, "added_at": now}
    query = insert(CareTeamMember).values(**values).on_conflict_do_nothing()
    if session.scalar(query.returning(CareTeamMember.account_id)) is None:
        return False
    _note(session, actor, patient_id=patient_id, account_id=account_id, joined=True, now=now)
    return True


def leave(
    session: Session, actor: Actor, *, patient_id: UUID, account_id: UUID, in_bed: bool, now: datetime
) -> bool:
    """They look after the patient no longer; False when they have left already.

    Raises NotFoundError for somebody who never did, ConflictError for the last one of a patient who lies in no bed:
    nobody could open the record then.
    """
    query = select(CareTeamMember).where(CareTeamMember.patient_id == patient_id).with_for_update()
    team = {member.account_id for member in session.scalars(query)}
    if account_id not in team:
        if not _ever(session, patient_id, account_id):
            raise NotFoundError("Nobody of the team is meant.")
        return False
    if len(team) == 1 and not in_bed:
        raise ConflictError("The patient lies in no bed, and nobody else is of the team. Add somebody first.")
    session.execute(
        delete(CareTeamMember).where(
            CareTeamMember.patient_id == patient_id, CareTeamMember.account_id == account_id
        )
    )
    _note(session, actor, patient_id=patient_id, account_id=account_id, joined=False, now=now)
    return True


def _ever(session: Session, patient_id: UUID, account_id: UUID) -> bool:
    query = select(CareTeamChange.id).where(
        CareTeamChange.patient_id == patient_id, CareTeamChange.account_id == account_id
    )
    return session.scalar(query.limit(1)) is not None


_CHANGES = """
SELECT c.at, p.name, c.joined, b.name AS by FROM care_team_change c
JOIN account p ON p.id = c.account_id JOIN account b ON b.id = c.changed_by
WHERE c.patient_id = :patient ORDER BY c.at DESC, c.id DESC LIMIT :most
"""


def changes_of(session: Session, patient_id: UUID) -> list[TeamChange]:
    """Who joined and left, the newest first."""
    rows = session.execute(text(_CHANGES), {"patient": patient_id, "most": MOST})
    return [TeamChange(at=row.at, name=row.name, joined=row.joined, by=row.by) for row in rows]


def _note(
    session: Session, actor: Actor, *, patient_id: UUID, account_id: UUID, joined: bool, now: datetime
) -> None:
    session.add(
        CareTeamChange(
            id=clock.new_id(), patient_id=patient_id, account_id=account_id, at=now, joined=joined,
            changed_by=actor.account_id,
        )
    )  # fmt: skip
    session.flush()
    action = "care_team.joined" if joined else "care_team.left"
    audit.record(session, action, subject=("account", account_id), patient_ids=[patient_id])
    # What they have open is looked at again at once: a screen of theirs may have to go, or may stay.
    events.record(session, GrantsChanged(account_id=account_id))
