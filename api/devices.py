"""What a device may ask about itself, and how it gets its key."""

from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

import msgspec
from flask import Response, request
from sqlalchemy import select

from api import bearer, bodies, bp, keys
from api.problems import Problem
from silverwatch import clock, db
from silverwatch.domain import throttle
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts.signing import network_of
from silverwatch.domain.alerts.limits_of_devices import limits_version
from silverwatch.domain.devices import pairing, pairing_codes, queries, registry
from silverwatch.domain.devices.models import Device
from silverwatch.domain.errors import NotFoundError
from silverwatch.web import auditing, gates

TRIES: Final = throttle.Limit(name="pairing code", tries=10, per=timedelta(minutes=15))
"""Of each network alone; a claim that succeeds does not count, or fifty devices in one room could not be paired."""

_SAID: Final[dict[pairing.Because, tuple[int, str, str]]] = {
    "wrong": (404, "/code", "There is no such code. Read it again from the page, or make a new one there."),
    "used": (409, "/code", "This code was used already: a code works once. Make a new one."),
    "ended": (410, "/code", "This code has ended. Make a new one."),
    "other": (
        409,
        "/serial",
        "This code is for another device. Open the page of this one and make a code there.",
    ),
    "serial": (422, "/serial", "This code is for a new device: send its serial too."),
    "paired": (
        409,
        "/serial",
        "This device is paired already. Make a code on its own page to pair it again.",
    ),
    "elsewhere": (409, "/serial", "This device is retired or belongs elsewhere. Move it on its page first."),
}


class DeviceSettings(msgspec.Struct):
    """How a device is expected to behave. `time` is the server's, for its clock.

    `settings_version` grows with each change on the device's page, `limits_version` with each change of the limits of
    the site or its ward.
    """

    serial: str
    interval_s: float
    sensitivity: str
    sample_rate_hz: float | None
    settings_version: int
    limits_version: int
    time: datetime
    devices: list["SpokenFor"] | None = None
    """Of a gateway: for which devices its key speaks, at most 5,000."""


class SpokenFor(msgspec.Struct):
    """A device that a gateway speaks for."""

    serial: str
    kind: str
    interval_s: float


class Claim(msgspec.Struct, forbid_unknown_fields=True):
    """A one-time code, or the token of the picture; a device that nobody has entered says its serial too."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    serial: Annotated[str, msgspec.Meta(min_length=1, max_length=registry.MAX_SERIAL)] | None = None


class Claimed(msgspec.Struct):
    """What a device keeps. `key` is shown this once: we keep a hash of it."""

    id: UUID
    serial: str
    key: str
    interval_s: float
    readings_url: str
    time: datetime


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """Which device is to be paired."""

    serial: Annotated[str, msgspec.Meta(min_length=1, max_length=registry.MAX_SERIAL)]


class Code(msgspec.Struct):
    """A one-time code for a device, and the same as a token for a picture."""

    id: UUID
    serial: str
    code: str
    token: str
    claim_url: str
    expires_at: datetime


@bp.get("/api/devices/self/")
@gates.machine_key
def get_own_settings() -> Response:
    """The settings of the device whose key it is."""
    key_hash = keys.presented()
    with db.cursor() as cur:
        speaker = queries.authenticate(cur, key_hash, now=clock.now())
        if speaker is not None:
            version = limits_version(cur, speaker.ward_id)
            setting = queries.setting_of(cur, speaker.id)
            spoken_for = queries.spoken_for(cur, speaker.id) if speaker.is_gateway else None
    if speaker is None:
        keys.note(keys.UNKNOWN, sender=key_hash.hex())
        raise keys.unauthorized()
    devices = None if spoken_for is None else [SpokenFor(*row) for row in spoken_for]
    return bodies.answer(
        DeviceSettings(
            serial=speaker.serial,
            interval_s=speaker.interval_s,
            sensitivity=setting.sensitivity,
            sample_rate_hz=setting.sample_rate_hz,
            settings_version=setting.version,
            limits_version=version,
            time=clock.now(),
            devices=devices,
        )
    )


@bp.post("/api/devices/claim/")
@gates.public
def claim() -> Response:
    """The device's id and key for a one-time code: 201, once."""
    sent, now = bodies.read(Claim), clock.now()
    if sent.serial is not None and not sent.serial.isprintable():
        raise Problem(422, "The body does not fit.", errors=[("/serial", "printable signs only")])
    network = network_of(request.remote_addr)
    with db.transaction() as session:
        wait_s = throttle.take(session, TRIES, network, now=now)
    if wait_s is not None:
        auditing.refused("pairing code: too many tries")
        raise bearer.too_many(wait_s)
    site = bearer.config()
    with db.transaction() as session:
        found = pairing.claim(
            session, said=sent.code, serial=sent.serial, keys=pairing_codes.keys_of(site), now=now
        )
        if isinstance(found, pairing.Claimed):
            throttle.give_back(session, TRIES, network)
            device = found.device
            return bodies.answer(
                Claimed(
                    id=device.id,
                    serial=device.serial,
                    key=found.key,
                    interval_s=device.interval_s,
                    readings_url=f"{site.base_url}/api/readings/",
                    time=now,
                ),
                201,
            )
    raise _refusal(found.because)


@bp.post("/api/devices/pairing/")
@gates.machine_key
def make_code() -> Response:
    """A one-time code for a device of one's own wards, for programs that set up many: 201."""
    actor, site, now = bearer.person().actor, bearer.config(), clock.now()
    if not actor.may(Permission.KEEP_DEVICES):
        auditing.refused("role")
        raise Problem(403, "Only technicians and administrators pair devices.")
    sent = bodies.read(Wanted)
    key = pairing_codes.keys_of(site)[0]
    with db.transaction() as session:
        device_id = session.scalar(select(Device.id).where(Device.serial == sent.serial.replace("\0", "")))
        if device_id is None:
            raise NotFoundError("There is no such device.")
        made = pairing.begin(session, by=actor, device_id=device_id, key=key, now=now)
        said = pairing_codes.secrets_of(made.id, key=key)
        code = Code(
            id=made.id,
            serial=sent.serial,
            code=said.grouped,
            token=said.token,
            claim_url=f"{site.base_url}/api/devices/claim/",
            expires_at=made.expires_at,
        )
    return bodies.answer(code, 201)


def _refusal(because: pairing.Because) -> Problem:
    status, pointer, detail = _SAID[because]
    kind = f"urn:silverwatch:pairing-{because}"
    return Problem(status, detail, errors=[(pointer, detail)], kind=kind)
