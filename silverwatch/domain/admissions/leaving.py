"""Discharge a patient: the stay, what they wear, pauses, own limits and open alarms end in one transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.access import Actor
from silverwatch.domain.admissions.moving import note, present, tell
from silverwatch.domain.alerts import leaving, rebinding
from silverwatch.domain.devices import service as devices
from silverwatch.domain.devices.wearing import worn_by
from silverwatch.domain.errors import ConflictError, DomainError
from silverwatch.domain.readings.corrections import judge_again
from silverwatch.domain.records import stays
from silverwatch.domain.records.move_models import Move

REASONS: Final = ("home", "other_hospital", "care_home", "died", "own_wish", "other")
"""Where a patient goes, or why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discharged:
    """What ended with the stay."""

    move: Move
    devices: int
    alarms: int
    pauses: int


def discharge(
    session: Session, actor: Actor, *, patient_id: UUID, seen: UUID, because: str, devices_seen: Collection[UUID],
    now: datetime,
) -> Discharged:  # fmt: skip
    """The patient lies nowhere from now on. `devices_seen`: what the actor saw them wear, all of which comes off.

    Raises NotFoundError, ConflictError.
    """
    if because not in REASONS:
        raise DomainError("Choose where the patient goes.")
    stays.lock_patients(session, [patient_id])
    here = present(session, actor, patient_id, seen=seen)
    worn = worn_by(session, [patient_id], at=now)
    if {item.device_id for item in worn} != set(devices_seen):
        raise ConflictError("What the patient wears has changed meanwhile. Look at it, then discharge.")
    act_id = clock.new_id()
    stays.end(session, here.stay_id, at=now)
    ids = sorted(item.device_id for item in worn)
    if ids:
        with rebinding.changing(session, actor, ids, because="discharge", act_id=act_id, now=now):
            for device_id in ids:
                devices.unbind(session, device_id=device_id, at=now)
    # The patient's state before their alarms: the order of locks.
    judge_again(session, patient_id, since=now, now=now)
    pauses = leaving.end_pauses(session, actor, patient_id, now=now)
    number = leaving.end_limits(session, patient_id, now=now)
    alarms = leaving.end_alarms(session, actor, patient_id, now=now)
    move = note(
        session, actor, "discharge", patient_id=patient_id, from_bed=here.bed_id, to_bed=None, act_id=act_id,
        because=because, limits_number=number, now=now,
    )  # fmt: skip
    detail = {"bed": here.label, "because": because, "devices": [w.serial for w in worn], "alarms": alarms}
    tell(session, move, "patient.discharged", ward_ids=[here.ward_id], detail=detail)
    return Discharged(move=move, devices=len(worn), alarms=alarms, pauses=pauses)
