"""Pages of patients: their own readings, in plain words."""

from flask import Blueprint, Response

from silverwatch import clock, db
from silverwatch.blueprints.patient import access
from silverwatch.domain.access import Permission
from silverwatch.domain.readings.queries import own_latest
from silverwatch.web import gates, login, pages

blueprint = Blueprint("patient", __name__)
access.register(blueprint)


@blueprint.get("/portal")
@gates.need(Permission.SEE_OWN_RECORD)
def portal() -> Response:
    """Your latest readings."""
    now = clock.now()
    with db.transaction(read_only=True) as session:
        readings = own_latest(session, login.actor())
    return pages.answer("patient/home.html", "Your readings", readings=readings, now=now)
