"""Admit, transfer, swap. Each is a row of who and when; the database refuses two in one bed. The caller commits.

Locks in the order of `records.stays`: whoever does two of these at once waits for the other, and then finds what is.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit, events
from silverwatch.domain.access import Actor, Permission, may_move_patients
from silverwatch.domain.alerts import rebinding
from silverwatch.domain.devices import service as devices
from silverwatch.domain.devices.wearing import Worn, worn_by
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.readings.corrections import judge_again
from silverwatch.domain.records import stays
from silverwatch.domain.records.facts import PatientsMoved
from silverwatch.domain.records.move_models import Move
from silverwatch.domain.records.stays import Lying
from silverwatch.domain.wards.models import Bed

CHANGED: Final = "Somebody has moved this patient meanwhile. Look where they lie now."


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a patient comes to: a bed, or (`bed_id` None) a place at home on the board of the ward."""

    ward_id: UUID
    bed_id: UUID | None = None


def admit(session: Session, actor: Actor, *, patient_id: UUID, to: Target, now: datetime) -> Move:
    """The patient lies there from now on. Raises NotFoundError for a foreign ward, ConflictError for a taken bed."""
    if not may_move_patients(actor, to.ward_id):
        raise NotFoundError("There is no such ward.")
    stays.lock_patients(session, [patient_id])
    bed = _bed(session, to)
    stays.begin(session, patient_id=patient_id, bed_id=bed.id, at=now)
    move = note(session, actor, "admission", patient_id=patient_id, from_bed=None, to_bed=bed.id, now=now)
    judge_again(session, patient_id, since=now, now=now)
    tell(session, move, "patient.admitted", ward_ids=[bed.ward_id], detail={"bed": bed.label})
    return move


def transfer(
    session: Session, actor: Actor, *, patient_id: UUID, seen: UUID, to: Target, along: Collection[UUID],
    left: Collection[UUID], now: datetime,
) -> Move:  # fmt: skip
    """To another bed of any ward. `seen`: the bed where the actor saw the patient; `along`, `left`: what they wear.

    What is left is on nobody from now on. Raises NotFoundError, ConflictError.
    """
    stays.lock_patients(session, [patient_id])
    here = present(session, actor, patient_id, seen=seen)
    bed = _bed(session, to)
    if bed.id == here.bed_id:
        raise ConflictError("The patient lies in this bed already. Choose another one.")
    act_id = clock.new_id()
    worn = _asked(session, [patient_id], along=along, left=left, now=now)
    stays.end(session, here.stay_id, at=now)
    stays.begin(session, patient_id=patient_id, bed_id=bed.id, at=now)
    _leave(session, actor, [item for item in worn if item.device_id in left], act_id=act_id, now=now)
    move = note(
        session,
        actor,
        "transfer",
        patient_id=patient_id,
        from_bed=here.bed_id,
        to_bed=bed.id,
        act_id=act_id,
        now=now,
    )
    judge_again(session, patient_id, since=now, now=now)
    detail = {"from": here.label, "to": bed.label, "left": [w.serial for w in worn if w.device_id in left]}
    tell(session, move, "patient.transferred", ward_ids=[here.ward_id, bed.ward_id], detail=detail)
    return move


def swap(
    session: Session, actor: Actor, *, patient_ids: tuple[UUID, UUID], seen: tuple[UUID, UUID],
    along: Collection[UUID], left: Collection[UUID], now: datetime,
) -> tuple[Move, Move]:  # fmt: skip
    """Two patients of the actor's wards lie in each other's beds. Raises NotFoundError, ConflictError."""
    one, other = patient_ids
    if one == other:
        raise ConflictError("Choose two patients.")
    stays.lock_patients(session, patient_ids)
    first, second = (present(session, actor, p, seen=s) for p, s in zip(patient_ids, seen, strict=True))
    stays.lock_beds(session, [first.bed_id, second.bed_id])
    act_id = clock.new_id()
    worn = _asked(session, patient_ids, along=along, left=left, now=now)
    for lying in (first, second):
        stays.end(session, lying.stay_id, at=now)
    for lying, bed in ((first, second), (second, first)):
        stays.begin(session, patient_id=lying.patient_id, bed_id=bed.bed_id, at=now)
    _leave(session, actor, [item for item in worn if item.device_id in left], act_id=act_id, now=now)
    moves = []
    for lying, bed in ((first, second), (second, first)):
        move = note(
            session, actor, "swap", patient_id=lying.patient_id, from_bed=lying.bed_id, to_bed=bed.bed_id,
            act_id=act_id, now=now,
        )  # fmt: skip
        moves.append(move)
    for patient_id in sorted(patient_ids):
        judge_again(session, patient_id, since=now, now=now)
    for move, lying, bed in zip(moves, (first, second), (second, first), strict=True):
        detail = {"from": lying.label, "to": bed.label}
        tell(session, move, "patient.swapped", ward_ids=[first.ward_id, second.ward_id], detail=detail)
    return moves[0], moves[1]


