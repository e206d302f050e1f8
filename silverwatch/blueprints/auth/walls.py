"""A wall screen: `/wall` asks for its code once, and leads to its ward from then on."""

from datetime import timedelta
from typing import Final

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.domain import throttle
from silverwatch.domain.access import Permission, Role
from silverwatch.domain.accounts import displays, service
from silverwatch.domain.accounts.sessions import SignedIn
from silverwatch.domain.accounts.signing import network_of
from silverwatch.domain.wards.queries import wards_of
from silverwatch.web import auditing, gates, login, pages

URL = "/wall"
TRIES: Final = throttle.Limit(name="wall code", tries=5, per=timedelta(minutes=15))
"""Of each network alone: a limit for all together would let a stranger keep every screen from being paired."""
MAX_CODE: Final = 40


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=wall_screen)
    blueprint.add_url_rule(URL, view_func=pair, methods=["POST"])


@gates.public
def wall_screen() -> Response:
    """Which ward does this screen show?"""
    found = login.signed_in()
    if found is not None and found.actor.role is Role.DISPLAY:
        return _to_the_wall(found)
    return _page(found)


@gates.public
def pair() -> Response:
    """Make this browser a wall screen. Whoever was signed in here is not any more."""
    code, before, now = request.form.get("code", "")[:MAX_CODE], login.signed_in(), clock.now()
    if not code.strip():
        return _page(before, errors={"code": "Enter the code."})
    with db.transaction() as session:
        wait_s = throttle.take(session, TRIES, network_of(request.remote_addr), now=now)
    if wait_s is not None:
        auditing.refused("too many tries")
        minutes = int(wait_s // 60) + 1
        answer = _page(before, code=code, status=429, errors={"code": "Too many tries."}, minutes=minutes)
        answer.headers["Retry-After"] = str(int(wait_s) + 1)
        return answer
    with db.transaction() as session:
        paired = displays.pair(session, code=code, browser=login.browser(), now=now)
        if paired is not None and before is not None:
            service.sign_out(session, session_id=before.session_id, now=now)
    if paired is None:
        advice = "This code does not fit, was used or is older than ten minutes. Ask for a new one."
        return _page(before, code=code, errors={"code": advice})
    login.begin(paired[0])
    return make_response(redirect(URL, 303))


def _to_the_wall(found: SignedIn) -> Response:
    with db.transaction(read_only=True) as session:
        ward = wards_of(session, found.actor)[0]
    return make_response(redirect(f"/ward/{ward.slug}/wall", 303))


def _page(
    found: SignedIn | None,
    *,
    code: str = "",
    status: int | None = None,
    errors: dict[str, str] | None = None,
    minutes: int | None = None,
) -> Response:
    title = "Wall screen"
    return pages.answer(
        "auth/wall_code.html",
        f"Error: {title}" if errors else title,
        status=status or (422 if errors else 200),
        code=code,
        errors=errors or {},
        minutes=minutes,
        may_see_ward=found is not None and found.actor.may(Permission.SEE_WARD),
    )
