"""The next step of an alarm, now: `POST /alerts/<id>/escalation`, and `/escalation/withdrawal` to undo it."""

from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.changed import shown
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import reach
from silverwatch.domain.notices import escalation, takeback
from silverwatch.web import filters, gates, login, pages
from silverwatch.web.hypermedia import is_htmx


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    url = "/alerts/<uuid:alert_id>/escalation"
    blueprint.add_url_rule(url, view_func=escalate, methods=["POST"])
    blueprint.add_url_rule(f"{url}/withdrawal", view_func=withdraw, methods=["POST"])


@gates.need(Permission.TAKE_ALARMS)
def escalate(alert_id: UUID) -> Response:
    """Tell the next people at once."""
    actor, now = login.actor(), clock.now()
    with db.transaction() as session:
        alert = reach.alert_for(session, actor, alert_id, now=now)
        escalation.escalate(session, actor, alert, now=now, zone=ZoneInfo(filters.time_zone()))
        patient_ids = [alert.patient_id] if alert.patient_id else []
        audit.record(session, "alert.escalated", subject=("alert", alert_id), patient_ids=patient_ids)
    return _shown(alert_id, patient_ids)


@gates.need(Permission.TAKE_ALARMS)
def withdraw(alert_id: UUID) -> Response:
    """It was a slip: back to where the chain stood. Whoever may take the alarm may do this; the record names them."""
    actor, now = login.actor(), clock.now()
    with db.transaction() as session:
        alert = reach.alert_for(session, actor, alert_id, now=now)
        takeback.undo(session, actor, alert, now=now)
        patient_ids = [alert.patient_id] if alert.patient_id else []
        audit.record(session, "alert.escalation_undone", subject=("alert", alert_id), patient_ids=patient_ids)
    return _shown(alert_id, patient_ids)


def _shown(alert_id: UUID, patient_ids: list[UUID]) -> Response:
    """What has changed; from the inbox without JavaScript the alarm itself, where it can be undone."""
    back = pages.local_path(request.form.get("next")) or ""
    if not is_htmx() and back.startswith("/alerts"):
        # With what the inbox was asked for: whose alarms, and which of them.
        query = urlsplit(back).query
        return make_response(redirect(f"/alerts/{alert_id}" + (f"?{query}" if query else ""), 303))
    return shown(patient_ids=patient_ids, alert_id=alert_id)
