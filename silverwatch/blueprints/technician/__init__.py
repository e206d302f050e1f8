"""Pages of technicians: devices and beds, never names."""

from flask import Blueprint, Response

from silverwatch import clock, db
from silverwatch.blueprints.technician import keys, pairing
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts.fleet import devices_of
from silverwatch.web import gates, login, pages

blueprint = Blueprint("technician", __name__)
pairing.register(blueprint)
keys.register(blueprint)


@blueprint.get("/devices")
@gates.need(Permission.SEE_DEVICES)
def devices() -> Response:
    """What is broken?"""
    now = clock.now()
    with db.transaction(read_only=True) as session:
        rows = devices_of(session, login.actor(), now=now)
    return pages.answer("technician/home.html", "Devices", devices=rows, now=now)
