"""Put a device on a patient, take it off, correct from when to when it was worn. The caller commits.

Locks in the order of `records.stays`: the patient, then the device. Whose readings they are follows (`rebinding`).
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from silverwatch.domain import audit
from silverwatch.domain.access import Actor, Permission, Role
from silverwatch.domain.alerts import rebinding
from silverwatch.domain.devices import registry
from silverwatch.domain.devices import service as devices
from silverwatch.domain.devices.models import Binding, Device
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records import stays

BACK: Final = timedelta(days=14)
"""So far back it can be said who wore a device."""
REASON: Final = range(3, 201)
NOBODY: Final = "Nobody wears this device."


def device_for(session: Session, actor: Actor, device_id: UUID) -> Device:
    """A device of the actor's wards or of the store that can be worn; raises NotFoundError."""
    device = session.get(Device, device_id)
    is_theirs = device is not None and (device.ward_id is None or device.ward_id in actor.ward_ids)
    if device is None or not is_theirs or not actor.may(Permission.PUT_ON_DEVICES):
        raise NotFoundError("There is no such device.")
    return device


def patient_in(session: Session, actor: Actor, bed_id: UUID) -> UUID | None:
    """Who lies in a bed of the actor's wards, None for nobody; raises NotFoundError."""
    bed = stays.lock_beds(session, [bed_id])[bed_id]
    if bed.ward_id not in actor.ward_ids:
        raise NotFoundError("There is no such bed.")
    return stays.in_bed(session, bed_id)


def attach(
    session: Session, actor: Actor, *, device_id: UUID, patient_id: UUID, since: datetime | None, now: datetime,
    until: datetime | None = None, because: str = "",
) -> Binding:  # fmt: skip
    """The device speaks about the patient from `since` (None: now). Who it is was compared before.

    Raises NotFoundError for what is not the actor's, ConflictError where the database or the course of time refuses it.
    """
    device = device_for(session, actor, device_id)
    stays.lock_patients(session, [patient_id])
    start = since or now
    here = stays.lying(session, [patient_id]).get(patient_id)
    if until is None and (here is None or here.ward_id not in actor.ward_ids):
        raise NotFoundError("There is no such patient.")
    _check_times(session, patient_id, start=start, end=until, now=now)
    with rebinding.changing(session, actor, [device_id], because=because, now=now) as changed:
        session.refresh(device)
        if device.is_gateway or (device.retired_at is not None and until is None):
            raise ConflictError("A retired device or a gateway is on nobody. Choose another one.")
        binding = devices.bind(session, device_id=device_id, patient_id=patient_id, start=start, end=until)
    detail = {"serial": device.serial, "since": start.isoformat(), "readings": changed.moved.readings}
    _note(session, "binding.attached" if until is None else "quarantine.attributed", binding, device, detail)
    return binding


def take_off(session: Session, actor: Actor, *, device_id: UUID, now: datetime) -> Binding:
    """Nobody wears it from now on; raises NotFoundError, ConflictError where nobody does."""
    device = device_of_patient(session, actor, device_id)
    worn = _present(session, device_id)
    if worn is None:
        raise ConflictError(NOBODY)
    stays.lock_patients(session, [worn.patient_id])
    with rebinding.changing(session, actor, [device_id], now=now):
        binding = devices.unbind(session, device_id=device_id, at=now)
    if binding is None or binding.patient_id != worn.patient_id:
        raise ConflictError("Somebody has changed who wears this device meanwhile. Look again.")
    _note(session, "binding.taken_off", binding, device, {"serial": device.serial})
    return binding


def binding_for(session: Session, actor: Actor, binding_id: UUID) -> tuple[Binding, Device]:
    """A binding of a device of the actor's, or of a patient who lies in their wards; raises NotFoundError."""
    binding = session.get(Binding, binding_id)
    device = session.get(Device, binding.device_id) if binding else None
    if binding is None or device is None or not actor.may(Permission.PUT_ON_DEVICES):
        raise NotFoundError("There is no such device.")
    here = stays.lying(session, [binding.patient_id]).get(binding.patient_id)
    is_theirs = device.ward_id in actor.ward_ids or (here is not None and here.ward_id in actor.ward_ids)
    if not is_theirs and (device.ward_id is not None or actor.role is not Role.ADMIN):
        raise NotFoundError("There is no such device.")
    return binding, device


def correct(
    session: Session, actor: Actor, binding_id: UUID, *, start: datetime, end: datetime | None, because: str,
    never: bool = False, now: datetime,
) -> int:  # fmt: skip
    """It was worn from `start` until `end` (None: still), or `never` by this patient. Gives how many readings moved.

    Raises NotFoundError, ConflictError.
    """
    binding, device = binding_for(session, actor, binding_id)
    stays.lock_patients(session, [binding.patient_id])
    before = binding.during
    with rebinding.changing(session, actor, [device.id], because=because, now=now) as changed:
        session.refresh(binding)
        if binding.during != before:
            raise ConflictError("Somebody has corrected this meanwhile. Look at it again.")
        if never:
            session.delete(binding)
        else:
            if end is None and before.upper is not None:
                raise ConflictError("It was taken off since. Enter until when it was worn.")
            _check_times(session, binding.patient_id, start=start, end=end, now=now, stands=before.lower)
            devices.reshape(session, binding, start=start, end=end)
    moved = changed.moved.readings
    detail = {"serial": device.serial, "because": because, "readings": moved, "never": never}
    _note(session, "binding.corrected", binding, device, detail)
    return moved


def retire(session: Session, actor: Actor, device: Device, *, now: datetime) -> None:
    """It is in use no more, and on nobody from now on; raises ConflictError where it is retired already."""
    worn = _present(session, device.id)
    if worn is not None:
        stays.lock_patients(session, [worn.patient_id])
    with rebinding.changing(session, actor, [device.id], because="retired", now=now):
        session.refresh(device)
        registry.retire(session, actor, device, now=now)


def device_of_patient(session: Session, actor: Actor, device_id: UUID) -> Device:
    """As `device_for`; also a device of another ward that is on a patient of the actor's."""
    device = session.get(Device, device_id)
    worn = _present(session, device_id)
    here = stays.lying(session, [worn.patient_id]).get(worn.patient_id) if worn else None
    if device is not None and here is not None and here.ward_id in actor.ward_ids:
        if actor.may(Permission.PUT_ON_DEVICES):
            return device
    return device_for(session, actor, device_id)


def _present(session: Session, device_id: UUID) -> Binding | None:
    query = select(Binding).where(Binding.device_id == device_id, func.upper_inf(Binding.during))
    return session.scalar(query)


_HERE = """
SELECT min(lower(during)) FROM stay WHERE patient_id = :patient
"""


def _check_times(
    session: Session, patient_id: UUID, *, start: datetime, end: datetime | None, now: datetime,
    stands: datetime | None = None,
) -> None:  # fmt: skip
    if start > now or (end is not None and end > now):
        raise ConflictError("This time has not come yet. Enter one that is over.")
    if start < now - BACK and start != stands:
        raise ConflictError(f"This is too long ago. It can be said for the last {BACK.days} days.")
    first = session.scalar(text(_HERE), {"patient": patient_id})
    if start != stands and (first is None or start < first):
        raise ConflictError("The patient was not here yet at that time. Enter a later one.")


def _note(session: Session, action: str, binding: Binding, device: Device, detail: dict[str, object]) -> None:
    audit.record(
        session, action, subject=("device", device.id), patient_ids=[binding.patient_id], ward_id=device.ward_id,
        detail=detail,
    )  # fmt: skip
