"""Adding devices, changing how they are set, retiring them. Each is a row of who and when. The caller commits."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit, signs
from silverwatch.domain.access import Actor, Permission, Role
from silverwatch.domain.devices import service
from silverwatch.domain.devices.kinds import GATEWAY, KINDS, SENSITIVITIES
from silverwatch.domain.devices.models import Device, DeviceChange
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError

MAX_SERIAL: Final = 40
MAX_LOCATION: Final = 60
SITE_GATEWAY: Final = "A gateway of the whole site is an administrator's. Choose one of your wards."
INTERVAL_S: Final = (0.1, 86_400.0)
SAMPLE_RATE_HZ: Final = (0.01, 10_000.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How a device is set and where it belongs. `ward_id` None: the store of the whole site."""

    kind: str
    ward_id: UUID | None
    location: str = ""
    interval_s: float
    sensitivity: str = "normal"
    sample_rate_hz: float | None = None


def may_keep(actor: Actor, *, ward_id: UUID | None, kind: str) -> bool:
    """May this actor change such a device? A gateway of the whole site speaks for all wards: an administrator's."""
    if not actor.may(Permission.KEEP_DEVICES):
        return False
    if ward_id is None:
        return kind != GATEWAY or actor.role is Role.ADMIN
    return ward_id in actor.ward_ids


def device_of(session: Session, actor: Actor, device_id: UUID, *, to_change: bool = False) -> Device:
    """A device of the actor's wards or of the store; raises NotFoundError for any other."""
    device = session.get(Device, device_id)
    if device is None or not actor.may(Permission.SEE_DEVICES):
        raise NotFoundError("There is no such device.")
    if device.ward_id is not None and device.ward_id not in actor.ward_ids:
        raise NotFoundError("There is no such device.")
    if to_change and not may_keep(actor, ward_id=device.ward_id, kind=device.kind):
        raise NotFoundError("There is no such device.")
    return device


def problems(setting: Setting) -> dict[str, str]:
    """Field to what to do about it; empty for a setting that a device can have."""
    found = {}
    if setting.kind not in KINDS:
        found["kind"] = "Choose a type of device."
    if setting.sensitivity not in SENSITIVITIES:
        found["sensitivity"] = "Choose low, normal or high."
    if not INTERVAL_S[0] <= setting.interval_s <= INTERVAL_S[1]:
        found["interval_s"] = "Enter an interval of 0.1 to 86400 seconds."
    rate = setting.sample_rate_hz
    if rate is not None and not SAMPLE_RATE_HZ[0] <= rate <= SAMPLE_RATE_HZ[1]:
        found["sample_rate_hz"] = "Enter a sample rate of 0.01 to 10000 Hz, or nothing."
    if len(setting.location) > MAX_LOCATION:
        found["location"] = f"Enter at most {MAX_LOCATION} characters."
    return found


def add(session: Session, actor: Actor, *, serial: str, setting: Setting) -> Device:
    """A new device; raises ConflictError if there is the serial, DomainError for what cannot be set."""
    _check(actor, setting)
    if not 1 <= len(serial) <= MAX_SERIAL or not signs.is_bare(serial):
        raise DomainError(f"Enter a serial number of at most {MAX_SERIAL} characters.")
    device = service.create_device(
        session, serial=serial, kind=setting.kind, interval_s=setting.interval_s, ward_id=setting.ward_id
    )
    device.location, device.sensitivity = setting.location, setting.sensitivity
    device.sample_rate_hz = setting.sample_rate_hz
    _note(session, actor, device, "added", before={}, after=_plain(setting))
    return device


def change(session: Session, actor: Actor, device: Device, setting: Setting) -> None:
    """Set the device otherwise; raises ConflictError for another type while somebody wears it."""
    _check(actor, setting)
    service.lock(session, device.id)
    session.refresh(device)
    if device.retired_at is not None:
        raise ConflictError("This device is retired.")
    if setting.kind != device.kind and service.is_bound(session, device.id, at=clock.now()):
        raise ConflictError("Somebody wears this device. Take it off before you change its type.")
    before, after = _plain(setting_of(device)), _plain(setting)
    if before == after:
        return
    for name, value in asdict(setting).items():
        setattr(device, name, value)
    device.settings_version += 1
    differ = {name for name in after if before[name] != after[name]}
    _note(
        session,
        actor,
        device,
        "changed",
        before={name: before[name] for name in differ},
        after={name: after[name] for name in differ},
    )


def retire(session: Session, actor: Actor, device: Device, *, now: datetime) -> None:
    """It is in use no more: nobody wears it from now on, and none of its keys is good."""
    if device.retired_at is not None:
        raise ConflictError("This device is retired already.")
    service.unbind(session, device_id=device.id, at=now)
    service.revoke_keys(session, device.id)
    device.retired_at = now
    _note(session, actor, device, "retired", before={}, after={})


def setting_of(device: Device) -> Setting:
    """How the device is set now."""
    return Setting(
        kind=device.kind,
        ward_id=device.ward_id,
        location=device.location,
        interval_s=device.interval_s,
        sensitivity=device.sensitivity,
        sample_rate_hz=device.sample_rate_hz,
    )


def known_serials(session: Session, serials: list[str]) -> set[str]:
    """Which of these there are already, in whatever ward, all in small letters; one statement."""
    small = func.lower(Device.serial)
    return set(session.scalars(select(small).where(small.in_([serial.lower() for serial in serials]))))


def _check(actor: Actor, setting: Setting) -> None:
    found = problems(setting)
    if found:
        raise DomainError(next(iter(found.values())))
    if not may_keep(actor, ward_id=setting.ward_id, kind=setting.kind):
        if setting.ward_id is None and actor.may(Permission.KEEP_DEVICES):
            raise DomainError(SITE_GATEWAY)
        raise DomainError("Choose one of your wards, or the store.")


def _plain(setting: Setting) -> dict[str, Any]:
    return asdict(setting) | {"ward_id": str(setting.ward_id) if setting.ward_id else None}


def _note(
    session: Session,
    actor: Actor,
    device: Device,
    kind: str,
    *,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    session.flush()
    session.add(
        DeviceChange(
            id=clock.new_id(), device_id=device.id, at=clock.now(), account_id=actor.account_id, kind=kind,
            before=before, after=after,
        )
    )  # fmt: skip
    detail = {"serial": device.serial, "from": before, "to": after}
    audit.record(
        session, f"device.{kind}", ward_id=device.ward_id, subject=("device", device.id), detail=detail
    )
