"""A caregiver's shift and rounds: whose patients, what is due when. A fixed number of statements for all at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.access import Actor, may_keep_rounds, may_see_patient
from silverwatch.domain.alerts import queries, whereabouts
from silverwatch.domain.alerts.board import Tile
from silverwatch.domain.alerts.round_views import Item, Rounds, Shift, ShiftRow, WardOfShift
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.records import assessments, due_doses, tasks
from silverwatch.domain.records.assessments import DueAssessment
from silverwatch.domain.records.due_doses import DoseView, DueDose
from silverwatch.domain.records.models import Task
from silverwatch.domain.records.tasks import TaskView
from silverwatch.domain.wards import allocation, roster
from silverwatch.domain.wards.allocation import Holder
from silverwatch.domain.wards.roster import OnDuty

AHEAD: Final = timedelta(hours=8)
"""How far a round looks ahead: one shift."""
DONE_SHOWN: Final = 20
"""So many tasks that were done in the last hour stand below, to be undone."""


@dataclass(slots=True)
class _Floor:
    """What was read of some wards: tiles, who holds which bed, what is to be done."""

    tiles: Mapping[UUID, list[Tile]]
    holders: Mapping[UUID, Holder]
    open_tasks: Mapping[UUID, list[TaskView]]
    assessments: Mapping[UUID, list[DueAssessment]]
    done: Sequence[TaskView]
    doses: Mapping[UUID, list[DueDose]]
    recorded: Sequence[DoseView]
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
            " WHERE m.account_id = ANY(:ids) AND w.closed_at IS NULL ORDER BY w.name"
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
        doses=due_doses.open_doses(session, patients, until=now + AHEAD, now=now, zone=clock.site_zone()),
        recorded=due_doses.entered_since(session, patients, since=now - tasks.UNDO, most=tasks.MOST),
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
                doses=tuple(floor.doses.get(tile.patient.id, ())),
            )
            for tile in mine
            if tile.patient is not None
        ]
    shown = {row.tile.patient.id for row in rows if row.tile.patient}
    return Shift(
        account_id=account_id,
        wards=tuple(found),
        rows=tuple(sorted(rows, key=_due)),
        done=tuple(task for task in floor.done if task.patient_id in shown)[:DONE_SHOWN],
        recorded=tuple(dose for dose in floor.recorded if dose.patient_id in shown)[:DONE_SHOWN],
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
        items += _of_doses(tile, floor.doses.get(tile.patient.id, ()), now=now)
    items.sort(
        key=lambda item: (item.due_at.timestamp() if item.due_at else 0.0, floor.place[item.tile.bed_id])
    )
    done = [(of_patient[task.patient_id], task) for task in floor.done if task.patient_id in of_patient]
    recorded = [
        (of_patient[dose.patient_id], dose) for dose in floor.recorded if dose.patient_id in of_patient
    ]
    return Rounds(
        region=region,
        subject_id=subject_id,
        until=until,
        items=tuple(items),
        done=tuple(done[:DONE_SHOWN]),
        recorded=tuple(recorded[:DONE_SHOWN]),
        patients=len(of_patient),
    )


def _of_doses(tile: Tile, doses: Iterable[DueDose], *, now: datetime) -> list[Item]:
    """What is due at the same moment is one item; what was not recorded for hours is one as well."""
    old, groups = due_doses.split(doses, now)
    items = [Item(tile=tile, due_at=at, doses=each) for at, each in groups]
    return [Item(tile=tile, due_at=old[0].due_at, unrecorded=len(old)), *items] if old else items
