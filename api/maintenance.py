"""What is to be done to a device and what was done: `GET` and `POST /api/devices/<id>/maintenance/`."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from flask import Response
from sqlalchemy import Row

from api import acting, bearer, bodies, bp, lists, places
from api.fleet import looking
from api.problems import Problem
from silverwatch import clock, db
from silverwatch.domain.access import Permission, Role
from silverwatch.domain.devices import check_list, checks, registry
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.settings import checks as settings
from silverwatch.web import gates

MOST: Final = 1_000
"""The newest of a device: four kinds, some of each in a year."""
NOT_SCHEDULED: Final = "urn:silverwatch:check-not-scheduled"


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be done, and when; one of this kind that is open already is moved."""

    kind: Annotated[str, msgspec.Meta(max_length=40)]
    due_at: datetime


class CheckOut(msgspec.Struct):
    """A check of the device. `before` and `after` are what was measured, `by` who did it; null while it is open."""

    id: UUID
    kind: str
    status: str
    due_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    before: str
    after: str
    note: str
    by: str | None


@bp.get("/api/devices/<uuid:device_id>/maintenance/")
@gates.machine_key
def list_checks(device_id: UUID) -> Response:
    """What is open, by its date, then what was done, newest first; 404 for another ward's device as for none."""
    actor = looking(bearer.caller("devices.read"))
    asked = lists.asked()
    with db.transaction(read_only=True) as session:
        registry.device_of(session, actor, device_id)
        rows = check_list.of_device(session, device_id, now=clock.now(), most=MOST)
    part = rows[asked.offset : asked.offset + asked.size]
    return bodies.answer(asked.part([_out(row) for row in part], count=len(rows)))


@bp.post("/api/devices/<uuid:device_id>/maintenance/")
@gates.machine_key
def schedule_check(device_id: UUID) -> Response:
    """201; 200 where one of this kind is open: it is moved to that time. 409 for a device that is retired."""
    actor, _ = acting.actor("devices.write", Permission.KEEP_DEVICES, as_role=Role.TECHNICIAN)
    sent, now = bodies.read(Wanted), clock.now()
    errors = [] if sent.kind in settings.KINDS else [("/kind", f"one of {', '.join(settings.KINDS)}")]
    due_at = sent.due_at
    if due_at.tzinfo is None or not now - checks.FURTHEST <= due_at <= now + checks.FURTHEST:
        errors.append(("/due_at", "a time with its offset, within ten years"))
    if errors:
        raise Problem(422, places.UNFIT, errors=errors)
    try:
        with db.transaction() as session:
            device = registry.device_of(session, actor, device_id, to_change=True)
            made = checks.schedule(session, actor, device, kind=sent.kind, due_at=due_at, now=now)
            status = 201 if made.added_at == now else 200
            return bodies.answer(_out(check_list.one(session, made.id, now=now)), status)
    except ConflictError as error:
        raise Problem(409, str(error), kind=NOT_SCHEDULED) from None


def _out(row: Row[Any]) -> CheckOut:
    return CheckOut(
        id=row.id, kind=row.kind, status=row.status, due_at=row.due_at, started_at=row.started_at,
        ended_at=row.ended_at, before=row.before, after=row.after, note=row.note, by=row.by,
    )  # fmt: skip
