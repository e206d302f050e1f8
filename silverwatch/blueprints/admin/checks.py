"""How many days lie between two checks of a device. `/admin/settings/checks`"""

from typing import Final

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.admin import forms
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts import directory
from silverwatch.domain.settings import checks
from silverwatch.web import fields, gates, login, pages

URL: Final = "/admin/settings/checks"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=check_days)
    blueprint.add_url_rule(URL, view_func=set_check_days, methods=["POST"])


@gates.need(Permission.CHANGE_SETTINGS)
def check_days() -> Response:
    """After how many days is a device checked again?"""
    return _page()


@gates.need(Permission.CHANGE_SETTINGS)
def set_check_days() -> Response:
    """Change it; what is scheduled already keeps its date."""
    written = {kind: request.form.get(kind, "")[:10] for kind in checks.KINDS}
    numbers = {kind: fields.whole(text, most=checks.DAYS[-1]) for kind, text in written.items()}
    errors = {
        kind: f"Enter a whole number of {checks.DAYS[0]} to {checks.DAYS[-1]} days."
        for kind, number in numbers.items()
        if number not in checks.DAYS
    }
    if errors:
        return _page(written=written, errors=errors)
    wanted = {kind: number for kind, number in numbers.items() if number is not None}
    with db.transaction() as session:
        present = checks.days(session)
        if wanted != present:
            checks.set_days(session, wanted, by=login.actor().account_id, now=clock.now())
            detail = {"group": checks.GROUP, "from": present, "to": wanted}
            audit.record(session, "settings.changed", detail=detail)
    return forms.see(f"{URL}?done=saved")


def _page(*, written: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> Response:
    with db.transaction(read_only=True) as session:
        days = checks.days(session)
        change = directory.last_change(session, checks.GROUP)
    title = "Checks of devices"
    return pages.answer(
        "admin/checks.html",
        f"Error: {title}" if errors else title,
        status=422 if errors else 200,
        kinds=checks.KINDS,
        written=written or {kind: str(number) for kind, number in days.items()},
        most=checks.DAYS[-1],
        errors=errors or {},
        change=change,
        done=request.args.get("done") == "saved",
    )
