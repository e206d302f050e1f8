"""Signing in and out: `/`, `/login`, `/logout`."""

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.domain.accounts import service
from silverwatch.web import gates, login, pages
from silverwatch.web.views import SignIn

REFUSED = {
    "wrong": "The e-mail address and the password do not fit together. Check both and try again.",
    "unconfirmed": "Open the link that we sent to this address first, then sign in.",
    "unapproved": "Your account waits for an administrator. You get an e-mail when it is ready.",
}


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/", view_func=home)
    blueprint.add_url_rule("/login", view_func=sign_in_form)
    blueprint.add_url_rule("/login", view_func=sign_in, methods=["POST"])
    blueprint.add_url_rule("/logout", view_func=sign_out, methods=["POST"])


def _see(target: str) -> Response:
    return make_response(redirect(target, 303))


@gates.public
def home() -> Response:
    """Lead everybody to their own first page."""
    found = login.signed_in()
    return _see(found.actor.home if found else "/login")


@gates.public
def sign_in_form() -> Response:
    """Ask who it is."""
    found = login.signed_in()
    if found:
        return _see(found.actor.home)
    form = SignIn(next=pages.local_path(request.args.get("next")) or "")
    return pages.answer("auth/sign_in.html", "Sign in", form=form)


@gates.public
def sign_in() -> Response:
    """Open a session, or say what to do."""
    email = request.form.get("email", "").replace("\0", "").strip()
    password = request.form.get("password", "")
    target = pages.local_path(request.form.get("next"))
    errors = {}
    if not email:
        errors["email"] = "Enter your e-mail address."
    if not password:
        errors["password"] = "Enter your password."
    opened: service.Entered | service.Refusal | None = None
    if not errors:
        with db.transaction() as session:
            opened = service.sign_in(
                session, email=email, password=password, now=clock.now(), browser=login.browser()
            )
        if isinstance(opened, str):
            errors["email"] = REFUSED[opened]
    if not isinstance(opened, service.Entered):
        form = SignIn(email=email, next=target or "", errors=errors)
        return pages.answer("auth/sign_in.html", "Error: Sign in", status=422, form=form)
    login.begin(opened.token)
    return _see(target or opened.signed_in.actor.home)


@gates.public
def sign_out() -> Response:
    """End the session here and on every screen that shows it."""
    found = login.signed_in()
    if found:
        with db.transaction() as session:
            service.sign_out(session, session_id=found.session_id, now=clock.now())
    login.end()
    answer = _see("/login")
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer
