"""The devices for people and programs: `GET /api/devices/` and `/api/devices/<id>/`, by the clock and without names."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import msgspec
from flask import Response
from sqlalchemy.orm import Session

from api import bearer, bodies, bp, lists
from api.problems import Problem
from silverwatch import clock, db
from silverwatch.domain.access import Actor, Permission, Role
from silverwatch.domain.accounts.api_keys import Program
from silverwatch.domain.alerts import fleet
from silverwatch.domain.alerts.device_state import DeviceState
from silverwatch.domain.alerts.fleet import FleetRow
from silverwatch.web import auditing, gates

FREE = "free"
STATES = (*(state.value for state in DeviceState), FREE)


class DeviceOut(msgspec.Struct):
    """A device, how it does and how it is set. `ward_id` is null for one of the store of the whole site.

    `bed` and `bed_ward` say where its wearer lies, never who that is. `heard_at` is its newest reading; of a gateway,
    and of what nobody wears, its newest post. `settings_version` grows with each change of how it is set.
    """

    id: UUID
    serial: str
    kind: str
    state: str
    ward_id: UUID | None
    ward: str | None
    location: str
    is_worn: bool
    bed: str | None
    bed_ward: str | None
    interval_s: float
    sensitivity: str
    sample_rate_hz: float | None
    settings_version: int
    battery: int | None
    signal_dbm: int | None
    firmware: str | None
    skew_s: float | None
    heard_at: datetime | None
    paused_until: datetime | None
    check_due_at: datetime | None
    check_kind: str | None
    created_at: datetime | None
    retired_at: datetime | None


@bp.get("/api/devices/")
@gates.machine_key
def list_devices() -> Response:
    """The devices of the caller's wards and of the store, worst first. Filters: `state`, `kind`, `search`."""
    actor = looking(bearer.caller("devices.read"))
    asked = lists.asked(("state", "kind", "search"))
    state = asked.filters.get("state", "")
    if state and state not in STATES:
        raise Problem(400, f"state is one of {', '.join(STATES)}.", errors=[("?state", "not a state")])
    wanted = fleet.Wanted(
        text=asked.filters.get("search", ""), state=state, kind=asked.filters.get("kind", ""), page=asked.page
    )
    with db.transaction(read_only=True) as session:
        found = fleet.fleet(session, actor, wanted, now=clock.now(), most=asked.size)
    # The page shows its last part for one that is too far; a program that counts up would never end.
    rows = found.rows if asked.page <= found.pages else ()
    return bodies.answer(asked.part([_out(row) for row in rows], count=found.total))


@bp.get("/api/devices/<uuid:device_id>/")
@gates.machine_key
def get_device(device_id: UUID) -> Response:
    """One of them, retired or not; 404 for another ward's as for none."""
    actor = looking(bearer.caller("devices.read"))
    lists.asked()
    with db.transaction(read_only=True) as session:
        return bodies.answer(out(session, actor, device_id))


def looking(caller: Actor | Program) -> Actor:
    """Who looks at devices, for a question that only reads; raises Problem 403 for who may see none.

    Caregivers put on the devices of their wards and of the store, so they may see them; a program sees those too.
    """
    if isinstance(caller, Program):
        return Actor(
            account_id=caller.made_by, role=Role.TECHNICIAN, name=caller.name, ward_ids=caller.ward_ids
        )
    if caller.may(Permission.SEE_DEVICES):
        return caller
    if caller.may(Permission.PUT_ON_DEVICES):
        return replace(caller, role=Role.TECHNICIAN)
    auditing.refused("role")
    raise Problem(403, "Only technicians, administrators and caregivers read devices.")


def out(session: Session, actor: Actor, device_id: UUID) -> DeviceOut:
    """A device that the actor may see; raises NotFoundError."""
    return _out(fleet.one(session, actor, device_id, now=clock.now()))


def _out(row: FleetRow) -> DeviceOut:
    return msgspec.convert(row, DeviceOut, from_attributes=True)
