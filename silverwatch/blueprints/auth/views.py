"""Pages of everybody: `/`, `/login`, `/logout`, `/display`."""

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.domain.accounts import service
from silverwatch.web import gates, login, pages
from silverwatch.web.audience import NAMES
from silverwatch.web.views import THEMES, SignIn

blueprint = Blueprint("auth", __name__)

WRONG = "The e-mail address and the password do not fit together. Check both and try again."


def _see(target: str) -> Response:
    return make_response(redirect(target, 303))


@blueprint.get("/")
@gates.public
def home() -> Response:
    """Lead everybody to their own first page."""
    found = login.signed_in()
    return _see(found.actor.home if found else "/login")


@blueprint.get("/login")
@gates.public
def sign_in_form() -> Response:
    """Ask who it is."""
    found = login.signed_in()
    if found:
        return _see(found.actor.home)
    form = SignIn(next=pages.local_path(request.args.get("next")) or "")
    return pages.answer("auth/sign_in.html", "Sign in", form=form)


@blueprint.post("/login")
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
    opened = None
    if not errors:
        with db.transaction() as session:
            opened = service.sign_in(session, email=email, password=password, now=clock.now())
        if opened is None:
            errors["email"] = WRONG
    if opened is None:
        form = SignIn(email=email, next=target or "", errors=errors)
        return pages.answer("auth/sign_in.html", "Error: Sign in", status=422, form=form)
    token, actor = opened
    login.begin(token)
    return _see(target or actor.home)


@blueprint.post("/logout")
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


@blueprint.post("/display")
@gates.public
def display() -> Response:
    """Change the theme or how private names are, on this browser."""
    theme, names = pages.display()
    wanted_theme, wanted_names = request.form.get("theme", theme), request.form.get("names", names)
    answer = _see(pages.local_path(request.form.get("next")) or "/")
    if wanted_theme in THEMES and wanted_names in NAMES:
        answer.set_cookie(
            pages.DISPLAY_COOKIE,
            f"{wanted_theme}.{wanted_names}",
            max_age=pages.DISPLAY_DAYS * 86400,
            secure=request.is_secure,
            httponly=True,
            samesite="Lax",
        )
    return answer
