"""The access matrix: who may do what, and who holds which role where."""

from flask import Blueprint, Response

from silverwatch import db
from silverwatch.domain.access import GRANTS, PEOPLE, Permission, Role
from silverwatch.domain.accounts import directory
from silverwatch.domain.wards.queries import all_wards
from silverwatch.web import gates, pages


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/admin/access", view_func=access)


@gates.need(Permission.MANAGE_USERS)
def access() -> Response:
    """Who may do what?"""
    with db.transaction(read_only=True) as session:
        holders = directory.holders(session)
        wards = all_wards(session)
    return pages.answer(
        "admin/access.html",
        "Who may do what",
        permissions=list(Permission),
        grants=GRANTS,
        roles=list(Role),
        people=PEOPLE,
        holders=holders,
        wards=wards,
    )
