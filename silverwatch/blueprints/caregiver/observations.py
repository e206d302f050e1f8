"""Observations by hand: what no device measures, and what a nurse checks herself."""

from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request
from werkzeug.datastructures import MultiDict

from silverwatch import clock, db
from silverwatch.domain import audit
from silverwatch.domain.access import Actor, Permission
from silverwatch.domain.alerts import queries
from silverwatch.domain.alerts.news_card import news_card
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.readings.intake import Outcome
from silverwatch.domain.readings.service import RacedError, racing, store_observation
from silverwatch.domain.readings.vitals import ACVPU, BY_NAME, CONSCIOUSNESS
from silverwatch.web import auditing, gates, login, pages
from silverwatch.web.ringing import ringer
from silverwatch.web.views import ObservationForm

FIELDS = (
    "respiratory_rate",
    "oxygen_saturation",
    "supplemental_oxygen",
    "systolic_bp",
    "diastolic_bp",
    "heart_rate",
    "temperature",
)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    url = "/patients/<uuid:patient_id>/observations"
    blueprint.add_url_rule(f"{url}/new", view_func=observation_form)
    blueprint.add_url_rule(url, view_func=record_observation, methods=["POST"])


@gates.need(Permission.RECORD_OBSERVATIONS)
def observation_form(patient_id: UUID) -> Response:
    """Ask for a set of observations."""
    return _form(patient_id, ObservationForm(form_id=clock.new_id()))


@gates.need(Permission.RECORD_OBSERVATIONS)
def record_observation(patient_id: UUID) -> Response:
    """Store a set, exactly once by the form's own id, however often it is sent."""
    actor, now = login.actor(), clock.now()
    form, values = _read(request.form, now)
    with db.transaction(read_only=True) as session:
        place = queries.patient_for(session, actor, patient_id, now=now)
    if not form.errors:
        outcome = _store(patient_id, form, values, received_at=now)
        if outcome.stored:
            with db.transaction() as session:
                detail = {"vitals": sorted(values), "form": str(form.form_id)}
                audit.record(session, "observations.recorded", patient_ids=[patient_id], detail=detail)
        if not outcome.rejected:
            return make_response(redirect(_back(actor, place), 303))
        for refusal in (item.refusal for item in outcome.rejected):
            form.errors[refusal.field or "form"] = _advice(refusal.field, refusal.detail)
    return _form(patient_id, form, status=422)


def _store(
    patient_id: UUID, form: ObservationForm, values: dict[str, float | str], *, received_at: datetime
) -> Outcome:
    for _ in range(3):
        try:
            with racing(), db.cursor() as cur:
                outcome = store_observation(
                    cur,
                    patient_id=patient_id,
                    source_id=form.form_id,
                    measured_at=form.measured_at or received_at,
                    values=values,
                    received_at=received_at,
                    entered_by=login.actor().account_id,
                )
        except RacedError:
            continue
        ringer().readings_stored()
        return outcome
    raise ConflictError("The same form is being stored. Look at the board before you send it again.")


def _read(sent: MultiDict[str, str], now: datetime) -> tuple[ObservationForm, dict[str, float | str]]:
    values: dict[str, float | str] = {}
    form = ObservationForm(
        form_id=_form_id(sent), values=dict(sent.items()), measured_at=_measured_at(sent, now)
    )
    for name in FIELDS:
        written = sent.get(name, "").strip().replace(",", ".")
        if not written:
            continue
        try:
            values[name] = float(written)
        except ValueError:
            form.errors[name] = f"Enter a number for {BY_NAME[name].label}, such as 12.5."
    if sent.get(CONSCIOUSNESS):
        if sent[CONSCIOUSNESS] in ACVPU:
            values[CONSCIOUSNESS] = sent[CONSCIOUSNESS]
        else:
            form.errors[CONSCIOUSNESS] = "Choose one of the five levels."
    if not values and not form.errors:
        form.errors["form"] = "Enter at least one value."
    return form, values


def _form_id(sent: MultiDict[str, str]) -> UUID:
    try:
        return UUID(sent.get("form_id", ""))
    except ValueError:
        return clock.new_id()


def _measured_at(sent: MultiDict[str, str], now: datetime) -> datetime:
    """The moment that the form carries, so that a resend is the same set; a person's form has none at first."""
    try:
        at = datetime.fromisoformat(sent.get("measured_at", ""))
    except ValueError:
        return now
    return at if at.tzinfo is not None else now


def _back(actor: Actor, place: queries.Place) -> str:
    """To the board of the own ward; a patient of another one has only a page."""
    return f"/ward/{place.ward_slug}" if place.ward_id in actor.ward_ids else f"/patients/{place.patient.id}"


def _advice(field: str | None, detail: str) -> str:
    label = BY_NAME[field].label if field in BY_NAME else "This set"
    return f"{label}: {detail}. Check the value and enter it again."


def _form(patient_id: UUID, form: ObservationForm, *, status: int = 200) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = queries.patient_for(session, actor, patient_id, now=now)
        card = news_card(session, patient_id, now=now)
    auditing.viewed("observations", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "Record observations"
    return pages.answer(
        "caregiver/observations.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        form=form,
        place=place,
        news_card=card,
        back=_back(actor, place),
        fields=[BY_NAME[name] for name in FIELDS],
        levels=ACVPU,
        now=now,
    )
