"""One-time codes: making one for a device, and giving the device its key for it. The caller commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit, events
from silverwatch.domain.access import Actor, may_keep_devices
from silverwatch.domain.devices import pairing_codes as codes
from silverwatch.domain.devices.facts import PairingChanged
from silverwatch.domain.devices.models import Device, DeviceKey
from silverwatch.domain.devices.pairing_models import Pairing
from silverwatch.domain.devices.service import create_device, issue_key, revoke_keys
from silverwatch.domain.errors import ConflictError, NotFoundError

CODE_FOR: Final = timedelta(minutes=10)
MOST_TRIES: Final = 5
KNOWN_FOR: Final = timedelta(days=1)
"""So long a device that comes again with its code is told what became of it; later it is a wrong one."""
_ATTEMPTS: Final = 60

Because = Literal["wrong", "used", "ended", "other", "serial", "paired", "elsewhere"]
"""wrong: no such code; used, ended: not any more; other: it is for another device; serial: say yours; paired: this
device has a key already; elsewhere: it belongs to another ward, or is retired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The device and its key, which nobody can read again."""

    device: Device
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """No key, and why."""

    because: Because


def device_of(session: Session, by: Actor, device_id: UUID) -> Device:
    """A device that the actor keeps; raises NotFoundError for another's as for none."""
    device = session.get(Device, device_id)
    if device is None or not may_keep_devices(by, device.ward_id):
        raise NotFoundError("There is no such device.")
    return device


def pairing_of(session: Session, by: Actor, pairing_id: UUID) -> Pairing:
    """A pairing of a device that the actor keeps; raises NotFoundError."""
    found = session.get(Pairing, pairing_id)
    if found is None or not may_keep_devices(by, found.ward_id):
        raise NotFoundError("There is no such code.")
    return found


def is_paired(session: Session, device_id: UUID, *, now: datetime) -> bool:
    """Has the device a key that works?"""
    query = select(DeviceKey.id).where(
        DeviceKey.device_id == device_id,
        DeviceKey.revoked_at.is_(None),
        or_(DeviceKey.ends_at.is_(None), DeviceKey.ends_at > now),
    )
    return session.scalar(query.limit(1)) is not None


def begin(session: Session, *, by: Actor, device_id: UUID, key: bytes, now: datetime) -> Pairing:
    """A code for this device; the one that it had is worth nothing. Raises NotFoundError, ConflictError."""
    device = device_of(session, by, device_id)
    if device.retired_at is not None:
        raise ConflictError("This device is retired. It gets no key any more.")
    _end(session, Pairing.device_id == device_id, ended_as="replaced", now=now)
    made = _make(
        session, by=by, device=device, ward_id=device.ward_id, kind=device.kind, interval_s=device.interval_s,
        key=key, now=now,
    )  # fmt: skip
    _note(session, "device.code_made", made)
    return made


def begin_for_new(
    session: Session, *, by: Actor, ward_id: UUID, kind: str, interval_s: float, key: bytes, now: datetime
) -> Pairing:
    """A code for a device that nobody has entered: it says its serial itself. Raises NotFoundError."""
    if not may_keep_devices(by, ward_id):
        raise NotFoundError("There is no such ward.")
    made = _make(
        session, by=by, device=None, ward_id=ward_id, kind=kind, interval_s=interval_s, key=key, now=now
    )
    _note(session, "device.code_made", made)
    return made


def renew(session: Session, *, by: Actor, pairing_id: UUID, key: bytes, now: datetime) -> Pairing:
    """Another code in place of this one, for the same device or for a new one of the same kind."""
    old = pairing_of(session, by, pairing_id)
    if old.device_id is not None and old.ended_as != "claimed":
        return begin(session, by=by, device_id=old.device_id, key=key, now=now)
    if old.device_id is not None:
        raise ConflictError("This code was used. Make a new one on the page of the device.")
    if old.ward_id is None:
        raise NotFoundError("There is no such code.")
    _end(session, Pairing.id == old.id, ended_as="replaced", now=now)
    return begin_for_new(
        session, by=by, ward_id=old.ward_id, kind=old.kind, interval_s=old.interval_s, key=key, now=now
    )


def _make(
    session: Session,
    *,
    by: Actor,
    device: Device | None,
    ward_id: UUID | None,
    kind: str,
    interval_s: float,
    key: bytes,
    now: datetime,
) -> Pairing:
    """Of two open codes none begins with the same signs: another id is tried until that is so."""
    _end(session, Pairing.expires_at <= now, ended_as="expired", now=now)
    for _ in range(_ATTEMPTS):
        pairing_id = clock.new_id()
        said = codes.secrets_of(pairing_id, key=key)
        made = Pairing(
            id=pairing_id, device_id=device.id if device else None, ward_id=ward_id, kind=kind,
            interval_s=interval_s, handle=said.handle, code_hash=codes.hash_of(said.code, key=key),
            token_hash=codes.hash_of(said.token, key=key), made_by=by.account_id, made_at=now,
            expires_at=now + CODE_FOR,
        )  # fmt: skip
        try:
            with session.begin_nested():
                session.add(made)
        except IntegrityError:
            continue
        return made
    raise ConflictError("Too many codes are open at once. Use or wait for some of them, at most 10 minutes.")


