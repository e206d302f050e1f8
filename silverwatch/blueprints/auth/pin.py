"""The PIN of a person's own account: `/profile/pin`."""

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import db
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts import pins
from silverwatch.domain.errors import DomainError
from silverwatch.web import gates, login, pages

URL = "/profile/pin"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=pin_form)
    blueprint.add_url_rule(URL, view_func=change_pin, methods=["POST"])


@gates.need(Permission.OWN_ACCOUNT, step_up=True)
def pin_form() -> Response:
    """Ask for a new PIN."""
    return _page({})


@gates.need(Permission.OWN_ACCOUNT, step_up=True)
def change_pin() -> Response:
    """Set or remove the PIN with which locked screens open."""
    account_id = login.actor().account_id
    if request.form.get("action") == "remove":
        with db.transaction() as session:
            pins.remove_pin(session, account_id)
        return _back()
    pin, again = (request.form.get(name, "").strip() for name in ("pin", "again"))
    errors = {}
    try:
        pins.check_new(pin)
        if pin != again:
            errors["again"] = "Enter the same PIN again."
    except DomainError as refusal:
        errors["pin"] = str(refusal)
    if errors:
        return _page(errors)
    with db.transaction() as session:
        pins.set_pin(session, account_id, pin)
    return _back()


def _back() -> Response:
    return make_response(redirect("/profile/sessions", 303))


def _page(errors: dict[str, str]) -> Response:
    has_pin = login.session_of_view().has_pin
    title = "Change your PIN" if has_pin else "Choose a PIN"
    return pages.answer(
        "auth/pin.html",
        f"Error: {title}" if errors else title,
        status=422 if errors else 200,
        errors=errors,
        has_pin=has_pin,
    )
