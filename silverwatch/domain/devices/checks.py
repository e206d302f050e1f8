"""Checks of devices: scheduled, begun, ended. What ends schedules the next of its kind. The caller commits."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.devices import registry
from silverwatch.domain.devices.check_models import DeviceCheck
from silverwatch.domain.devices.models import Device
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError
from silverwatch.domain.settings import checks as settings

FURTHEST: Final = timedelta(days=3650)
MOST_RESULT: Final = 120
MOST_NOTE: Final = 500
MOST_AT_ONCE: Final = 2_000

# As registry.may_keep: a gateway of the whole site is an administrator's.
_WITHOUT = """
SELECT d.id, d.ward_id, d.serial FROM device d
WHERE d.retired_at IS NULL AND (d.ward_id = ANY(:wards) OR (d.ward_id IS NULL AND (d.kind <> 'gateway' OR :all)))
  AND NOT EXISTS (SELECT FROM device_check c WHERE c.device_id = d.id AND c.kind = :kind AND c.ended_at IS NULL)
ORDER BY d.id LIMIT :most
"""


def check_of(
    session: Session, actor: Actor, check_id: UUID, *, lock: bool = False
) -> tuple[DeviceCheck, Device]:
    """A check of a device that the actor may keep; raises NotFoundError for any other."""
    check = session.get(DeviceCheck, check_id, with_for_update=lock)
    if check is None:
        raise NotFoundError("There is no such check.")
    try:
        return check, registry.device_of(session, actor, check.device_id, to_change=True)
    except NotFoundError:
        raise NotFoundError("There is no such check.") from None


def schedule(
    session: Session, actor: Actor, device: Device, *, kind: str, due_at: datetime, now: datetime
) -> DeviceCheck:
    """Something is to be done to the device then; one that is open already is moved.

    Raises DomainError for a kind or time that cannot be, ConflictError for a device that is retired.
    """
    if kind not in settings.KINDS:
        raise DomainError("Choose what is to be done.")
    if due_at > now + FURTHEST:
        raise DomainError("Choose a day within ten years.")
    if device.retired_at is not None:
        raise ConflictError("This device is retired.")
    values = {"id": clock.new_id(), "device_id": device.id, "kind": kind, "due_at": due_at, "added_at": now}
    query = insert(DeviceCheck).values(**values, added_by=actor.account_id)
    query = query.on_conflict_do_update(
        index_elements=["device_id", "kind"],
        index_where=text("ended_at IS NULL"),
        set_={"due_at": due_at, "reminded_at": None},
    )
    check_id = session.scalar(query.returning(DeviceCheck.id))
    check = session.scalars(
        select(DeviceCheck).where(DeviceCheck.id == check_id).execution_options(populate_existing=True)
    ).one()
    _note(session, "check.scheduled", device, check, due_at=due_at.isoformat())
    return check


def schedule_missing(session: Session, actor: Actor, *, kind: str, now: datetime) -> int:
    """Give every device that the actor keeps, and that has no date for this, the usual one; gives how many."""
    due_at = now + timedelta(days=settings.days(session)[kind])
    found = list(session.execute(text(_WITHOUT), _reach(actor) | {"kind": kind, "most": MOST_AT_ONCE}))
    rows = [
        {"id": clock.new_id(), "device_id": row.id, "kind": kind, "due_at": due_at, "added_at": now,
         "added_by": actor.account_id} for row in found
    ]  # fmt: skip
    if rows:
        session.execute(insert(DeviceCheck).on_conflict_do_nothing(), rows)
        audit.record(
            session,
            "check.scheduled",
            detail={"kind": kind, "devices": len(rows), "due_at": due_at.isoformat()},
        )
    return len(rows)


def missing(session: Session, actor: Actor, *, kind: str) -> int:
    """How many devices that the actor keeps have no date for this."""
    counted = f"SELECT count(*) FROM ({_WITHOUT}) AS w"
    params = _reach(actor) | {"kind": kind, "most": MOST_AT_ONCE}
    return int(session.execute(text(counted), params).scalar_one())


def start(session: Session, actor: Actor, check: DeviceCheck, device: Device, *, now: datetime) -> None:
    """Somebody is at it. Raises ConflictError when it is over."""
    _must_be_open(check)
    if check.status == "scheduled":
        check.status, check.started_at, check.started_by = "in_progress", now, actor.account_id
        _note(session, "check.started", device, check)


def end(
    session: Session,
    actor: Actor,
    check: DeviceCheck,
    device: Device,
    *,
    passed: bool,
    before: str = "",
    after: str = "",
    note: str = "",
    now: datetime,
) -> DeviceCheck:
    """It was done, or it failed; gives the next one of its kind.

    After a completed one the next is due when the site says; after a failed one at once, so that the device stays
    flagged until somebody has put it right. Raises ConflictError when it is over, DomainError
    for texts that are too long.
    """
    _must_be_open(check)
    if len(before) > MOST_RESULT or len(after) > MOST_RESULT or len(note) > MOST_NOTE:
        raise DomainError(f"Enter at most {MOST_RESULT} characters for a result and {MOST_NOTE} for a note.")
    check.status = "completed" if passed else "failed"
    check.started_at, check.started_by = check.started_at or now, check.started_by or actor.account_id
    check.ended_at, check.ended_by = now, actor.account_id
    check.before, check.after, check.note = before, after, note
    session.flush()
    usual = now + timedelta(days=settings.days(session)[check.kind])
    following = DeviceCheck(
        id=clock.new_id(), device_id=device.id, kind=check.kind, added_at=now, added_by=actor.account_id,
        due_at=usual if passed else min(check.due_at, now), follows=check.id, status="scheduled", before="", after="",
        note="",
    )  # fmt: skip
    session.add(following)
    _note(session, f"check.{check.status}", device, check, next_due_at=following.due_at.isoformat())
    return following


def _must_be_open(check: DeviceCheck) -> None:
    if check.ended_at is not None:
        raise ConflictError("This check has ended already. The next one is on the page of the device.")


def _reach(actor: Actor) -> dict[str, Any]:
    return {"wards": list(actor.ward_ids), "all": actor.role is Role.ADMIN}


def _note(session: Session, action: str, device: Device, check: DeviceCheck, **detail: Any) -> None:
    session.flush()
    said = {"serial": device.serial, "kind": check.kind, **detail}
    audit.record(session, action, ward_id=device.ward_id, subject=("device", device.id), detail=said)
