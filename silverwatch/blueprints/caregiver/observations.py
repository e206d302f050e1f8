"""Observations by hand: what no device measures, and what a nurse checks herself."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.blueprints.caregiver import observation_form as forms
from silverwatch.blueprints.caregiver import observation_looks as looks
from silverwatch.blueprints.caregiver.observation_form import ObservationForm
from silverwatch.blueprints.caregiver.observation_undo import offer
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.domain import audit
from silverwatch.domain.access import Actor, Permission
from silverwatch.domain.alerts import reach, undoing
from silverwatch.domain.alerts.layers import limits_of
from silverwatch.domain.alerts.news_card import latest_of, news_card
from silverwatch.domain.alerts.unusual import Unusual, unusual
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.readings.intake import Outcome
from silverwatch.domain.readings.service import RacedError, racing, store_observation
from silverwatch.domain.readings.unit_choices import units_of
from silverwatch.domain.readings.vitals import ACVPU, BY_NAME
from silverwatch.domain.records import notes
from silverwatch.web import auditing, gates, login, pages
from silverwatch.web.hypermedia import partials
from silverwatch.web.ringing import ringer
from silverwatch.web.templating import render


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    url = "/patients/<uuid:patient_id>/observations"
    blueprint.add_url_rule(f"{url}/new", view_func=observation_form)
    blueprint.add_url_rule(f"{url}/preview", view_func=preview_score, methods=["POST"])
    blueprint.add_url_rule(url, view_func=record_observation, methods=["POST"])


@gates.need(Permission.RECORD_OBSERVATIONS)
def observation_form(patient_id: UUID) -> Response:
    """Ask for a set of observations."""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        chosen = units_of(session, actor.account_id)
    back = pages.local_path(request.args.get("next")) or _back(actor, place)
    return _page(patient_id, forms.empty(chosen, now=now, back=back))


@gates.need(Permission.RECORD_OBSERVATIONS)
def preview_score(patient_id: UUID) -> Response:
    """What each value looks like and what NEWS2 would say, with what is typed so far; nothing is kept."""
    actor, now = login.actor(), clock.now()
    form = forms.read(request.form, now=now, back="")
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        card = news_card(session, patient_id, now=now, entered=looks.possible(form.values))
        found = _looks(session, patient_id, form, now=now)
    auditing.viewed("observations", patient_ids=[patient_id], ward_id=place.ward_id)
    reader = pages.audience(login.session_of_view())
    preview = render("caregiver/_score_preview.html", reader, score_preview=card, now=now)
    lines = (
        (f"look-{name}", render("caregiver/_look.html", reader, name=name, form=form, looks=found))
        for name in looks.FIELDS
    )
    return partials([("score-preview", preview), *lines])


@gates.need(Permission.RECORD_OBSERVATIONS)
def record_observation(patient_id: UUID) -> Response:
    """Store a set, exactly once by the form's own id, however often it is sent."""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        limits = limits_of(session, [patient_id], now=now)[patient_id]
        latest = latest_of(session, patient_id)
    back = pages.local_path(request.form.get("next")) or _back(actor, place)
    form = forms.read(request.form, now=now, back=back)
    if not form.values and not form.errors:
        form.errors["form"] = "Enter at least one value."
    if form.errors or _was_undone(patient_id, form, now=now):
        return _page(patient_id, form, status=422)
    looked = unusual(form.values, limits=limits, latest=latest, now=now)
    if looks.unconfirmed(form, looked):
        form.errors.update(looks.impossible(form))
        return _page(patient_id, form, looked=() if form.errors else looked, status=422)
    outcome = _store(patient_id, form, looked, actor=actor)
    _note(patient_id, form, outcome)
    for refusal in (item.refusal for item in outcome.rejected):
        form.errors[refusal.field or "form"] = looks.advice(refusal, form.units)
    if form.errors:
        return _page(patient_id, form, status=422)
    offer((patient_id, form.measured_at, form.form_id), now=now)
    return make_response(redirect(back, 303))


def _was_undone(patient_id: UUID, form: ObservationForm, *, now: datetime) -> bool:
    """The form of a set that was taken back is asked about once; saved again, it is a new set."""
    with db.transaction(read_only=True) as session:
        if not undoing.is_undone(session, patient_id, form.form_id, since=now - forms.LATE * 2):
            return False
    form.form_id = clock.new_id()
    form.errors["form"] = "This set was undone. Look at the values, then save them again as a new set."
    return True


def _store(patient_id: UUID, form: ObservationForm, looked: list[Unusual], *, actor: Actor) -> Outcome:
    for _ in range(3):
        try:
            with racing(), db.cursor() as cur:
                outcome = store_observation(
                    cur,
                    patient_id=patient_id,
                    source_id=form.form_id,
                    measured_at=form.measured_at,
                    values=form.values,
                    received_at=clock.now(),
                    entered_by=actor.account_id,
                    confirmed=[item.vital for item in looked],
                )
        except RacedError:
            continue
        ringer().readings_stored()
        return outcome
    raise ConflictError("The same form is being stored. Look at the board before you send it again.")


def _note(patient_id: UUID, form: ObservationForm, outcome: Outcome) -> None:
    if outcome.stored:
        with db.transaction() as session:
            detail = {"vitals": sorted(form.values), "form": str(form.form_id)}
            audit.record(session, "observations.recorded", patient_ids=[patient_id], detail=detail)


def _looks(
    session: Session, patient_id: UUID, form: ObservationForm, *, now: datetime
) -> dict[str, looks.Look]:
    limits = limits_of(session, [patient_id], now=now)[patient_id]
    return looks.looks_of(form, limits=limits, latest=latest_of(session, patient_id), now=now)


def _back(actor: Actor, place: reach.Place) -> str:
    """To the board of the own ward; a patient of another one has only a page."""
    return f"/ward/{place.ward_slug}" if place.ward_id in actor.ward_ids else f"/patients/{place.patient.id}"


def _page(patient_id: UUID, form: ObservationForm, *, looked: Any = (), status: int = 200) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        entered = looks.possible(form.values) if status != 200 else {}
        card = news_card(session, patient_id, now=now, entered=entered)
        limits = limits_of(session, [patient_id], now=now)[patient_id].by_vital
        written = notes.count(session, patient_id)
        found = _looks(session, patient_id, form, now=now)
    auditing.viewed("observations", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "Record observations"
    return pages.answer(
        "caregiver/observations.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        form=form,
        frame=frame(actor, place, notes_written=written),
        looked=looked,
        looks=found,
        confirmed=" ".join(form.word(item.vital) for item in looked),
        score_preview=card,
        limits=limits,
        first=[BY_NAME[name] for name in forms.FIRST],
        then=[BY_NAME[name] for name in forms.THEN],
        levels=ACVPU,
        now=now,
    )
