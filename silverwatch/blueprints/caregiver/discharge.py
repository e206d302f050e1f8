"""Discharge a patient: what ends with the stay is shown before. `/patients/<id>/discharge`"""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.blueprints.caregiver.transfer import movable, seen
from silverwatch.domain.access import Permission
from silverwatch.domain.admissions import leaving
from silverwatch.domain.alerts import limit_card, present
from silverwatch.domain.devices.wearing import worn_by
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.records import notes
from silverwatch.web import auditing, fields, gates, login, pages
from silverwatch.web.hypermedia import see

URL: Final = "/patients/<uuid:patient_id>/discharge"


@dataclass(frozen=True, slots=True, kw_only=True)
class DischargeForm:
    """Where the patient goes, and that it is meant, as it was sent."""

    because: str = ""
    sure: bool = False
    errors: dict[str, str] = field(default_factory=dict)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=discharge_form)
    blueprint.add_url_rule(URL, view_func=discharge_patient, methods=["POST"])


@gates.need(Permission.MOVE_PATIENTS)
def discharge_form(patient_id: UUID) -> Response:
    """What ends with it?"""
    return _page(patient_id, DischargeForm())


@gates.need(Permission.MOVE_PATIENTS)
def discharge_patient(patient_id: UUID) -> Response:
    """The patient lies nowhere from now on, and wears nothing of ours."""
    sent = request.form
    form = DischargeForm(because=sent.get("because", "")[:20], sure=sent.get("sure") == "yes")
    if form.because not in leaving.REASONS:
        form.errors["because"] = "Choose where the patient goes."
    if not form.sure:
        form.errors["sure"] = "Tick that the patient leaves."
    slug, act_id = "", None
    try:
        with db.transaction() as session:
            place = movable(session, patient_id)
            slug = place.ward_slug or ""
            if not form.errors:
                act_id = leaving.discharge(
                    session, login.actor(), patient_id=patient_id, seen=seen(place), because=form.because,
                    devices_seen=fields.identities(sent, "device"), now=clock.now(),
                ).move.act_id  # fmt: skip
    except ConflictError as error:
        form.errors["form"] = str(error)
    return _page(patient_id, form) if form.errors else see(f"/ward/{slug}/beds?done={act_id}")


def _page(patient_id: UUID, form: DischargeForm) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = movable(session, patient_id)
        worn = worn_by(session, [patient_id], at=now)
        strip = present.strips(session, [patient_id], now)[patient_id]
        limits = limit_card.limit_card(session, patient_id, now=now)
        written = notes.count(session, patient_id)
    auditing.viewed("patient", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "Discharge"
    return pages.answer(
        "caregiver/discharge.html",
        f"Error: {title}" if form.errors else title,
        status=422 if form.errors else 200,
        frame=frame(actor, place, notes_written=written),
        worn=worn,
        strip=strip,
        limits=limits,
        reasons=leaving.REASONS,
        form=form,
        now=now,
    )
