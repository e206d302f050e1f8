"""How a device delivers, and how all of them do. `/devices/<id>/diagnostics`, `/ingest`"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, Response

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import diagnostics, fleet
from silverwatch.domain.alerts.silence import LATE_INTERVALS, SHORTEST_S
from silverwatch.web import auditing, gates, login, pages

VIEW: Final = "diagnostics"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/devices/<uuid:device_id>/diagnostics", view_func=device_diagnostics)
    blueprint.add_url_rule("/ingest", view_func=ingest)


@gates.need(Permission.SEE_DEVICES)
def device_diagnostics(device_id: UUID) -> Response:
    """What came from it in the last 24 hours, and what of it was refused?"""
    now = clock.now()
    with db.transaction(read_only=True) as session:
        row = fleet.one(session, login.actor(), device_id, now=now)
        longest = timedelta(seconds=LATE_INTERVALS * max(row.interval_s, SHORTEST_S))
        found = diagnostics.diagnose(session, device_id, longest=longest, now=now)
    if found.patient_ids:
        # What was refused is shown as it came, and that may be the values of somebody.
        auditing.viewed(VIEW, patient_ids=found.patient_ids, ward_id=row.ward_id)
    return pages.answer(
        "technician/diagnostics.html", "Diagnostics", device=row, found=found, longest=longest, now=now
    )


@gates.need(Permission.SEE_DEVICES)
def ingest() -> Response:
    """Do readings come in, how late, and does judging keep up?"""
    now = clock.now()
    with db.transaction(read_only=True) as session:
        found = diagnostics.flow(session, login.actor(), now=now)
    return pages.answer("technician/ingest.html", "Ingest", flow=found, now=now)
