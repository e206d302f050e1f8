"""Every live region as a GET: what the page includes and the socket pushes, read on its own."""

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.domain.alerts import waiting
from silverwatch.domain.alerts.board import Board
from silverwatch.domain.alerts.tiles import by_acuity
from silverwatch.domain.errors import NotFoundError
from silverwatch.live.looks import first_looks
from silverwatch.live.places import Where, may_show, places_of
from silverwatch.live.region import Region
from silverwatch.live.regions import ALL, Key
from silverwatch.web import auditing, gates, login, pages
from silverwatch.web.hypermedia import html

log = logging.getLogger(__name__)

LAG_HEADER = "Silver-Judge-Lag"
LOCKED_HEADER = "Silver-Locked"


def register(blueprint: Blueprint) -> None:
    """Add a route for each region."""
    for region in ALL.values():
        view = gates.need(region.permission, passive=True)(_view(region))
        blueprint.add_url_rule(region.url, endpoint=f"region_{region.name}", view_func=view)


def _view(region: Region) -> Callable[[UUID], Response]:
    def view(subject_id: UUID) -> Response:
        actor, now = login.actor(), clock.now()
        wall = request.args.get("wall") == "1"
        with db.transaction(read_only=True) as session:
            key = (region.name, subject_id)
            where = places_of(session, [key], now=now).get(key)
            if where is None or not may_show(actor, key, where):
                raise NotFoundError("There is nothing here.")
            found = region.load(session, [subject_id], now).get(subject_id)
            lag_s = waiting.judge_lag_s(session, now=now)
        if found is None:
            raise NotFoundError("There is nothing here.")
        if isinstance(found, Board) and request.args.get("sort") == "acuity":
            found = by_acuity(found)
        _note_first_look(key, where, now=now)
        reader = pages.audience(login.session_of_view(), wall=wall)
        answer = html(region.draw(found, audience=reader, now=now))
        answer.headers[LAG_HEADER] = f"{lag_s:.1f}"
        answer.headers[LOCKED_HEADER] = "true" if reader.locked else "false"
        return answer

    view.__doc__ = f"The region {region.name} of one {region.subject}."
    return view


def _note_first_look(key: Key, where: Where, *, now: datetime) -> None:
    """A poll adds nothing to the audit where the page was opened; an open region goes on without the audit."""
    try:
        with db.transaction(read_only=True) as session:
            looks = first_looks(session, {key: where}, now=now)
        for look in looks:
            auditing.viewed(look.view, patient_ids=look.patient_ids, ward_id=look.ward_id)
    except db.UNAVAILABLE as error:
        log.warning(
            "audit: a region was read, and whether it was the first look is unknown (%s)",
            type(error).__name__,
        )
