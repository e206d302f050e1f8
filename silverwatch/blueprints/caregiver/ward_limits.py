"""The alarm limits of a ward: everybody there reads them, an administrator changes them."""

from typing import Final

from flask import Blueprint, Response

from silverwatch import db
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts.limit_proposal import Scope
from silverwatch.domain.wards.queries import ward_by_slug
from silverwatch.web import gates, limit_house, login
from silverwatch.web.limit_house import House

URL: Final = "/ward/<slug>/limits"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=ward_limits)
    blueprint.add_url_rule(f"{URL}/change", view_func=ward_limits_form)
    blueprint.add_url_rule(f"{URL}/change", view_func=set_ward_limits, methods=["POST"])


@gates.need(Permission.SEE_LIMITS)
def ward_limits(slug: str) -> Response:
    """When does it alarm in this ward, where a patient has no limits of their own?"""
    house = _house(slug)
    may_change = login.actor().may(Permission.SET_HOUSE_LIMITS)
    return limit_house.table(house, change_url=house.url if may_change else None)


@gates.need(Permission.SET_HOUSE_LIMITS, step_up=True)
def ward_limits_form(slug: str) -> Response:
    """Change them."""
    return limit_house.editor(_house(slug))


@gates.need(Permission.SET_HOUSE_LIMITS, step_up=True)
def set_ward_limits(slug: str) -> Response:
    """Check, then set them."""
    return limit_house.submitted(_house(slug))


def _house(slug: str) -> House:
    with db.transaction(read_only=True) as session:
        ward = ward_by_slug(session, login.actor(), slug)
        return House(
            scope=Scope.of_ward(ward.id),
            title="Alarm limits of the ward",
            name=ward.name,
            url=f"/ward/{ward.slug}/limits/change",
            back=f"/ward/{ward.slug}/limits",
            back_text="Limits of the ward",
            after=f"/ward/{ward.slug}/limits",
            above="Back to the site's",
        )
