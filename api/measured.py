"""What a device measured: `GET /api/devices/<id>/readings/`, for who may read its patients. Reading is audited."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from flask import Response

from api import bearer, bodies, bp, lists
from api.fleet import looking
from api.lists import Asked
from api.patients import reach_of
from api.problems import Problem
from silverwatch import clock, db
from silverwatch.domain.devices import registry
from silverwatch.domain.readings import vitals
from silverwatch.domain.readings.accept import AHEAD
from silverwatch.domain.readings.by_device import readings_of
from silverwatch.web import auditing, gates

USUAL: Final = timedelta(hours=1)
LONGEST: Final = timedelta(hours=25)
"""Of a device that measures every second these are 90,000, and each page counts them."""
YEARS: Final = range(2000, 2200)
VIEW: Final = "list of observations"


class ReadingOut(msgspec.Struct):
    """A reading of this device. `vitals` are those that it has, by name, in the units of the ingest."""

    patient_id: UUID
    measured_at: datetime
    received_at: datetime
    vitals: dict[str, float | str]


@bp.get("/api/devices/<uuid:device_id>/readings/")
@gates.machine_key
def list_readings(device_id: UUID) -> Response:
    """What it measured of patients whom the caller may read, newest first; 404 for another ward's device as for none.

    Filters: `from` and `to`, times with their offset, at most 25 hours apart; without them the last hour.
    """
    caller = bearer.caller("readings.read")
    # First whose readings: technicians see devices, never what those measured.
    whose = reach_of(caller)
    actor, now = looking(caller), clock.now()
    asked = lists.asked(("from", "to"))
    since, until = _span(asked, now=now)
    with db.transaction(read_only=True) as session:
        device = registry.device_of(session, actor, device_id)
        ward_id = device.ward_id
        count, rows = readings_of(
            session, device_id, ward_ids=whose.ward_ids, patient_ids=whose.patient_ids, since=since, until=until,
            now=now, limit=asked.size, offset=asked.offset,
        )  # fmt: skip
    if rows:
        auditing.viewed(VIEW, patient_ids={row.patient_id for row in rows}, ward_id=ward_id, part=True)
    found = [
        ReadingOut(
            patient_id=row.patient_id, measured_at=row.measured_at, received_at=row.received_at,
            vitals={name: row._mapping[name] for name in vitals.NAMES if row._mapping[name] is not None},
        )
        for row in rows
    ]  # fmt: skip
    return bodies.answer(asked.part(found, count=count))


def _span(asked: Asked, *, now: datetime) -> tuple[datetime, datetime]:
    """From when until when, said in the addresses of the other pages too: they are parts of one list."""
    until = _time(asked, "to")
    since = _time(asked, "from") or (until or now) - USUAL
    until = until or now + AHEAD
    if not timedelta(0) < until - since <= LONGEST:
        detail = "from is before to, by 25 hours at most."
        raise Problem(400, detail, errors=[("?from", detail)])
    asked.filters.update({"from": _written(since), "to": _written(until)})
    return since, until


def _time(asked: Asked, name: str) -> datetime | None:
    written = asked.filters.get(name)
    if written is None:
        return None
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or found.year not in YEARS:
        detail = f"{name} is a time with its offset, as 2026-11-22T10:00:00Z."
        raise Problem(400, detail, errors=[(f"?{name}", "not a time")])
    return found


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
