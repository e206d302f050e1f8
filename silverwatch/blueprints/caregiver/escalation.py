"""The next step of an alarm, now: `POST /alerts/<id>/escalation`."""

from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import queries
from silverwatch.domain.notices import escalation
from silverwatch.web import filters, gates, login, pages
from silverwatch.web.hypermedia import is_htmx, partials


def register(blueprint: Blueprint) -> None:
    """Add the route."""
    blueprint.add_url_rule("/alerts/<uuid:alert_id>/escalation", view_func=escalate, methods=["POST"])


@gates.need(Permission.TAKE_ALARMS)
def escalate(alert_id: UUID) -> Response:
    """Tell the next people at once. What that changes on the screens is pushed to them."""
    actor, now = login.actor(), clock.now()
    with db.transaction() as session:
        alert = queries.alert_for(session, actor, alert_id, now=now)
        escalation.escalate(session, actor, alert, now=now, zone=ZoneInfo(filters.time_zone()))
        patient_ids = [alert.patient_id] if alert.patient_id else []
        audit.record(session, "alert.escalated", subject=("alert", alert_id), patient_ids=patient_ids)
    if is_htmx():
        return partials(())
    return make_response(redirect(pages.local_path(request.form.get("next")) or "/ward", 303))
