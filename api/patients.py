"""Patients for people and programs: `GET /api/patients/` and `/api/patients/<id>/`. Reading them is in the audit."""

from datetime import date, datetime
from uuid import UUID

import msgspec
from flask import Response

from api import bearer, bodies, bp, lists
from api.problems import Problem
from silverwatch import clock, db
from silverwatch.domain.access import Actor, Permission, Role
from silverwatch.domain.accounts.api_keys import Program
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.records import reach
from silverwatch.domain.records.reach import PatientRow, Reach
from silverwatch.web import auditing, gates


class PatientOut(msgspec.Struct):
    """A patient. `ward` is the slug of where they lie now; all four are null for who lies nowhere."""

    id: UUID
    hospital_number: str
    family_name: str
    given_name: str
    title: str | None
    born_on: date
    sex: str
    spo2_scale: int
    simulated: bool
    ward_id: UUID | None
    ward: str | None
    bed: str | None
    admitted_at: datetime | None


@bp.get("/api/patients/")
@gates.machine_key
def list_patients() -> Response:
    """The patients of the caller's wards, by name. Filters: `ward` (id), `hospital_number`."""
    whose = reach_of(bearer.caller("patients.read"))
    asked = lists.asked(("ward", "hospital_number"))
    with db.transaction(read_only=True) as session:
        count, rows = reach.patients(
            session,
            whose,
            now=clock.now(),
            ward_id=lists.uuid_of(asked, "ward"),
            hospital_number=asked.filters.get("hospital_number"),
            limit=asked.size,
            offset=asked.offset,
        )
    if rows:
        auditing.viewed("patients", patient_ids=[row.id for row in rows], part=True)
    return bodies.answer(asked.part([_out(row) for row in rows], count=count))


@bp.get("/api/patients/<uuid:patient_id>/")
@gates.machine_key
def get_patient(patient_id: UUID) -> Response:
    """One of them; 404 for somebody else's as for none."""
    whose = reach_of(bearer.caller("patients.read"))
    lists.asked()
    with db.transaction(read_only=True) as session:
        _, rows = reach.patients(session, whose, now=clock.now(), patient_id=patient_id)
    if not rows:
        raise NotFoundError("There is no such patient.")
    auditing.viewed("patient", patient_ids=[patient_id], ward_id=rows[0].ward_id)
    return bodies.answer(_out(rows[0]))


def reach_of(caller: Actor | Program) -> Reach:
    """Whose patients the caller may read; raises Problem 403 for who may read none."""
    if isinstance(caller, Program):
        return Reach(ward_ids=caller.ward_ids)
    if caller.may(Permission.SEE_PATIENT):
        return Reach(ward_ids=caller.ward_ids, patient_ids=caller.care_team_of | caller.emergency_for)
    if caller.role is Role.PATIENT and caller.patient_id is not None:
        return Reach(patient_ids=[caller.patient_id])
    auditing.refused("role")
    raise Problem(403, "Only caregivers read patients, and patients themselves.")


def _out(row: PatientRow) -> PatientOut:
    return msgspec.convert(row, PatientOut, from_attributes=True)
