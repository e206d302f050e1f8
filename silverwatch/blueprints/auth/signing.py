"""Signing in and out: `/`, `/login`, `/logout`."""

import math
from typing import Any, Final
from urllib.parse import quote

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.blueprints.auth import known
from silverwatch.domain.accounts import service, signing
from silverwatch.domain.accounts.signing import TooMany
from silverwatch.web import gates, login, pages
from silverwatch.web.views import SignIn

EMAIL_LENGTH: Final = 254

REFUSED = {
    "wrong": "The e-mail address and the password do not fit together. Check both and try again.",
    "unconfirmed": "Open the link that we sent to this address first, then sign in.",
    "unapproved": "Your account waits for an administrator. You get an e-mail when it is ready.",
}
SENT_BACK = {
    "late": "You took longer than 10 minutes. Sign in again.",
    "tries": "That was the fifth wrong try. Sign in again.",
}
"""Why somebody stands before the sign-in again."""
DONE = {
    "welcome": "Your account is ready. Sign in with the password that you chose.",
    "reset": "Your new password is set. Sign in with it.",
}
"""What somebody did who comes to the sign-in from there."""


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/", view_func=home)
    blueprint.add_url_rule("/login", view_func=sign_in_form)
    blueprint.add_url_rule("/login", view_func=sign_in, methods=["POST"])
    blueprint.add_url_rule("/logout", view_func=sign_out, methods=["POST"])


def see(target: str, *, then: str | None = None) -> Response:
    """Lead to a page; `then` is where that one leads on to."""
    return make_response(redirect(f"{target}?next={quote(then)}" if then else target, 303))


@gates.public
def home() -> Response:
    """Lead everybody to their own first page."""
    found = login.signed_in()
    return see(found.actor.home if found else "/login")


@gates.public
def sign_in_form() -> Response:
    """Ask who it is."""
    found = login.signed_in()
    if found:
        return see(found.actor.home)
    because = SENT_BACK.get(request.args.get("because", ""))
    form = SignIn(
        next=pages.local_path(request.args.get("next")) or "",
        note=DONE.get(request.args.get("done", ""), ""),
        errors={"form": because} if because else {},
    )
    return pages.answer("auth/sign_in.html", "Sign in", form=form)


@gates.public
def sign_in() -> Response:
    """Open a session, or say what to do."""
    email = request.form.get("email", "").replace("\0", "").strip()[:EMAIL_LENGTH]
    password = request.form.get("password", "")
    target = pages.local_path(request.form.get("next"))
    errors = {}
    if not email:
        errors["email"] = "Enter your e-mail address."
    if not password:
        errors["password"] = "Enter your password."
    opened: service.Entered | service.Refusal | TooMany | None = None
    if not errors:
        opened = _try(email, password)
        if isinstance(opened, str):
            errors["email"] = REFUSED[opened]
    if isinstance(opened, service.Entered):
        return _let_in(opened, target)
    form = SignIn(email=email, next=target or "", errors=errors)
    if isinstance(opened, TooMany):
        return too_many(opened, "auth/sign_in.html", "Sign in", form=form)
    return pages.answer("auth/sign_in.html", "Sign in", status=422, form=form)


def _try(email: str, password: str) -> service.Entered | service.Refusal | TooMany:
    """One try at the password, in two transactions: nobody waits for the hash of another one."""
    now = clock.now()
    with db.transaction() as session:
        name = known.name_for(signing.account_id_of(session, email))
        granted = signing.ask_to_sign_in(
            session, email=email, address=login.browser().address, now=now, known_browser=name
        )
    if isinstance(granted, TooMany):
        return granted
    with db.transaction() as session:
        opened = service.sign_in(session, email=email, password=password, now=now, browser=login.browser())
        if isinstance(opened, service.Entered):
            signing.succeeded(session, granted)
            before = login.signed_in()
            if before is not None:
                service.sign_out(session, session_id=before.session_id, now=now)
    return opened


def _let_in(opened: service.Entered, target: str | None) -> Response:
    """Into an open session, or to the page that asks for what is still owed."""
    login.begin(opened.token)
    state, actor = opened.signed_in.state, opened.signed_in.actor
    if state != "open":
        return see(gates.WAYS[state], then=target)
    return known.remember(see(target or actor.home), actor.account_id)


def too_many(refusal: TooMany, template: str, title: str, **data: Any) -> Response:
    """The form again, which says how long to wait."""
    answer = pages.answer(template, title, status=429, wait_min=math.ceil(refusal.wait_s / 60), **data)
    answer.headers["Retry-After"] = str(math.ceil(refusal.wait_s))
    return answer


@gates.public
def sign_out() -> Response:
    """End the session here and on every screen that shows it."""
    found = login.signed_in()
    if found:
        with db.transaction() as session:
            service.sign_out(session, session_id=found.session_id, now=clock.now())
    login.end()
    answer = see("/login")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer
