"""Drills: `/admin/drills`."""

from typing import Final

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.admin import forms
from silverwatch.domain.access import Permission
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.notices import drills
from silverwatch.domain.wards.queries import wards_of
from silverwatch.web import fields, gates, login, pages

URL: Final = "/admin/drills"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=all_drills)
    blueprint.add_url_rule(URL, view_func=run_drill, methods=["POST"])


@gates.need(Permission.CHANGE_SETTINGS)
def all_drills() -> Response:
    """How did the last test alarms go?"""
    return _page()


@gates.need(Permission.CHANGE_SETTINGS)
def run_drill() -> Response:
    """Raise a test alarm; the guard follows it."""
    actor, ward_id = login.actor(), fields.identity(request.form.get("ward"))
    if ward_id is None or ward_id not in actor.ward_ids:
        return _page({"ward": "Choose a ward."})
    try:
        with db.transaction() as session:
            drills.begin(session, ward_id, by=actor.account_id, now=clock.now())
    except (ConflictError, NotFoundError) as error:
        return _page({"ward": str(error)})
    return forms.see(URL)


def _page(errors: dict[str, str] | None = None) -> Response:
    with db.transaction(read_only=True) as session:
        wards = wards_of(session, login.actor())
        found = drills.lately(session, [ward.id for ward in wards])
    return pages.answer(
        "admin/drills.html",
        "Error: Drills" if errors else "Drills",
        status=422 if errors else 200,
        errors=errors or {},
        wards=wards,
        drills=found,
    )
