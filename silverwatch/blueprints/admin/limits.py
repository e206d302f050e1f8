"""The alarm limits of the site: what applies where no ward and no patient has others."""

from typing import Final

from flask import Blueprint, Response

from silverwatch import db
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts.limit_proposal import Scope
from silverwatch.domain.wards.queries import wards_of
from silverwatch.web import gates, limit_house, login
from silverwatch.web.limit_house import House

URL: Final = "/admin/settings/limits"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=site_limits_form)
    blueprint.add_url_rule(URL, view_func=set_site_limits, methods=["POST"])


@gates.need(Permission.SET_HOUSE_LIMITS, step_up=True)
def site_limits_form() -> Response:
    """When does it alarm, where nobody decided otherwise?"""
    return limit_house.editor(_house())


@gates.need(Permission.SET_HOUSE_LIMITS, step_up=True)
def set_site_limits() -> Response:
    """Check, then set them."""
    return limit_house.submitted(_house())


def _house() -> House:
    with db.transaction(read_only=True) as session:
        wards = wards_of(session, login.actor())
    return House(
        scope=Scope.site(),
        title="Alarm limits of the site",
        name="",
        url=URL,
        back="/admin/settings",
        back_text="Settings",
        after=URL,
        above="As delivered",
        wards=tuple((ward.name, f"/ward/{ward.slug}/limits") for ward in wards),
    )
