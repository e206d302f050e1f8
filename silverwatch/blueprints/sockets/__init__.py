"""`/ws/live/`: the socket of a page with live regions."""

import logging

from flask import Blueprint, abort, current_app, request
from flask_sock import Sock
from simple_websocket import Server

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.live.clients import Client
from silverwatch.live.hub import Hub
from silverwatch.live.looks import first_looks
from silverwatch.live.places import may_show, places_of
from silverwatch.live.regions import parse
from silverwatch.live.wire import Connection
from silverwatch.web import auditing, gates, login, pages

log = logging.getLogger(__name__)

blueprint = Blueprint("sockets", __name__)
_sock = Sock()
REGION_LIMIT = 200


def same_origin() -> bool:
    """Does the browser say, exactly, that it shows a page of this host?"""
    return request.headers.get("Origin", "") == f"{request.scheme}://{request.host}"


@blueprint.before_request
def refuse_strangers() -> None:
    """Before the upgrade: a foreign page may not open a socket with this browser's cookie."""
    if not same_origin():
        auditing.refused("foreign origin")
        abort(403)


@gates.need(Permission.SEE_CHANGES, passive=True)
def live(ws: Server) -> None:
    """Push the regions named in the address for as long as the browser holds the socket."""
    connection = Connection(ws)
    hub: Hub = current_app.extensions["hub"]
    found = login.signed_in()
    keys = [parse(dom_id) for dom_id in request.args.getlist("r")[:REGION_LIMIT]]
    if found is None or not keys or None in keys:
        connection.close(1008, "unknown region")
        return
    if hub.full:
        connection.close(1013, "too many screens here, try again")
        return
    wanted, now = {key for key in keys if key is not None}, clock.now()
    with db.transaction(read_only=True) as session:
        regions = places_of(session, wanted, now=now)
        looks = first_looks(session, regions, now=now)
    if regions.keys() != wanted or not all(may_show(found.actor, *item) for item in regions.items()):
        auditing.refused("not theirs, or not there")
        connection.close(1008, "unknown region")
        return
    for look in looks:
        auditing.viewed(look.view, patient_ids=look.patient_ids, ward_id=look.ward_id)
    hub.serve(
        Client(
            connection=connection,
            session_id=found.session_id,
            account_id=found.actor.account_id,
            audience=pages.audience(found, wall=request.args.get("wall") == "1"),
            regions=regions,
        )
    )


_sock.route("/ws/live/", bp=blueprint)(live)
