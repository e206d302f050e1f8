"""Devices, their keys and whom they speak about. The caller commits."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.devices.models import Binding, Device, DeviceKey, DeviceState
from silverwatch.domain.errors import ConflictError, NotFoundError

KEY_PREFIX: Final = "swd_"


def key_hash(key: str) -> bytes:
    """What is stored of a key. 256 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).digest()


def create_device(
    session: Session, *, serial: str, kind: str, interval_s: float, ward_id: UUID | None = None
) -> Device:
    """A new device with its `device_state`; raises ConflictError if the serial is taken, in capitals or not."""
    if session.scalar(select(Device.id).where(func.lower(Device.serial) == serial.lower()).limit(1)):
        raise ConflictError(f"There is a device {serial} already.")
    device = Device(
        id=clock.new_id(),
        serial=serial,
        kind=kind,
        interval_s=interval_s,
        ward_id=ward_id,
        created_at=clock.now(),
    )
    try:
        with session.begin_nested():
            session.add(device)
            session.flush()
            session.add(DeviceState(device_id=device.id))
    except IntegrityError as error:
        raise ConflictError(f"There is a device {serial} already.") from error
    return device


def issue_key(session: Session, device_id: UUID, *, made_by: UUID | None = None) -> str:
    """A new key of the device. It is shown once: only its hash, and its last signs, are stored."""
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    session.add(
        DeviceKey(
            id=clock.new_id(),
            device_id=device_id,
            hash=key_hash(key),
            created_at=clock.now(),
            hint=key[-4:],
            made_by=made_by,
        )
    )
    session.flush()
    return key


def revoke_keys(session: Session, device_id: UUID) -> None:
    """None of the device's keys is good from now on."""
    session.execute(
        update(DeviceKey)
        .where(DeviceKey.device_id == device_id, DeviceKey.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )


def bind(
    session: Session, *, device_id: UUID, patient_id: UUID, start: datetime, end: datetime | None = None
) -> Binding:
    """The device speaks about the patient from `start` until before `end` (None: until further notice).

    Raises NotFoundError without such a device, ConflictError if the device, or another of its kind for this
    patient, is bound within that time.
    """
    lock(session, device_id)
    device = session.get_one(Device, device_id)
    binding = Binding(
        id=clock.new_id(),
        device_id=device_id,
        device_kind=device.kind,
        patient_id=patient_id,
        during=Range(start, end, bounds="[)"),
    )
    try:
        with session.begin_nested():
            session.add(binding)
    except IntegrityError as error:
        raise ConflictError(refusal(error)) from error
    return binding


REFUSED: Final = {
    "ex_binding_device": "The device is on somebody else at that time. Take it off there first.",
    "ex_binding_patient_kind": "The patient wears another device of this type at that time. Take that one off first.",
    "patient_merged": "This record was merged into another one. Look for the patient again.",
    "ck_binding_during": "The end must be after the beginning.",
}


def refusal(error: IntegrityError) -> str:
    """What the constraint that refused a binding means."""
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    return REFUSED.get(name or "", "The device or the patient is bound otherwise at that time.")


def reshape(session: Session, binding: Binding, *, start: datetime | None, end: datetime | None) -> None:
    """The device was worn from `start` until before `end` instead; raises ConflictError as `bind` does."""
    if start is not None and end is not None and end <= start:
        raise ConflictError(REFUSED["ck_binding_during"])
    try:
        with session.begin_nested():
            binding.during = Range(start, end, bounds="[)")
    except IntegrityError as error:
        raise ConflictError(refusal(error)) from error


def unbind(session: Session, *, device_id: UUID, at: datetime) -> Binding | None:
    """End the device's binding at `at`; None if it had none then. One that begins only then goes away."""
    lock(session, device_id)
    binding = session.scalars(
        select(Binding).where(
            Binding.device_id == device_id,
            Binding.during.op("&&")(func.tstzrange(at, None, "[)")),
            func.lower(Binding.during) <= at,
        )
    ).one_or_none()
    if binding is None:
        return None
    if binding.during.lower == at:
        session.delete(binding)
    else:
        binding.during = Range(binding.during.lower, at, bounds="[)")
    session.flush()
    return binding


def is_bound(session: Session, device_id: UUID, *, at: datetime) -> bool:
    """Does somebody wear the device then, or is it to be worn later?"""
    query = select(Binding.id).where(
        Binding.device_id == device_id, Binding.during.op("&&")(func.tstzrange(at, None, "[)"))
    )
    return session.scalar(query.limit(1)) is not None


def lock(session: Session, device_id: UUID) -> None:
    """As `lock_devices`, for one."""
    lock_devices(session, [device_id])


def lock_devices(session: Session, device_ids: Iterable[UUID]) -> None:
    """Ingest of the devices waits: a reading is attributed before the change or after it, never in between.

    The rows are written, not only locked, in the order of ids: whoever waited for one sees by its new version to look
    at the bindings again (`readings.store.open_post`). Raises NotFoundError without such a device.
    """
    wanted = sorted(set(device_ids))
    locked = (
        select(DeviceState.device_id).where(DeviceState.device_id.in_(wanted)).order_by(DeviceState.device_id)
    )
    if list(session.scalars(locked.with_for_update())) != wanted:
        raise NotFoundError("There is no such device.")
    session.execute(
        update(DeviceState)
        .where(DeviceState.device_id.in_(wanted))
        .values(device_id=DeviceState.device_id)
        .execution_options(synchronize_session=False)
    )
