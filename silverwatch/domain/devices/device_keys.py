"""Keys of a device: which there are, a new one beside the old one, none any more; for whom a gateway speaks.

The caller commits. Ingest asks for a key's row with every post and keeps none: what ends here has ended everywhere.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select, true, update
from sqlalchemy.orm import Session

from silverwatch.domain import audit
from silverwatch.domain.access import Actor
from silverwatch.domain.devices.models import Device, DeviceKey, GatewayDevice
from silverwatch.domain.devices.pairing import device_of
from silverwatch.domain.devices.service import issue_key
from silverwatch.domain.errors import ConflictError, NotFoundError

OVERLAPS_H: Final = (1, 8, 24, 72)
"""For how many hours the key of before goes on working beside the new one."""
MOST_LISTED: Final = 5_000

State = Literal["works", "ends", "ended", "revoked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLine:
    """A key as far as anybody can see it again."""

    id: UUID
    hint: str
    created_at: datetime
    ended_at: datetime | None
    state: State

    @property
    def is_good(self) -> bool:
        """Does it open anything?"""
        return self.state in ("works", "ends")


def keys_of(session: Session, device_id: UUID, *, now: datetime) -> list[KeyLine]:
    """The last 50 keys of the device, the newest first."""
    rows = session.scalars(
        select(DeviceKey)
        .where(DeviceKey.device_id == device_id)
        .order_by(DeviceKey.created_at.desc(), DeviceKey.id.desc())
        .limit(50)
    )
    return [_line(row, now=now) for row in rows]


def _line(row: DeviceKey, *, now: datetime) -> KeyLine:
    state: State = "works"
    if row.revoked_at is not None:
        state = "revoked"
    elif row.ends_at is not None:
        state = "ends" if row.ends_at > now else "ended"
    ended_at = row.revoked_at or row.ends_at
    return KeyLine(id=row.id, hint=row.hint, created_at=row.created_at, ended_at=ended_at, state=state)


def rotate(session: Session, *, by: Actor, device_id: UUID, overlap_h: int, now: datetime) -> str:
    """A new key, shown once; those of before go on for `overlap_h` hours. Raises NotFoundError, ConflictError."""
    device = device_of(session, by, device_id)
    if device.retired_at is not None:
        raise ConflictError("This device is retired. It gets no key any more.")
    if overlap_h not in OVERLAPS_H:
        raise ConflictError("Choose for how long the old key goes on working.")
    until = now + timedelta(hours=overlap_h)
    session.execute(
        update(DeviceKey)
        .where(_good(now), DeviceKey.device_id == device_id)
        .values(ends_at=func.least(func.coalesce(DeviceKey.ends_at, until), until))
        .execution_options(synchronize_session=False)
    )
    key = issue_key(session, device_id, made_by=by.account_id)
    _note(session, "device_key.made", device, overlap_h=overlap_h, hint=key[-4:])
    return key


def revoke(session: Session, *, by: Actor, device_id: UUID, key_id: UUID | None, now: datetime) -> None:
    """This key, or all of the device, are good for nothing from now on. Again is no error; raises NotFoundError."""
    device = device_of(session, by, device_id)
    which = DeviceKey.device_id == device_id
    if key_id is not None:
        which &= DeviceKey.id == key_id
        if session.scalar(select(DeviceKey.id).where(which)) is None:
            raise NotFoundError("There is no such key.")
    hints = session.scalars(
        update(DeviceKey)
        .where(which, _good(now))
        .values(revoked_at=now)
        .returning(DeviceKey.hint)
        .execution_options(synchronize_session=False)
    ).all()
    if hints:
        _note(session, "device_key.revoked", device, keys=len(hints), hints=sorted(hints))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachable:
    """A device that a gateway may speak for, and whether it stands in the gateway's list."""

    id: UUID
    serial: str
    is_listed: bool


def reachable(session: Session, gateway: Device) -> Sequence[Reachable]:
    """The devices of the gateway's ward, or of the site, that it may speak for."""
    listed = select(GatewayDevice.device_id).where(GatewayDevice.gateway_id == gateway.id)
    rows = session.execute(
        select(Device.id, Device.serial, Device.id.in_(listed).label("is_listed"))
        .where(Device.kind != "gateway", Device.retired_at.is_(None), _of_its_ward(gateway))
        .order_by(Device.serial)
        .limit(MOST_LISTED)
    )
    return [Reachable(id=row.id, serial=row.serial, is_listed=row.is_listed) for row in rows]


def set_reach(session: Session, *, by: Actor, gateway_id: UUID, device_ids: Collection[UUID] | None) -> None:
    """Let the gateway speak for these devices alone; None: for all of its ward. Raises NotFoundError, ConflictError."""
    gateway = device_of(session, by, gateway_id)
    if not gateway.is_gateway:
        raise ConflictError("Only a gateway speaks for other devices.")
    wanted = set(device_ids or ())
    known = session.scalars(select(Device.id).where(Device.id.in_(wanted), _of_its_ward(gateway)))
    if set(known) != wanted:
        raise NotFoundError("There is no such device.")
    gateway.reach = "ward" if device_ids is None else "listed"
    session.execute(delete(GatewayDevice).where(GatewayDevice.gateway_id == gateway_id))
    session.add_all(GatewayDevice(gateway_id=gateway_id, device_id=device_id) for device_id in sorted(wanted))
    session.flush()
    _note(session, "gateway.reach_changed", gateway, reach=gateway.reach, devices=len(wanted))


def _of_its_ward(gateway: Device) -> ColumnElement[bool]:
    return true() if gateway.ward_id is None else Device.ward_id == gateway.ward_id


def _good(now: datetime) -> ColumnElement[bool]:
    return DeviceKey.revoked_at.is_(None) & or_(DeviceKey.ends_at.is_(None), DeviceKey.ends_at > now)


def _note(session: Session, action: str, device: Device, **detail: object) -> None:
    audit.record(
        session, action, subject=("device", device.id), ward_id=device.ward_id,
        detail={"serial": device.serial, **detail},
    )  # fmt: skip
