"""What I was told on screen: `/notices`, and that I have seen it."""

from datetime import datetime
from typing import Final

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.notices import own
from silverwatch.web import fields, gates, login, pages

URL: Final = "/notices"
MOST_PAGES: Final = 200


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=own_notices)
    blueprint.add_url_rule(f"{URL}/seen", view_func=see_notices, methods=["POST"])


# As the inbox: it is live, and opening it again by itself is no sign of life.
@gates.need(Permission.TAKE_ALARMS, passive=True)
def own_notices() -> Response:
    """The newest first; those of a week. The first page is live."""
    me, now = login.actor().account_id, clock.now()
    number = fields.whole(request.args.get("page"), most=MOST_PAGES) or 1
    first: own.Notices | None = None
    older: list[own.Line] = []
    with db.transaction(read_only=True) as session:
        if number == 1:
            first = own.newest(session, [me], now)[me]
        else:
            older = own.listed(session, me, now=now, limit=own.PAGE + 1, offset=(number - 1) * own.PAGE)
    return pages.answer(
        "caregiver/notices.html",
        "Notices",
        audience=pages.audience(login.session_of_view()),
        live_url=pages.live_address([f"notices-{me}"] if first else []),
        notices=first,
        lines=older[: own.PAGE],
        number=number,
        has_more=first.has_more if first else len(older) > own.PAGE,
        now=now,
    )


@gates.need(Permission.TAKE_ALARMS)
def see_notices() -> Response:
    """All that stood on the page were seen; what came since was not."""
    now = clock.now()
    try:
        until = min(datetime.fromisoformat(request.form.get("until", "")), now)
    except (ValueError, TypeError):
        until = now
    with db.transaction() as session:
        own.see_all(session, login.actor().account_id, until=until, now=now)
    return make_response(redirect(URL, 303))
