"""In which units a person reads and enters: `/profile/units`."""

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import db
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.readings import unit_choices
from silverwatch.domain.readings.units import CHOICES, WORDS, Units
from silverwatch.web import gates, login, pages

URL = "/profile/units"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=units_form)
    blueprint.add_url_rule(URL, view_func=choose_units, methods=["POST"])


@gates.need(Permission.OWN_ACCOUNT)
def units_form() -> Response:
    """Which units are mine?"""
    with db.transaction(read_only=True) as session:
        chosen = unit_choices.units_of(session, login.actor().account_id)
    return _page(chosen, {}, pages.local_path(request.args.get("next")) or "/profile")


@gates.need(Permission.OWN_ACCOUNT)
def choose_units() -> Response:
    """Keep the choice and go back."""
    back = pages.local_path(request.form.get("next")) or "/profile"
    sent = {quantity: request.form.get(quantity, "") for quantity in CHOICES}
    errors: dict[str, str] = {}
    for name, units in CHOICES.items():
        if sent[name] not in units:
            errors[name] = "Choose one of the two units."
    account_id = login.actor().account_id
    if errors:
        with db.transaction(read_only=True) as session:
            chosen = unit_choices.units_of(session, account_id)
        return _page(chosen, errors, back, status=422)
    chosen = Units(**sent)
    with db.transaction() as session:
        unit_choices.choose(session, account_id, chosen)
        audit.record(session, "units.chosen", detail={"units": chosen.code})
    return make_response(redirect(back, 303))


def _page(chosen: Units, errors: dict[str, str], back: str, *, status: int = 200) -> Response:
    title = "Your units"
    return pages.answer(
        "auth/units.html",
        f"Error: {title}" if errors else title,
        status=status,
        chosen=chosen,
        choices=CHOICES,
        words=WORDS,
        errors=errors,
        back=back,
    )
