"""When a dose that was not recorded is late, and when it counts as not recorded. `/admin/settings/doses`"""

from dataclasses import asdict
from typing import Final

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.admin import forms
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts import directory
from silverwatch.domain.errors import DomainError
from silverwatch.domain.settings import doses
from silverwatch.domain.settings.doses import DoseTimes
from silverwatch.web import fields, gates, login, pages

URL: Final = "/admin/settings/doses"
NAMES: Final = ("late_min", "unrecorded_min")


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=dose_times)
    blueprint.add_url_rule(URL, view_func=set_dose_times, methods=["POST"])


@gates.need(Permission.CHANGE_SETTINGS)
def dose_times() -> Response:
    """After how long is a dose late?"""
    return _page()


@gates.need(Permission.CHANGE_SETTINGS)
def set_dose_times() -> Response:
    """Change it, for every list from now on."""
    written = {name: request.form.get(name, "")[:10] for name in NAMES}
    late, unrecorded = (fields.whole(written[name], most=doses.MINUTES[-1]) for name in NAMES)
    wanted = DoseTimes(late_min=late or 0, unrecorded_min=unrecorded or 0)
    try:
        with db.transaction() as session:
            present = doses.times(session)
            if wanted != present:
                doses.set_times(session, wanted, by=login.actor().account_id, now=clock.now())
                detail = {"group": doses.GROUP, "from": asdict(present), "to": asdict(wanted)}
                audit.record(session, "settings.changed", detail=detail)
    except DomainError as refusal:
        wrong = "unrecorded_min" if wanted.late_min in doses.MINUTES else "late_min"
        return _page(written=written, errors={wrong: str(refusal)})
    return forms.see(f"{URL}?done=saved")


def _page(*, written: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> Response:
    with db.transaction(read_only=True) as session:
        present = asdict(doses.times(session))
        change = directory.last_change(session, doses.GROUP)
    title = "Times of doses"
    return pages.answer(
        "admin/doses.html",
        f"Error: {title}" if errors else title,
        status=422 if errors else 200,
        written=written or {name: str(number) for name, number in present.items()},
        least=doses.MINUTES[0],
        most=doses.MINUTES[-1],
        errors=errors or {},
        change=change,
        done=request.args.get("done") == "saved",
    )
