"""Devices are added, set otherwise and retired: `POST /api/devices/`, `PATCH` and `DELETE /api/devices/<id>/`.

The services are those of the pages. What is so already is no error: an answer that was lost can be asked for again.
"""

from dataclasses import replace
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from flask import Response
from msgspec import UNSET, UnsetType
from sqlalchemy import func, select

from api import acting, bodies, bp, places
from api.fleet import out
from api.problems import Problem
from silverwatch import clock, db
from silverwatch.domain import signs
from silverwatch.domain.access import Actor, Permission, Role
from silverwatch.domain.admissions import attaching
from silverwatch.domain.devices import registry, service
from silverwatch.domain.devices.kinds import USUAL_INTERVAL_S
from silverwatch.domain.devices.models import Device
from silverwatch.domain.devices.registry import Setting
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError
from silverwatch.web import gates

SCOPE: Final = "devices.write"
TAKEN: Final = "urn:silverwatch:serial-taken"
NOT_CHANGED: Final = "urn:silverwatch:device-not-changed"
STALE: Final = "urn:silverwatch:device-changed-meanwhile"
LATER: Final = "Somebody has set this device otherwise meanwhile. Look at it again."

Text = Annotated[str, msgspec.Meta(max_length=100)]


class NewDevice(msgspec.Struct, forbid_unknown_fields=True):
    """A device. `ward_id` null: the store of the whole site; `interval_s` null: what is usual for its kind."""

    serial: Text
    kind: Text
    ward_id: UUID | None
    location: Text = ""
    interval_s: float | None = None
    sensitivity: Text = "normal"
    sample_rate_hz: float | None = None


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be otherwise; what is left out stays. `settings_version` is the one that the caller has seen."""

    settings_version: int
    kind: Text | UnsetType = UNSET
    ward_id: UUID | UnsetType | None = UNSET
    location: Text | UnsetType = UNSET
    interval_s: float | UnsetType = UNSET
    sensitivity: Text | UnsetType = UNSET
    sample_rate_hz: float | UnsetType | None = UNSET


@bp.post("/api/devices/")
@gates.machine_key
def add_device() -> Response:
    """201; 200 for one that is there and set just so already; 409 where its serial is another one's."""
    actor = _keeper()
    sent = bodies.read(NewDevice)
    serial = " ".join(sent.serial.split())
    if not 1 <= len(serial) <= registry.MAX_SERIAL or not signs.is_bare(serial):
        detail = f"Enter a serial number of at most {registry.MAX_SERIAL} characters."
        raise Problem(422, places.UNFIT, errors=[("/serial", detail)])
    usual = USUAL_INTERVAL_S.get(sent.kind, 1.0)
    setting = Setting(
        kind=sent.kind, ward_id=sent.ward_id, location=" ".join(sent.location.split()),
        interval_s=usual if sent.interval_s is None else sent.interval_s, sensitivity=sent.sensitivity,
        sample_rate_hz=sent.sample_rate_hz,
    )  # fmt: skip
    _check(setting)
    try:
        with db.transaction() as session:
            made = registry.add(session, actor, serial=serial, setting=setting)
            return bodies.answer(out(session, actor, made.id), 201)
    except ConflictError as error:
        return _same(actor, serial, setting, str(error))
    except DomainError as error:
        raise _unfit_ward(error) from None


@bp.patch("/api/devices/<uuid:device_id>/")
@gates.machine_key
def change_device(device_id: UUID) -> Response:
    """200, also where it is set so already; 409 where somebody has changed it since, or it is retired."""
    actor = _keeper()
    sent = bodies.read(Change)
    said = msgspec.structs.asdict(sent)
    changes: dict[str, Any] = {
        name: value for name, value in said.items() if value is not UNSET and name != "settings_version"
    }
    if "location" in changes:
        changes["location"] = " ".join(changes["location"].split())
    try:
        with db.transaction() as session:
            device = registry.device_of(session, actor, device_id, to_change=True)
            service.lock(session, device.id)
            session.refresh(device)
            before = registry.setting_of(device)
            wanted = replace(before, **changes)
            if wanted != before:
                if sent.settings_version != device.settings_version:
                    raise Problem(409, LATER, errors=[("/settings_version", LATER)], kind=STALE)
                _check(wanted)
                registry.change(session, actor, device, wanted)
            return bodies.answer(out(session, actor, device_id))
    except NotFoundError:
        raise
    except ConflictError as error:
        raise Problem(409, str(error), kind=NOT_CHANGED) from None
    except DomainError as error:
        raise _unfit_ward(error) from None


@bp.delete("/api/devices/<uuid:device_id>/")
@gates.machine_key
def retire_device(device_id: UUID) -> Response:
    """204: it is in use no more, on nobody, and none of its keys is good; also where that is so already."""
    actor = _keeper()
    try:
        with db.transaction() as session:
            device = registry.device_of(session, actor, device_id, to_change=True)
            # No lock here: who retires it locks the patient first.
            if device.retired_at is None:
                attaching.retire(session, actor, device, now=clock.now())
    except ConflictError as error:
        raise Problem(409, str(error), kind=NOT_CHANGED) from None
    return Response(status=204)


def _keeper() -> Actor:
    actor, _ = acting.actor(SCOPE, Permission.KEEP_DEVICES, as_role=Role.TECHNICIAN)
    return actor


def _check(setting: Setting) -> None:
    """Raises Problem 422 field by field."""
    errors = registry.problems(setting)
    if not signs.is_bare(setting.location):
        errors["location"] = "Write it without signs that nobody sees."
    if errors:
        raise Problem(422, places.UNFIT, errors=[(f"/{name}", words) for name, words in errors.items()])


def _unfit_ward(error: DomainError) -> Problem:
    return Problem(422, places.UNFIT, errors=[("/ward_id", str(error))])


def _same(actor: Actor, serial: str, setting: Setting, detail: str) -> Response:
    """The device with this serial if it is the caller's, in use and set so; raises Problem 409 for any other."""
    with db.transaction(read_only=True) as session:
        found = session.scalar(select(Device).where(func.lower(Device.serial) == serial.lower()))
        try:
            device = registry.device_of(session, actor, found.id, to_change=True) if found else None
        except NotFoundError:
            device = None
        if device is not None and device.retired_at is None and registry.setting_of(device) == setting:
            return bodies.answer(out(session, actor, device.id))
    raise Problem(409, detail, errors=[("/serial", detail)], kind=TAKEN)
