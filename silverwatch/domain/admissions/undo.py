"""Take back the last move of a patient, for a few minutes and only where nothing contradicts it. The caller commits."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch.domain import audit, events
from silverwatch.domain.access import Actor, Permission
from silverwatch.domain.alerts import leaving, limit_versions, rebinding
from silverwatch.domain.devices import service as devices
from silverwatch.domain.devices.binding_models import BindingChange
from silverwatch.domain.devices.models import Binding
from silverwatch.domain.devices.wearing import worn_by
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.readings.corrections import judge_again
from silverwatch.domain.records import stays
from silverwatch.domain.records.facts import PatientsMoved
from silverwatch.domain.records.move_models import Move
from silverwatch.domain.wards.models import Ward
from silverwatch.domain.wards.queries import wards_of_beds

WITHIN: Final = timedelta(minutes=10)
"""So long a move can be taken back."""
LOOK_BACK: Final = timedelta(minutes=5)
"""Readings of this time are judged anew: what was over when the patient left may be true still."""


def moves_for(session: Session, actor: Actor, act_id: UUID) -> Sequence[Move]:
    """The moves of an act from or to a ward of the actor; raises NotFoundError for others as for none."""
    moves = session.scalars(select(Move).where(Move.act_id == act_id).order_by(Move.patient_id)).all()
    beds = [bed for move in moves for bed in (move.from_bed_id, move.to_bed_id) if bed is not None]
    wards = set(wards_of_beds(session, beds).values())
    if not moves or not actor.may(Permission.MOVE_PATIENTS) or not wards & actor.ward_ids:
        raise NotFoundError("There is no such move.")
    return moves


def ward_for(session: Session, actor: Actor, act_id: UUID) -> Ward:
    """The ward of the actor from which the patient of an act went, or else came to; raises NotFoundError."""
    moves = moves_for(session, actor, act_id)
    beds = [bed for m in moves for bed in (m.from_bed_id, m.to_bed_id) if bed is not None]
    wards = wards_of_beds(session, beds)
    return session.get_one(Ward, next(wards[bed] for bed in beds if wards[bed] in actor.ward_ids))


def undo(session: Session, actor: Actor, act_id: UUID, *, now: datetime) -> Sequence[Move]:
    """As if it had not been: beds, what was taken off, own limits, open alarms. Again is no error.

    Raises NotFoundError, and ConflictError where too much time or something else has come in between.
    """
    patients = [move.patient_id for move in moves_for(session, actor, act_id)]
    stays.lock_patients(session, patients)
    query = select(Move).where(Move.act_id == act_id).order_by(Move.patient_id)
    moves = session.scalars(query.with_for_update().execution_options(populate_existing=True)).all()
    if all(move.undone_at is not None for move in moves):
        return moves
    _check(session, moves, now=now)
    stays.lock_beds(session, {bed for m in moves for bed in (m.from_bed_id, m.to_bed_id) if bed is not None})
    for move in moves:
        if move.to_bed_id is not None:
            stays.take_back(session, patient_id=move.patient_id, at=move.at)
    for move in moves:
        if move.from_bed_id is not None:
            stays.go_on(session, patient_id=move.patient_id, bed_id=move.from_bed_id, at=move.at)
    _put_on_again(session, actor, act_id, now=now)
    for move in moves:
        judge_again(session, move.patient_id, since=move.at - LOOK_BACK, now=now)
        if move.kind == "discharge":
            _come_back(session, actor, move, now=now)
        move.undone_at, move.undone_by = now, actor.account_id
    session.flush()
    _tell(session, moves)
    return moves


def _check(session: Session, moves: Sequence[Move], *, now: datetime) -> None:
    at = moves[0].at
    if now - at > WITHIN:
        minutes = int(WITHIN.total_seconds() // 60)
        raise ConflictError(f"A move can be undone for {minutes} minutes. Move the patient instead.")
    patients = [move.patient_id for move in moves]
    later = select(Move.id).where(Move.patient_id.in_(patients), Move.at > at, Move.undone_at.is_(None))
    if session.scalar(later.limit(1)) is not None:
        raise ConflictError("The patient was moved again since. Undo that move first.")
    if moves[0].kind == "admission" and worn_by(session, patients, at=now):
        raise ConflictError("The patient wears a device. Take it off before the admission is undone.")


def _put_on_again(session: Session, actor: Actor, act_id: UUID, *, now: datetime) -> None:
    """What was taken off with the move was never off."""
    query = select(BindingChange).where(BindingChange.act_id == act_id).order_by(BindingChange.device_id)
    changes = session.scalars(query).all()
    if not changes:
        return
    ids = [change.device_id for change in changes]
    with rebinding.changing(session, actor, ids, because="undone", now=now):
        for change in changes:
            binding = session.get(Binding, change.binding_id, populate_existing=True)
            if (binding.during if binding else None) != change.after or change.before is None:
                raise ConflictError("What the patient wore was changed since. Put the devices on by hand.")
            _reopen(session, binding, change)


def _reopen(session: Session, binding: Binding | None, change: BindingChange) -> None:
    before = change.before
    assert before is not None  # noqa: S101 - looked at before
    if binding is None:
        start = before.lower
        assert start is not None  # noqa: S101 - every binding begins at a time
        devices.bind(
            session, device_id=change.device_id, patient_id=change.patient_id, start=start, end=before.upper
        )
        return
    devices.reshape(session, binding, start=before.lower, end=before.upper)


def _come_back(session: Session, actor: Actor, move: Move, *, now: datetime) -> None:
    if move.limits_number is not None:
        limit_versions.hold_again(session, move.patient_id, move.limits_number, by=actor.account_id, now=now)
    leaving.open_again(session, move.patient_id, discharged_at=move.at, now=now)


def _tell(session: Session, moves: Sequence[Move]) -> None:
    beds = {bed for move in moves for bed in (move.from_bed_id, move.to_bed_id) if bed is not None}
    wards = sorted(set(wards_of_beds(session, list(beds)).values()))
    for move in moves:
        audit.record(
            session, "move.undone", subject=("patient", move.patient_id), patient_ids=[move.patient_id],
            ward_id=wards[0], detail={"move": move.kind},
        )  # fmt: skip
    patients = tuple(move.patient_id for move in moves)
    events.record(
        session, PatientsMoved(patient_ids=patients, bed_ids=tuple(sorted(beds)), ward_ids=tuple(wards))
    )
