"""Incidents: falls that devices report, and what people report by hand; followed until nothing is left to be done."""

from dataclasses import dataclass, field
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import incident_list, incidents, reach
from silverwatch.domain.errors import DomainError, NotFoundError
from silverwatch.web import auditing, filters, gates, login, pages

KINDS = ("fall", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentForm:
    """The form as it was sent, or as it is stored. `at` is local time as the browser writes it."""

    kind: str = "fall"
    at: str = ""
    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/incidents", view_func=incident_rows)
    blueprint.add_url_rule("/incidents/<uuid:incident_id>", view_func=incident)
    blueprint.add_url_rule("/incidents/<uuid:incident_id>", view_func=change_incident, methods=["POST"])
    blueprint.add_url_rule("/patients/<uuid:patient_id>/incidents/new", view_func=report_form)
    blueprint.add_url_rule(
        "/patients/<uuid:patient_id>/incidents", view_func=report_incident, methods=["POST"]
    )


@gates.need(Permission.REPORT_INCIDENTS)
def incident_rows() -> Response:
    """What happened, and what is still to be done about it?"""
    now, closed = clock.now(), request.args.get("state") == "closed"
    page = request.args.get("page", "1")
    number = max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 4 else 1
    with db.transaction(read_only=True) as session:
        lines, more = incident_list.incidents_of(session, login.actor(), closed=closed, page=number, now=now)
    if lines:
        auditing.viewed("incidents", patient_ids=[line.patient.id for line in lines])
    return pages.answer(
        "caregiver/incidents.html", "Incidents", lines=lines, closed=closed, number=number, more=more, now=now
    )


@gates.need(Permission.REPORT_INCIDENTS)
def incident(incident_id: UUID) -> Response:
    """One incident, and what stood in it before."""
    return _incident(incident_id, None)


@gates.need(Permission.REPORT_INCIDENTS)
def change_incident(incident_id: UUID) -> Response:
    """Write what is known now."""
    actor, now = login.actor(), clock.now()
    close = request.form.get("close") == "1"
    try:
        with db.transaction() as session:
            found = incidents.incident_for(session, actor, incident_id, now=now)
            incidents.change(session, actor, found, values=_values(), close=close, now=now)
            audit.record(
                session,
                "incident.closed" if close else "incident.changed",
                subject=("incident", incident_id),
                patient_ids=[found.patient_id],
            )
    except NotFoundError:
        raise
    except DomainError as error:
        return _incident(incident_id, IncidentForm(values=_values(), errors={"form": str(error)}), status=422)
    return make_response(redirect(f"/incidents/{incident_id}", 303))


@gates.need(Permission.REPORT_INCIDENTS)
def report_form(patient_id: UUID) -> Response:
    """What happened?"""
    return _report(patient_id, IncidentForm(at=filters.local_input(clock.now())))


@gates.need(Permission.REPORT_INCIDENTS)
def report_incident(patient_id: UUID) -> Response:
    """Report an incident by hand."""
    actor, now = login.actor(), clock.now()
    kind = request.form.get("kind", "")
    form = IncidentForm(
        kind=kind if kind in KINDS else "other", at=request.form.get("at", "")[:20], values=_values()
    )
    at = filters.from_local(form.at)
    if at is None:
        form.errors["at"] = "Enter the day and the time, such as 22-11-2026 14:32."
    if not form.values.get("what"):
        form.errors["what"] = "Say what happened."
    if at is None or form.errors:
        return _report(patient_id, form, status=422)
    try:
        with db.transaction() as session:
            reach.patient_for(session, actor, patient_id, now=now)
            made = incidents.report(
                session, actor, patient_id=patient_id, kind=form.kind, at=at, values=form.values, now=now
            )
            audit.record(
                session, "incident.reported", subject=("incident", made.id), patient_ids=[patient_id]
            )
    except NotFoundError:
        raise
    except DomainError as error:
        form.errors["at" if at > now else "form"] = str(error)
        return _report(patient_id, form, status=422)
    return make_response(redirect(f"/incidents/{made.id}", 303))


def _values() -> dict[str, str]:
    return {name: request.form.get(name, "")[: incidents.MAX_TEXT + 1] for name in incidents.FIELDS}


def _incident(incident_id: UUID, form: IncidentForm | None, *, status: int = 200) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        found = incidents.incident_for(session, actor, incident_id, now=now)
        place = reach.patient_for(session, actor, found.patient_id, now=now)
        before = incident_list.history(session, incident_id)
    auditing.viewed("incident", patient_ids=[found.patient_id], ward_id=found.ward_id)
    title = "Incident"
    return pages.answer(
        "caregiver/incident.html",
        f"Error: {title}" if form and form.errors else title,
        status=status,
        incident=found,
        place=place,
        form=form or IncidentForm(kind=found.kind, values=dict(found.values)),
        injuries=incidents.INJURIES,
        before=before,
        now=now,
    )


def _report(patient_id: UUID, form: IncidentForm, *, status: int = 200) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
    auditing.viewed("incident", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "Report an incident"
    return pages.answer(
        "caregiver/incident.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        incident=None,
        place=place,
        form=form,
        injuries=incidents.INJURIES,
        before=[],
        now=now,
    )
