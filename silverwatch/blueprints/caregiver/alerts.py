"""Actions on alerts, as resources: `POST /alerts/<id>/acknowledgement` and `/resolution`."""

from collections.abc import Callable, Iterator
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import queries, service
from silverwatch.flow import ALARM_REGIONS, PATIENT_REGIONS
from silverwatch.live.regions import ALL, Region
from silverwatch.web import gates, login, pages
from silverwatch.web.hypermedia import is_htmx, partials


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/alerts/<uuid:alert_id>/acknowledgement", view_func=acknowledge, methods=["POST"])
    blueprint.add_url_rule("/alerts/<uuid:alert_id>/resolution", view_func=resolve, methods=["POST"])


@gates.need(Permission.TAKE_ALARMS)
def acknowledge(alert_id: UUID) -> Response:
    """Take an alarm."""
    return _act(alert_id, service.acknowledge, "alert.acknowledged")


@gates.need(Permission.TAKE_ALARMS)
def resolve(alert_id: UUID) -> Response:
    """Say that nothing is left to do."""
    return _act(alert_id, service.resolve, "alert.resolved")


def _act(alert_id: UUID, verb: Callable[..., object], action: str) -> Response:
    """Do it if the alarm is the actor's to take, and show what has changed."""
    actor, now = login.actor(), clock.now()
    with db.transaction() as session:
        alert = queries.alert_for(session, actor, alert_id, now=now)
        verb(session, actor, alert, now=now)
        audit.record(
            session,
            action,
            subject=("alert", alert_id),
            patient_ids=[alert.patient_id] if alert.patient_id else [],
        )
        patient_id = alert.patient_id
    return _shown(patient_id)


def _shown(patient_id: UUID | None) -> Response:
    """What has changed on the page that asked, board or patient: the same fragments as a reload would show."""
    if not is_htmx():
        return make_response(redirect(pages.local_path(request.form.get("next")) or "/ward", 303))
    now = clock.now()
    fragments = []
    with db.transaction(read_only=True) as session:
        for region, subject_id in _changed(session, patient_id, now=now):
            view = region.load(session, [subject_id], now)[subject_id]
            drawn = region.draw(view, audience=pages.audience(login.session_of_view()), now=now)
            fragments.append((region.dom_id(subject_id), drawn))
    return partials(fragments)


def _changed(session: Session, patient_id: UUID | None, *, now: datetime) -> Iterator[tuple[Region, UUID]]:
    """The regions of alarms on the page that asked, and whom they are about."""
    if patient_id is None:
        return
    if urlsplit(request.headers.get("HX-Current-URL", "")).path == f"/patients/{patient_id}":
        yield from ((ALL[name], patient_id) for name in PATIENT_REGIONS)
        return
    for bed_id, ward_id in queries.places_of(session, [patient_id], now=now).values():
        for name in ALARM_REGIONS:
            yield ALL[name], bed_id if ALL[name].subject == "bed" else ward_id