def present(session: Session, actor: Actor, patient_id: UUID, *, seen: UUID | None) -> Lying:
    """Where a patient of the actor's wards lies; raises ConflictError where they were seen in another bed."""
    if not actor.may(Permission.MOVE_PATIENTS):
        raise NotFoundError("There is no such patient.")
    here = stays.lying(session, [patient_id]).get(patient_id)
    if here is None or not may_move_patients(actor, here.ward_id):
        # Who has gone to a ward of others, or home, while the form was open, is not told from who never was here.
        raise NotFoundError("There is no such patient.")
    if seen is not None and here.bed_id != seen:
        raise ConflictError(CHANGED)
    return here


def _bed(session: Session, to: Target) -> Bed:
    if to.bed_id is None:
        return stays.free_home(session, to.ward_id)
    bed = stays.lock_beds(session, [to.bed_id])[to.bed_id]
    if bed.ward_id != to.ward_id:
        raise NotFoundError("There is no such bed.")
    return bed


def _asked(
    session: Session,
    patient_ids: Iterable[UUID],
    *,
    along: Collection[UUID],
    left: Collection[UUID],
    now: datetime,
) -> list[Worn]:
    """What they wear, of which each was asked about."""
    worn = worn_by(session, patient_ids, at=now)
    wanted = {item.device_id for item in worn}
    if wanted != {*along, *left} or set(along) & set(left):
        raise ConflictError(
            "Say of each device whether it goes along. What the patient wears has changed meanwhile."
        )
    return worn


def _leave(session: Session, actor: Actor, worn: Collection[Worn], *, act_id: UUID, now: datetime) -> None:
    if not worn:
        return
    ids = [item.device_id for item in worn]
    with rebinding.changing(session, actor, ids, because="transfer", act_id=act_id, now=now):
        for device_id in sorted(ids):
            devices.unbind(session, device_id=device_id, at=now)


def note(
    session: Session, actor: Actor, kind: str, *, patient_id: UUID, from_bed: UUID | None, to_bed: UUID | None,
    now: datetime, act_id: UUID | None = None, because: str = "", limits_number: int | None = None,
) -> Move:  # fmt: skip
    """Keep who moved the patient, and when."""
    move_id = clock.new_id()
    move = Move(
        id=move_id, act_id=act_id or move_id, kind=kind, patient_id=patient_id, from_bed_id=from_bed, to_bed_id=to_bed,
        at=now, account_id=actor.account_id, because=because, limits_number=limits_number,
    )  # fmt: skip
    session.add(move)
    session.flush()
    return move


def tell(
    session: Session, move: Move, action: str, *, ward_ids: Collection[UUID], detail: Mapping[str, object]
) -> None:
    """Note it in the audit, of the first of these wards, and let the boards draw what has changed."""
    audit.record(
        session, action, subject=("patient", move.patient_id), patient_ids=[move.patient_id],
        ward_id=next(iter(ward_ids)), detail=dict(detail),
    )  # fmt: skip
    beds = tuple(bed for bed in (move.from_bed_id, move.to_bed_id) if bed is not None)
    events.record(
        session,
        PatientsMoved(patient_ids=(move.patient_id,), bed_ids=beds, ward_ids=tuple(sorted(set(ward_ids)))),
    )
