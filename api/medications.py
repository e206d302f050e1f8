"""Medications for people and programs: `GET /api/patients/<id>/medications/`, with what is next. Reading is audited."""

from datetime import datetime
from uuid import UUID

import msgspec
from flask import Response

from api import bearer, bodies, bp, lists
from api.patients import reach_of
from silverwatch import clock, db
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.records import reach
from silverwatch.domain.records.medication_list import Listed, list_of
from silverwatch.web import auditing, gates


class MedicationOut(msgspec.Struct):
    """A medication that is given now, by the plan that holds. `times` are of the site's clock, Monday is weekday 0.

    Of a schedule the parts are set that its `kind` has: `times`, `interval` or `as_needed`. `next_due_at` is null for
    one as needed, and while the patient lies nowhere.
    """

    id: UUID
    name: str
    dose: str
    route: str
    kind: str
    times: tuple[str, ...]
    weekdays: tuple[int, ...]
    every_h: int | None
    reason: str
    least_min: int | None
    most_24h: int | None
    note: str
    from_at: datetime
    ends_at: datetime | None
    next_due_at: datetime | None


@bp.get("/api/patients/<uuid:patient_id>/medications/")
@gates.machine_key
def list_medications(patient_id: UUID) -> Response:
    """What this patient is given now, by name; 404 for somebody else's as for none."""
    whose, now = reach_of(bearer.caller("patients.read")), clock.now()
    asked = lists.asked()
    with db.transaction(read_only=True) as session:
        _, rows = reach.patients(session, whose, now=now, patient_id=patient_id)
        if not rows:
            raise NotFoundError("There is no such patient.")
        found = list_of(session, patient_id, now=now, zone=clock.site_zone()).present
    auditing.viewed("medications", patient_ids=[patient_id], ward_id=rows[0].ward_id)
    part = found[asked.offset : asked.offset + asked.size]
    return bodies.answer(asked.part([_out(row, now) for row in part], count=len(found)))


def _out(row: Listed, now: datetime) -> MedicationOut:
    version = row.medication.standing(now)
    plan = version.plan
    return MedicationOut(
        id=row.medication.id, name=row.medication.name, dose=plan.dose, route=plan.route, kind=plan.kind,
        times=plan.clock_times, weekdays=plan.weekdays, every_h=plan.every_h, reason=plan.reason,
        least_min=plan.least_min, most_24h=plan.most_24h, note=plan.note, from_at=version.from_at,
        ends_at=plan.ends_at, next_due_at=row.next_at,
    )  # fmt: skip
