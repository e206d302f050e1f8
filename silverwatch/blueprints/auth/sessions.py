"""A person's own sessions: `/profile/sessions`. Locking them is in `locking`, their PIN in `pin`."""

from uuid import UUID

from flask import Blueprint, Response, make_response, redirect

from silverwatch import clock, db
from silverwatch.blueprints.auth import locking, pin
from silverwatch.domain import audit
from silverwatch.domain.access import STAFF, Permission
from silverwatch.domain.accounts import directory, sessions
from silverwatch.domain.errors import NotFoundError
from silverwatch.web import browsers, gates, login, pages

URL = "/profile/sessions"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=own_sessions)
    blueprint.add_url_rule(f"{URL}/<uuid:session_id>/end", view_func=end_session, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/end-others", view_func=end_other_sessions, methods=["POST"])
    locking.register(blueprint)
    pin.register(blueprint)


def _see(target: str) -> Response:
    return make_response(redirect(target, 303))


@gates.need(Permission.OWN_ACCOUNT)
def own_sessions() -> Response:
    """Where am I signed in?"""
    found, now = login.session_of_view(), clock.now()
    with db.transaction(read_only=True) as session:
        mine = directory.open_sessions(session, found.actor.account_id, now=now)
    return pages.answer(
        "auth/sessions.html",
        "Sessions",
        sessions=sorted(mine, key=lambda row: row.id != found.session_id),
        here=found.session_id,
        in_words=browsers.in_words,
        has_pin=found.has_pin,
        is_staff=found.actor.role in STAFF,
        now=now,
    )


@gates.need(Permission.OWN_ACCOUNT)
def end_session(session_id: UUID) -> Response:
    """End one of them; its screens go to the sign-in page within seconds."""
    found, now = login.session_of_view(), clock.now()
    with db.transaction() as session:
        mine = directory.open_sessions(session, found.actor.account_id, now=now)
        if session_id not in {row.id for row in mine}:
            raise NotFoundError("There is no such session.")
        sessions.end(session, [session_id], because="ended by its person", now=now)
        audit.record(
            session,
            "session.ended",
            subject=("session", session_id),
            detail={"because": "ended by its person"},
        )
    if session_id == found.session_id:
        login.end()
        return _see("/login")
    return _see(URL)


@gates.need(Permission.OWN_ACCOUNT)
def end_other_sessions() -> Response:
    """End all but this one."""
    found, now = login.session_of_view(), clock.now()
    with db.transaction() as session:
        number = sessions.end_all(
            session, found.actor.account_id, because="ended by its person", now=now, but=found.session_id
        )
        if number:
            detail = {"because": "ended by its person", "sessions": number}
            audit.record(session, "session.ended", detail=detail)
    return _see(URL)
