"""A caregiver's shift and rounds: whose patients, what is due when. A fixed number of statements for everybody at once.

`Shift` is the patients of one person, `Rounds` all that is due for them (or for a whole ward) in order of time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor, may_keep_rounds, may_see_patient
from silverwatch.domain.alerts import queries, whereabouts
from silverwatch.domain.alerts.board import Tile
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.records import assessments, tasks
from silverwatch.domain.records.assessments import DueAssessment
from silverwatch.domain.records.models import Task
from silverwatch.domain.records.tasks import TaskView
from silverwatch.domain.wards import allocation, roster
from silverwatch.domain.wards.allocation import Holder
from silverwatch.domain.wards.roster import OnDuty

AHEAD: Final = timedelta(hours=8)
"""How far a round looks ahead: one shift."""
DONE_SHOWN: Final = 20
"""So many tasks that were done in the last hour stand below, to be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WardOfShift:
    """One ward of a caregiver. `is_shared`: nobody has taken a bed, so all are everybody's.

    `unheld`: beds with a patient whom nobody has taken although others are taken.
    """

    id: UUID
    slug: str
    name: str
    is_shared: bool
    mine: int
    unheld: tuple[str, ...] = ()
    on_duty: tuple[OnDuty, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftRow:
    """One patient of a shift. `tasks` are open and `assessments` to be done again within `AHEAD`, in order of time."""

    tile: Tile
    ward: WardOfShift
    tasks: tuple[TaskView, ...] = ()
    assessments: tuple[DueAssessment, ...] = ()

    @property
    def first_due_at(self) -> datetime | None:
        """When the first thing is due, observations, a task or an assessment; None where no complete set says when."""
        times = [task.due_at for task in self.tasks] + [item.due_at for item in self.assessments]
        if self.tile.observations_due_at is not None:
            times.append(self.tile.observations_due_at)
        return min(times) if times and self.tile.observations_due_at is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """The patients of one person, what is due first first; `done` lately, by whomever."""

    account_id: UUID
    wards: tuple[WardOfShift, ...] = ()
    rows: tuple[ShiftRow, ...] = ()
    done: tuple[TaskView, ...] = ()

    @property
    def is_on_duty(self) -> bool:
        """Has this person accepted duty in any of these wards?"""
        people = [person for ward in self.wards for person in ward.on_duty]
        return any(person.account_id == self.account_id and person.is_here for person in people)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that is due for a patient: a task, an assessment, or (without one) the next observations.

    `due_at` is None for observations of a patient who has no complete set yet: they are due now.
    """

    tile: Tile
    due_at: datetime | None
    task: TaskView | None = None
    assessment: DueAssessment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """All that is due until `until`, in order of time and bed. `region`: the live region that shows it."""

    region: str
    subject_id: UUID
    until: datetime
    items: tuple[Item, ...] = ()
    done: tuple[tuple[Tile, TaskView], ...] = ()
    patients: int = 0

    def due(self, now: datetime) -> list[Item]:
        """What is due now, or was before."""
        return [item for item in self.items if item.due_at is None or item.due_at <= now]

    def later(self, now: datetime) -> list[Item]:
        """What will be due until the end."""
        return [item for item in self.items if item.due_at is not None and item.due_at > now]


@dataclass(slots=True)
class _Floor:
    """What was read of some wards: tiles, who holds which bed, what is to be done."""

    tiles: Mapping[UUID, list[Tile]]
    holders: Mapping[UUID, Holder]
    open_tasks: Mapping[UUID, list[TaskView]]
    assessments: Mapping[UUID, list[DueAssessment]]
    done: Sequence[TaskView]
    place: Mapping[UUID, int] = field(default_factory=dict)


def shifts(session: Session, account_ids: Sequence[UUID], now: datetime) -> dict[UUID, Shift]:
    """Account id to the shift of each caregiver among them."""
    of_account = _wards(session, account_ids)
    ward_ids = list({ward_id for wards in of_account.values() for ward_id, _, _ in wards})
    floor = _floor(session, ward_ids, now=now)
    duty = roster.on_duty(session, ward_ids, now=now)
    return {account_id: _shift(account_id, wards, floor, duty) for account_id, wards in of_account.items()}


def rounds(session: Session, account_ids: Sequence[UUID], now: datetime) -> dict[UUID, Rounds]:
    """Account id to the round of each caregiver among them."""
    found = {}
    of_account = _wards(session, account_ids)
    floor = _floor(session, list({w for wards in of_account.values() for w, _, _ in wards}), now=now)
    for account_id, wards in of_account.items():
        mine = [t for w, _, _ in wards for t in _mine(floor.tiles[w], floor.holders, account_id)[0]]
        found[account_id] = _rounds("rounds", account_id, mine, floor, now=now)
    return found


def ward_rounds(session: Session, ward_ids: Sequence[UUID], now: datetime) -> dict[UUID, Rounds]:
    """Ward id to the round through the whole ward."""
    floor = _floor(session, ward_ids, now=now)
    return {
        ward_id: _rounds("ward-rounds", ward_id, floor.tiles[ward_id], floor, now=now) for ward_id in ward_ids
    }


def task_for(session: Session, actor: Actor, task_id: UUID, *, now: datetime, lock: bool = False) -> Task:
    """A task for a patient whom the actor may see; locked for one who changes it, and then theirs to change.

    Raises NotFoundError for a foreign one as for none.
    """
    task = session.get(Task, task_id, with_for_update=lock or None)
    wards = whereabouts.wards_of(session, [task.patient_id], now=now) if task else {}
    may = may_keep_rounds if lock else may_see_patient
    if task is None or not may(actor, task.patient_id, ward_id=wards.get(task.patient_id)):
        raise NotFoundError("There is no such task.")
    return task


def wards_by_slug(session: Session, actor: Actor) -> dict[str, UUID]:
    """Slug to id of each ward of the actor."""
    return {slug: ward_id for ward_id, slug, _ in _wards(session, [actor.account_id])[actor.account_id]}


def _wards(session: Session, account_ids: Iterable[UUID]) -> dict[UUID, list[tuple[UUID, str, str]]]:
    """Account id to (id, slug, name) of their wards by name; whoever has none has an empty list."""
    found: dict[UUID, list[tuple[UUID, str, str]]] = {account_id: [] for account_id in account_ids}
    rows = session.execute(
        text(
            "SELECT m.account_id, w.id, w.slug, w.name FROM membership m JOIN ward w ON w.id = m.ward_id"
            " WHERE m.account_id = ANY(:ids) ORDER BY w.name"
        ),
        {"ids": list(found)},
    )
    for row in rows:
        found[row.account_id].append((row.id, row.slug, row.name))
    return found


def _floor(session: Session, ward_ids: Sequence[UUID], *, now: datetime) -> _Floor:
    tiles = queries.tiles_of_wards(session, ward_ids, now)
    beds = [tile for found in tiles.values() for tile in found]
    patients = [tile.patient.id for tile in beds if tile.patient is not None]
    open_tasks: dict[UUID, list[TaskView]] = {}
    for task in tasks.open_tasks(session, patients, until=now + AHEAD):
        open_tasks.setdefault(task.patient_id, []).append(task)
    again: dict[UUID, list[DueAssessment]] = {}
    for item in assessments.due(session, patients, until=now + AHEAD):
        again.setdefault(item.patient_id, []).append(item)
    return _Floor(
        tiles=tiles,
        holders=allocation.holders(session, [tile.bed_id for tile in beds], now=now),
        open_tasks=open_tasks,
        assessments=again,
        done=tasks.done_since(session, patients, since=now - tasks.UNDO, most=tasks.MOST),
        place={tile.bed_id: number for number, tile in enumerate(beds)},
    )


def _mine(
    tiles: Iterable[Tile], holders: Mapping[UUID, Holder], account_id: UUID
) -> tuple[list[Tile], bool, list[str]]:
    """Which of these occupied beds are this person's; whether they are everybody's; and which are nobody's."""
    taken = [tile for tile in tiles if tile.patient is not None]
    if not any(tile.bed_id in holders for tile in tiles):
        return taken, True, []
    mine = [t for t in taken if t.bed_id in holders and holders[t.bed_id].account_id == account_id]
    return mine, False, [tile.bed_label for tile in taken if tile.bed_id not in holders]


def _shift(
    account_id: UUID,
    wards: Iterable[tuple[UUID, str, str]],
    floor: _Floor,
    duty: Mapping[UUID, tuple[OnDuty, ...]],
) -> Shift:
    found, rows = [], []
    for ward_id, slug, name in wards:
        mine, is_shared, unheld = _mine(floor.tiles[ward_id], floor.holders, account_id)
        ward = WardOfShift(
            id=ward_id,
            slug=slug,
            name=name,
            is_shared=is_shared,
            mine=len(mine),
            unheld=tuple(unheld),
            on_duty=duty[ward_id],
        )
        found.append(ward)
        rows += [
            ShiftRow(
                tile=tile,
                ward=ward,
                tasks=tuple(floor.open_tasks.get(tile.patient.id, ())),
                assessments=tuple(floor.assessments.get(tile.patient.id, ())),
            )
            for tile in mine
            if tile.patient is not None
        ]
    shown = {row.tile.patient.id for row in rows if row.tile.patient}
    done = [task for task in floor.done if task.patient_id in shown][:DONE_SHOWN]
    return Shift(
        account_id=account_id, wards=tuple(found), rows=tuple(sorted(rows, key=_due)), done=tuple(done)
    )


def _due(row: ShiftRow) -> tuple[bool, float]:
    """The order of a shift: who has no complete set, then what is due first."""
    first = row.first_due_at
    return first is not None, first.timestamp() if first else 0.0


def _rounds(region: str, subject_id: UUID, tiles: Iterable[Tile], floor: _Floor, *, now: datetime) -> Rounds:
    until = now + AHEAD
    items, of_patient = [], {}
    for tile in tiles:
        if tile.patient is None:
            continue
        of_patient[tile.patient.id] = tile
        due_at = tile.observations_due_at
        if due_at is None or due_at <= until:
            items.append(Item(tile=tile, due_at=due_at))
        items += [
            Item(tile=tile, due_at=task.due_at, task=task)
            for task in floor.open_tasks.get(tile.patient.id, ())
        ]
        items += [
            Item(tile=tile, due_at=again.due_at, assessment=again)
            for again in floor.assessments.get(tile.patient.id, ())
        ]
    items.sort(
        key=lambda item: (item.due_at.timestamp() if item.due_at else 0.0, floor.place[item.tile.bed_id])
    )
    done = [(of_patient[task.patient_id], task) for task in floor.done if task.patient_id in of_patient]
    return Rounds(
        region=region,
        subject_id=subject_id,
        until=until,
        items=tuple(items),
        done=tuple(done[:DONE_SHOWN]),
        patients=len(of_patient),
    )