def claim(
    session: Session, *, said: str, serial: str | None, keys: Sequence[bytes], now: datetime
) -> Claimed | Refused:
    """The key for a code or a token, once; what was refused is counted and noted too, so commit it."""
    plain = codes.as_compared(said)
    pairing = _find(session, plain, keys=keys, now=now)
    if pairing is None:
        _count_wrong(session, plain, now=now)
        return Refused(because="wrong")
    if pairing.ended_as == "claimed":
        return _refuse(session, pairing, "used")
    if pairing.ended_at is not None or pairing.expires_at <= now:
        return _refuse(session, pairing, "ended")
    found = _device_for(session, pairing, serial, now=now)
    if isinstance(found, str):
        pairing.met, pairing.met_serial = found, serial
        return _refuse(session, pairing, found)
    revoke_keys(session, found.id)
    key = issue_key(session, found.id, made_by=pairing.made_by)
    pairing.device_id, pairing.ended_at, pairing.ended_as = found.id, now, "claimed"
    pairing.met = pairing.met_serial = None
    _note(session, "device.paired", pairing, serial=found.serial)
    return Claimed(device=found, key=key)


def _find(session: Session, plain: str, *, keys: Sequence[bytes], now: datetime) -> Pairing | None:
    hashes = [codes.hash_of(plain, key=key) for key in keys]
    column = Pairing.token_hash if plain.startswith(codes.TOKEN_PREFIX) else Pairing.code_hash
    return session.scalar(
        select(Pairing)
        .where(column.in_(hashes), Pairing.made_at > now - KNOWN_FOR)
        # An open one first: of the 887 million codes one may come again within the day.
        .order_by(Pairing.ended_at.is_not(None), Pairing.made_at.desc())
        .limit(1)
        .with_for_update()
    )


def _count_wrong(session: Session, plain: str, *, now: datetime) -> None:
    """A wrong try of the open code that begins like this one; the fifth ends it."""
    hit = session.scalar(
        select(Pairing)
        .where(
            Pairing.handle == plain[: codes.HANDLE],
            func.length(plain) == codes.LENGTH,
            Pairing.ended_at.is_(None),
            Pairing.expires_at > now,
        )
        .with_for_update()
    )
    if hit is None:
        audit.record(session, "device.paired", outcome="refused", detail={"because": "wrong"})
        return
    hit.wrong_tries, hit.met, hit.met_serial = hit.wrong_tries + 1, "wrong", None
    if hit.wrong_tries >= MOST_TRIES:
        hit.ended_at, hit.ended_as = now, "tries"
    _refuse(session, hit, "wrong")


def _device_for(session: Session, pairing: Pairing, serial: str | None, *, now: datetime) -> Device | Because:
    if pairing.device_id is not None:
        device = session.get_one(Device, pairing.device_id)
        if serial is not None and serial != device.serial:
            return "other"
        return "elsewhere" if device.retired_at is not None else device
    if serial is None:
        return "serial"
    known = session.scalar(select(Device).where(Device.serial == serial))
    if known is None:
        try:
            return create_device(
                session,
                serial=serial,
                kind=pairing.kind,
                interval_s=pairing.interval_s,
                ward_id=pairing.ward_id,
            )
        except ConflictError:
            return "paired"
    if known.retired_at is not None or known.ward_id != pairing.ward_id:
        return "elsewhere"
    if is_paired(session, known.id, now=now):
        return "paired"
    _end(session, Pairing.device_id == known.id, ended_as="replaced", now=now)
    return known


def _refuse(session: Session, pairing: Pairing, because: Because) -> Refused:
    _note(session, "device.paired", pairing, outcome="refused", because=because)
    return Refused(because=because)


def _note(
    session: Session,
    action: str,
    pairing: Pairing,
    *,
    outcome: Literal["done", "refused"] = "done",
    **detail: str,
) -> None:
    subject = ("device", pairing.device_id) if pairing.device_id else ("pairing", pairing.id)
    audit.record(session, action, outcome=outcome, subject=subject, ward_id=pairing.ward_id, detail=detail)
    events.record(session, PairingChanged(pairing_id=pairing.id))


def _end(session: Session, which: object, *, ended_as: str, now: datetime) -> None:
    """Open codes that are worth nothing from now on."""
    session.execute(
        update(Pairing)
        .where(Pairing.ended_at.is_(None), which)  # type: ignore[arg-type]
        .values(ended_at=now, ended_as=ended_as)
    )
