"""A clinician decides: the scale of the saturation, and how often to observe. Asked again before it counts."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import decisions, reach
from silverwatch.domain.alerts.news_card import news_card
from silverwatch.domain.records import notes
from silverwatch.web import auditing, gates, login, pages

SCALE: Final = "/patients/<uuid:patient_id>/news2-scale"
INTERVAL: Final = "/patients/<uuid:patient_id>/observation-interval"
TEMPLATES: Final = {"scale": "caregiver/decide_scale.html", "interval": "caregiver/decide_interval.html"}
UNTIL_H: Final = (4, 8, 12, 24)
"""For how many hours an interval of one's own may be decided."""


@dataclass(slots=True, kw_only=True)
class DecisionForm:
    """A decision as it was sent: `choice` is the scale, or the minutes. `sure`: it was shown once more and stands."""

    choice: int = 0
    hours: int = 0
    because: str = ""
    sure: bool = False
    errors: dict[str, str] = field(default_factory=dict)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    add = blueprint.add_url_rule
    add(SCALE, view_func=scale_form)
    add(SCALE, view_func=decide_scale, methods=["POST"])
    add(INTERVAL, view_func=interval_form)
    add(INTERVAL, view_func=decide_interval, methods=["POST"])
    add(f"{INTERVAL}/end", view_func=end_interval, methods=["POST"])


@gates.need(Permission.RECORD_OBSERVATIONS)
def scale_form(patient_id: UUID) -> Response:
    """On which scale is the saturation scored, and who says so?"""
    return _page("scale", patient_id, DecisionForm())


@gates.need(Permission.RECORD_OBSERVATIONS)
def decide_scale(patient_id: UUID) -> Response:
    """Change the scale: first the choice is shown again, then it counts."""
    form = _read(request.form, choices=(1, 2))
    with db.transaction() as session:
        _found(session, patient_id)
        if not form.errors and form.sure:
            decisions.decide_scale(
                session, login.actor(), patient_id, scale=form.choice, because=form.because, now=clock.now()
            )
            detail = {"scale": form.choice, "because": form.because}
            audit.record(session, "scale.decided", patient_ids=[patient_id], detail=detail)
    if form.errors or not form.sure:
        return _page("scale", patient_id, form, status=422)
    return make_response(redirect(f"/patients/{patient_id}", 303))


@gates.need(Permission.RECORD_OBSERVATIONS)
def interval_form(patient_id: UUID) -> Response:
    """How often is this patient observed, and who says so?"""
    return _page("interval", patient_id, DecisionForm())


@gates.need(Permission.RECORD_OBSERVATIONS)
def decide_interval(patient_id: UUID) -> Response:
    """Observe so often until then: first the choice is shown again, then it counts."""
    form, now = _read(request.form, choices=decisions.INTERVALS_MIN), clock.now()
    form.hours = _number(request.form.get("hours", ""))
    if form.hours not in UNTIL_H:
        form.errors["hours"] = "Choose until when this counts."
    with db.transaction() as session:
        _found(session, patient_id)
        if not form.errors and form.sure:
            until = now + timedelta(hours=form.hours)
            decisions.decide_interval(
                session, login.actor(), patient_id,
                minutes=form.choice, until=until, because=form.because, now=now,
            )  # fmt: skip
            detail = {"minutes": form.choice, "until": until.isoformat(), "because": form.because}
            audit.record(session, "observation_interval.decided", patient_ids=[patient_id], detail=detail)
    if form.errors or not form.sure:
        return _page("interval", patient_id, form, status=422)
    return make_response(redirect(f"/patients/{patient_id}", 303))


@gates.need(Permission.RECORD_OBSERVATIONS)
def end_interval(patient_id: UUID) -> Response:
    """Observe as the chart says again."""
    with db.transaction() as session:
        _found(session, patient_id)
        if decisions.end_interval(session, login.actor(), patient_id, now=clock.now()):
            audit.record(session, "observation_interval.ended", patient_ids=[patient_id])
    return make_response(redirect(f"/patients/{patient_id}", 303))


def _found(session: Session, patient_id: UUID) -> reach.Place:
    return reach.patient_for(session, login.actor(), patient_id, now=clock.now())


def _read(sent: MultiDict[str, str], *, choices: tuple[int, ...]) -> DecisionForm:
    because = " ".join(sent.get("because", "").replace("\0", "").split())
    form = DecisionForm(
        choice=_number(sent.get("choice", "")),
        because=because[: decisions.REASON.stop],
        sure=sent.get("sure") == "yes",
    )
    if form.choice not in choices:
        form.errors["choice"] = "Choose one of these."
    if len(because) not in decisions.REASON:
        low, high = decisions.REASON.start, decisions.REASON.stop - 1
        form.errors["because"] = (
            f"Say why, in {low} to {high} characters. It stands on the page of the patient."
        )
    return form


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _page(which: str, patient_id: UUID, form: DecisionForm, *, status: int = 200) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        card = news_card(session, patient_id, now=now)
        scales = decisions.scales_of(session, patient_id) if which == "scale" else []
        intervals = decisions.intervals_of(session, patient_id) if which == "interval" else []
        written = notes.count(session, patient_id)
    auditing.viewed("decisions", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "NEWS2 scale" if which == "scale" else "How often to observe"
    return pages.answer(
        TEMPLATES[which],
        f"Error: {title}" if form.errors else title,
        status=status,
        form=form,
        frame=frame(actor, place, notes_written=written),
        card=card,
        asks_again=status != 200 and not form.errors,
        scales=scales,
        intervals=intervals,
        minutes=decisions.INTERVALS_MIN,
        hours=UNTIL_H,
        until=_until(form, now),
        now=now,
    )


def _until(form: DecisionForm, now: datetime) -> datetime:
    return now + timedelta(hours=form.hours)
