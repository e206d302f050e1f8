"""Undo a set that was just saved: `POST /patients/<id>/observations/<source>/<time>/withdrawal`."""

from datetime import datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.observation_list import micros as micros_of
from silverwatch.blueprints.caregiver.observation_list import moment_of
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import reach, undoing
from silverwatch.domain.readings.corrections import Key
from silverwatch.web import gates, just_saved, login
from silverwatch.web.views import SavedSet

URL: Final = "/patients/<uuid:patient_id>/observations/<uuid:source_id>/<int:micros>/withdrawal"


def register(blueprint: Blueprint) -> None:
    """Add the route."""
    blueprint.add_url_rule(URL, view_func=undo_observations, methods=["POST"])


def offer(key: Key, *, now: datetime) -> None:
    """Whoever saved this set may undo it on the next page."""
    url = f"/patients/{key[0]}/observations/{key[2]}/{micros_of(key[1])}/withdrawal"
    just_saved.remember(SavedSet(url=url, measured_at=key[1], until=now + undoing.UNDO))


@gates.need(Permission.RECORD_OBSERVATIONS)
def undo_observations(patient_id: UUID, source_id: UUID, micros: int) -> Response:
    """It was a slip: the set stays readable, struck out, and all is judged again without it."""
    actor, now = login.actor(), clock.now()
    key = (patient_id, moment_of(micros), source_id)
    with db.transaction() as session:
        reach.patient_for(session, actor, patient_id, now=now)
        undoing.undo(session, actor, key, now=now)
        detail = {"form": str(source_id)}
        audit.record(session, "observations.undone", patient_ids=[patient_id], detail=detail)
    just_saved.forget()
    return make_response(redirect(f"/patients/{patient_id}/observations", 303))
