"""The page of one patient."""

from uuid import UUID

from flask import Blueprint, Response

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import queries
from silverwatch.web import auditing, gates, login, pages


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/patients/<uuid:patient_id>", view_func=patient)


@gates.need(Permission.SEE_PATIENT)
def patient(patient_id: UUID) -> Response:
    """Who is it, and how are they now?"""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = queries.patient_for(session, actor, patient_id, now=now)
        tile = queries.tile_of(session, patient_id, now)
    auditing.viewed("patient", patient_ids=[patient_id], ward_id=place.ward_id)
    return pages.answer(
        "caregiver/patient.html",
        "Patient",
        place=place,
        tile=tile,
        is_own_ward=place.ward_id in actor.ward_ids,
        now=now,
    )
