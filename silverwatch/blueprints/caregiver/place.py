"""Where a patient lies and lay, what they wear, and what can be done about it. `/patients/<id>/place`"""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.domain.access import Permission
from silverwatch.domain.admissions import queries
from silverwatch.domain.alerts.reach import patient_for
from silverwatch.domain.devices.wearing import past_of, worn_by
from silverwatch.domain.records import notes
from silverwatch.domain.wards.queries import wards_of
from silverwatch.web import auditing, gates, login, pages

URL: Final = "/patients/<uuid:patient_id>/place"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=place)


@gates.need(Permission.SEE_PATIENT)
def place(patient_id: UUID) -> Response:
    """Where, and with what on?"""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        found = patient_for(session, actor, patient_id, now=now)
        worn = worn_by(session, [patient_id], at=now)
        taken_off = past_of(session, patient_id)
        past = queries.stays_of(session, patient_id)
        wards = wards_of(session, actor)
        written = notes.count(session, patient_id)
    auditing.viewed("devices of a patient", patient_ids=[patient_id], ward_id=found.ward_id)
    return pages.answer(
        "caregiver/place.html",
        "Bed and devices",
        frame=frame(actor, found, notes_written=written),
        worn=worn,
        taken_off=taken_off,
        done=request.args.get("done", ""),
        past=past,
        wards=wards,
        may_move=actor.may(Permission.MOVE_PATIENTS) and found.ward_id in actor.ward_ids,
        now=now,
    )
