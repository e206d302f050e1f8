"""Every live region as a GET: what the page includes and the socket pushes, read on its own."""

import logging
from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.domain.access import Permission, may_see_ward
from silverwatch.domain.alerts import queries
from silverwatch.domain.alerts.board import Board
from silverwatch.domain.alerts.tiles import by_acuity
from silverwatch.domain.errors import NotFoundError
from silverwatch.live.regions import ALL, Region, wards_of
from silverwatch.web import auditing, gates, login, pages
from silverwatch.web.hypermedia import html

log = logging.getLogger(__name__)

LAG_HEADER = "Silver-Judge-Lag"
LOCKED_HEADER = "Silver-Locked"


def register(blueprint: Blueprint) -> None:
    """Add a route for each region."""
    for region in ALL.values():
        view = gates.need(Permission.SEE_WARD, passive=True)(_view(region))
        blueprint.add_url_rule(region.url, endpoint=f"region_{region.variable}", view_func=view)


def _view(region: Region) -> Callable[[UUID], Response]:
    def view(subject_id: UUID) -> Response:
        actor, now = login.actor(), clock.now()
        wall = request.args.get("wall") == "1"
        with db.transaction(read_only=True) as session:
            ward_id = wards_of(session, [(region.name, subject_id)]).get((region.name, subject_id))
            if ward_id is None or not may_see_ward(actor, ward_id):
                raise NotFoundError("There is nothing here.")
            found = region.load(session, [subject_id], now).get(subject_id)
            lag_s = queries.judge_lag_s(session, now=now)
        if found is None:
            raise NotFoundError("There is nothing here.")
        if isinstance(found, Board) and request.args.get("sort") == "acuity":
            found = by_acuity(found)
        _note_first_look(ward_id)
        reader = pages.audience(login.session_of_view(), wall=wall)
        answer = html(region.draw(found, audience=reader, now=now))
        answer.headers[LAG_HEADER] = f"{lag_s:.1f}"
        answer.headers[LOCKED_HEADER] = "true" if reader.locked else "false"
        return answer

    view.__doc__ = f"The region {region.name} of one {region.subject}."
    return view


def _note_first_look(ward_id: UUID) -> None:
    """A poll adds nothing to the audit where the page was opened; an open region goes on without the audit."""
    try:
        with db.transaction(read_only=True) as session:
            unseen = queries.unseen(session, ward_id, now=clock.now())
        if unseen:
            auditing.viewed(queries.WARD_VIEW, patient_ids=unseen, ward_id=ward_id)
    except db.UNAVAILABLE as error:
        log.warning(
            "audit: a region was read, and whether it was the first look is unknown (%s)",
            type(error).__name__,
        )
