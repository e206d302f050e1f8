"""Locking a screen and opening it again: `/lock`, `/unlock`, and the sign of life `/session/activity`."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts import pins, sessions
from silverwatch.domain.accounts.sessions import SignedIn
from silverwatch.web import gates, login, pages
from silverwatch.web.hypermedia import is_htmx

SAY_ALIVE_EVERY: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockForm:
    """The form as it was sent. `has_ended`: too many wrong tries, nothing is left to unlock."""

    next: str = ""
    has_pin: bool = False
    use_password: bool = False
    has_ended: bool = False
    errors: dict[str, str] = field(default_factory=dict)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/lock", view_func=lock, methods=["POST"])
    blueprint.add_url_rule("/unlock", view_func=unlock_form)
    blueprint.add_url_rule("/unlock", view_func=unlock, methods=["POST"])
    blueprint.add_url_rule("/session/activity", view_func=say_alive, methods=["POST"])


@gates.need(Permission.OWN_ACCOUNT, while_locked=True)
def lock() -> Response:
    """Walk away: the ward board stays and goes on alarming, everything else asks for the PIN.

    Every tab of the session asks for it, so it finds locked what another tab has locked.
    """
    found = login.session_of_view()
    with db.transaction() as session:
        pins.lock(session, found, now=clock.now())
    return _done(pages.local_path(request.form.get("next")) or found.actor.home)


@gates.need(Permission.OWN_ACCOUNT, while_locked=True)
def say_alive() -> Response:
    """A hand moved on a page that asks for nothing else. A locked session stays so, and its tab is led to the PIN."""
    found, now = login.session_of_view(), clock.now()
    if found.state == "locked":
        return make_response("", 204, {"HX-Redirect": gates.WAYS["locked"]})
    if now - found.active_at >= SAY_ALIVE_EVERY:
        with db.transaction() as session:
            sessions.touch(session, found.session_id, now=now)
    return make_response("", 204)


@gates.half_open
def unlock_form() -> Response:
    """Ask for the PIN, or for the password where there is none."""
    found, target = login.session_of_view(), pages.local_path(request.args.get("next"))
    if found.state != "locked":
        return _on(found, target)
    by_password = not found.has_pin or request.args.get("use") == "password"
    return _page(UnlockForm(next=target or "", has_pin=found.has_pin, use_password=by_password))


@gates.half_open
def unlock() -> Response:
    """Open the session, or say how many tries are left."""
    found, target = login.session_of_view(), pages.local_path(request.form.get("next"))
    if found.state != "locked":
        return make_response("", 204) if is_htmx() else _on(found, target)
    pin, password = request.form.get("pin", "").strip(), request.form.get("password", "")
    form = UnlockForm(
        next=target or "", has_pin=found.has_pin, use_password=bool(password) or not found.has_pin
    )
    if not pin and not password:
        if form.use_password or "password" in request.form:
            form.errors["password"] = "Enter your password."
        else:
            form.errors["pin"] = "Enter your PIN."
        return _page(form)
    with db.transaction() as session:
        outcome = pins.unlock(session, found, pin=pin, password=password, now=clock.now())
    if isinstance(outcome, pins.Refused):
        return _refused(form, outcome.left)
    if outcome.token:
        login.begin(outcome.token)
    return _done(target or found.actor.home)


def _done(target: str) -> Response:
    """`lock.js` stays where it is; a form goes on."""
    return make_response("", 204) if is_htmx() else make_response(redirect(target, 303))


def _on(found: SignedIn, target: str | None) -> Response:
    """Nothing is locked: to where this was meant to lead, or to what the session still owes."""
    way = gates.WAYS.get(found.state)
    if way is None:
        return make_response(redirect(target or found.actor.home, 303))
    return make_response(redirect(f"{way}?next={quote(target)}" if target else way, 303))


def _refused(form: UnlockForm, left: int) -> Response:
    if left == 0:
        login.end()
        if is_htmx():
            answer = make_response("", 401)
            answer.headers["HX-Redirect"] = "/login"
            return answer
        return _page(UnlockForm(next=form.next, has_ended=True), status=403)
    if is_htmx():
        return make_response(jsonify(left=left), 422)
    name = "password" if form.use_password else "pin"
    form.errors[name] = {
        "pin": "This PIN is not right. Try again, or use your password.",
        "password": "This password is not right. Try again.",
    }[name]
    return _page(form, left=left)


def _page(form: UnlockForm, *, status: int | None = None, left: int | None = None) -> Response:
    title = "Session ended" if form.has_ended else "Unlock"
    return pages.answer(
        "auth/unlock.html",
        f"Error: {title}" if form.errors else title,
        status=status or (422 if form.errors else 200),
        form=form,
        left=left,
    )
