"""Actions on alerts, as resources: `POST /alerts/<id>/acknowledgement`, `/resolution`, `/action`."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.changed import shown
from silverwatch.domain import audit
from silverwatch.domain.access import Actor, Permission
from silverwatch.domain.accounts import directory
from silverwatch.domain.alerts import answers, queries, reach, service
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.errors import ConflictError, DomainError
from silverwatch.web import auditing, filters, gates, login, pages

MAX_NOTE = 200

Verb = Callable[[Session, Actor, Alert, datetime], dict[str, str]]
"""What is done to an alert; gives what the audit says besides."""


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    url = "/alerts/<uuid:alert_id>"
    blueprint.add_url_rule(f"{url}/acknowledgement", view_func=acknowledge, methods=["POST"])
    blueprint.add_url_rule(f"{url}/resolution", view_func=resolution_form)
    blueprint.add_url_rule(f"{url}/resolution", view_func=resolve, methods=["POST"])
    blueprint.add_url_rule(f"{url}/action", view_func=act, methods=["POST"])
    blueprint.add_url_rule("/alerts/acknowledgements", view_func=acknowledge_many, methods=["POST"])


@gates.need(Permission.TAKE_ALARMS)
def acknowledge(alert_id: UUID) -> Response:
    """Take an alarm. Whoever comes second is told whose it is."""
    told: list[str] = []

    def take(session: Session, actor: Actor, alert: Alert, now: datetime) -> dict[str, str]:
        taken = service.acknowledge(session, actor, alert, now=now)
        if taken.account_id != actor.account_id:
            told.append(_whose(session, taken.account_id, taken.at, now=now))
        return {}

    return _act(alert_id, take, "alert.acknowledged", told=told)


@gates.need(Permission.TAKE_ALARMS)
def resolve(alert_id: UUID) -> Response:
    """Say that nothing is left to do; while the condition is still true, only for a reason."""
    reason = request.form.get("reason", "")
    note = request.form.get("note", "").strip()[:MAX_NOTE]
    if reason and reason not in answers.WHY:
        return _form(alert_id, {"reason": "Choose a reason from the list."})
    why = note if reason == "other" and note else reason

    def done(session: Session, actor: Actor, alert: Alert, now: datetime) -> dict[str, str]:
        service.resolve(session, actor, alert, now=now, reason=why)
        return {"reason": reason}

    try:
        return _act(alert_id, done, "alert.resolved")
    except ConflictError as error:
        return _form(alert_id, {"reason": str(error)})


@gates.need(Permission.TAKE_ALARMS)
def resolution_form(alert_id: UUID) -> Response:
    """Why is nothing left to do?"""
    return _form(alert_id, {}, status=200)


@gates.need(Permission.TAKE_ALARMS)
def act(alert_id: UUID) -> Response:
    """Say what one did."""
    what = request.form.get("what", "")

    def note(session: Session, actor: Actor, alert: Alert, now: datetime) -> dict[str, str]:
        answers.note_action(session, actor, alert, what, now=now)
        return {"what": what}

    return _act(alert_id, note, "alert.answered")


@gates.need(Permission.TAKE_ALARMS)
def acknowledge_many() -> Response:
    """Take several technical alarms at once."""
    actor, now = login.actor(), clock.now()
    ids = sorted({_id(written) for written in request.form.getlist("alert")[: answers.MOST_AT_ONCE]})
    with db.transaction() as session:
        alerts = [reach.alert_for(session, actor, alert_id, now=now) for alert_id in ids]
        for alert_id in answers.acknowledge_technical(session, actor, alerts, now=now):
            patient_id = next(alert.patient_id for alert in alerts if alert.id == alert_id)
            audit.record(
                session,
                "alert.acknowledged",
                subject=("alert", alert_id),
                patient_ids=[patient_id] if patient_id else [],
                detail={"together": len(ids)},
            )
    return make_response(redirect(pages.local_path(request.form.get("next")) or "/alerts", 303))


def _id(written: str) -> UUID:
    try:
        return UUID(written)
    except ValueError as error:
        raise DomainError("Choose technical alarms from the list.") from error


def _act(alert_id: UUID, verb: Verb, action: str, *, told: list[str] | None = None) -> Response:
    """Do it if the alarm is the actor's to take, and show what has changed."""
    actor, now = login.actor(), clock.now()
    with db.transaction() as session:
        alert = reach.alert_for(session, actor, alert_id, now=now)
        detail = verb(session, actor, alert, now)
        patient_ids = [alert.patient_id] if alert.patient_id else []
        audit.record(session, action, subject=("alert", alert_id), patient_ids=patient_ids, detail=detail)
    return shown(patient_ids=patient_ids, alert_id=alert_id, told=told or [])


def _whose(session: Session, account_id: UUID, at: datetime, *, now: datetime) -> str:
    """Whose the alarm was already, and since when."""
    name = directory.names(session, [account_id]).get(account_id, "A colleague")
    return f"{name} acknowledged this {filters.age(at, now)} ago."


def _form(alert_id: UUID, errors: dict[str, str], *, status: int = 422) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        alert = reach.alert_for(session, actor, alert_id, now=now, lock=False)
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
        reasons=answers.WHY,
        errors=errors,
        back=pages.local_path(request.values.get("next")) or "/ward",
        now=now,
    )
