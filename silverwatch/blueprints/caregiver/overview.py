"""`/wards`: all wards of a person beside each other."""

from flask import Blueprint, Response

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import overview
from silverwatch.web import auditing, gates, login, pages


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/wards", view_func=wards)


@gates.need(Permission.COMPARE_WARDS, passive=True)
def wards() -> Response:
    """Which ward needs somebody?"""
    account_id, now = login.actor().account_id, clock.now()
    with db.transaction(read_only=True) as session:
        view = overview.overviews(session, [account_id], now)[account_id]
    # Figures of wards, no patient by name.
    auditing.viewed("wards", patient_ids=[])
    return pages.answer(
        "caregiver/wards.html",
        "Wards",
        live_url=pages.live_address([f"wards-{account_id}"]),
        overview=view,
        now=now,
    )
