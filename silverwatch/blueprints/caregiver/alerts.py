"""Actions on alerts, as resources: `POST /alerts/<id>/acknowledgement`, `/resolution` and `/action`."""

from uuid import UUID

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.changed import shown
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import doing, queries, service
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.errors import ConflictError
from silverwatch.web import auditing, gates, login, pages

MAX_NOTE = 200


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    url = "/alerts/<uuid:alert_id>"
    blueprint.add_url_rule(f"{url}/acknowledgement", view_func=acknowledge, methods=["POST"])
    blueprint.add_url_rule(f"{url}/resolution", view_func=resolution_form)
    blueprint.add_url_rule(f"{url}/resolution", view_func=resolve, methods=["POST"])
    blueprint.add_url_rule(f"{url}/action", view_func=act, methods=["POST"])


@gates.need(Permission.TAKE_ALARMS)
def acknowledge(alert_id: UUID) -> Response:
    """Take an alarm."""
    actor, now = login.actor(), clock.now()
    with db.transaction() as session:
        alert = queries.alert_for(session, actor, alert_id, now=now)
        service.acknowledge(session, actor, alert, now=now)
        patient_ids = _note(session, "alert.acknowledged", alert)
    return shown(patient_ids=patient_ids)


@gates.need(Permission.TAKE_ALARMS)
def resolve(alert_id: UUID) -> Response:
    """Say that nothing is left to do; while the condition is still true, only for a reason."""
    actor, now = login.actor(), clock.now()
    reason = request.form.get("reason", "")
    note = request.form.get("note", "").strip()[:MAX_NOTE]
    if reason not in doing.RESOLUTIONS:
        reason = ""
    if reason == "other" and not note:
        return _form(alert_id, {"note": "Say in a few words why: the list does not tell."}, reason=reason)
    try:
        with db.transaction() as session:
            alert = queries.alert_for(session, actor, alert_id, now=now)
            service.resolve(session, actor, alert, now=now, reason=note if reason == "other" else reason)
            patient_ids = _note(session, "alert.resolved", alert, reason=reason)
    except ConflictError as error:
        return _form(alert_id, {"reason": str(error)})
    return shown(patient_ids=patient_ids)


@gates.need(Permission.TAKE_ALARMS)
def resolution_form(alert_id: UUID) -> Response:
    """Why is nothing left to do?"""
    return _form(alert_id, {}, status=200)


@gates.need(Permission.TAKE_ALARMS)
def act(alert_id: UUID) -> Response:
    """Say what was done about it."""
    actor, now = login.actor(), clock.now()
    what = request.form.get("what", "")
    with db.transaction() as session:
        alert = queries.alert_for(session, actor, alert_id, now=now)
        doing.act(session, actor, alert, what=what, now=now)
        patient_ids = _note(session, "alert.acted", alert, what=what)
    return shown(patient_ids=patient_ids)


def _note(session: Session, action: str, alert: Alert, **detail: str) -> list[UUID]:
    patient_ids = [alert.patient_id] if alert.patient_id else []
    audit.record(session, action, subject=("alert", alert.id), patient_ids=patient_ids, detail=detail)
    return patient_ids


def _form(alert_id: UUID, errors: dict[str, str], *, reason: str = "", status: int = 422) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        alert = queries.alert_for(session, actor, alert_id, now=now, lock=False)
        line = queries.line_of(session, alert.id, now=now)
        still_true = service.is_still_true(alert)
    if alert.patient_id is not None:
        auditing.viewed("alarm", patient_ids=[alert.patient_id])
    title = "Resolve the alarm"
    return pages.answer(
        "caregiver/resolution.html",
        f"Error: {title}" if errors else title,
        status=status,
        line=line,
        still_true=still_true,
        back_after=service.REALARM.get(alert.priority, service.REALARM["medium"]),
        reasons=doing.RESOLUTIONS,
        chosen=reason,
        errors=errors,
        back=pages.local_path(request.values.get("next")) or "/ward",
        now=now,
    )
