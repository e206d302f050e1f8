"""The medications of a patient at `/patients/<id>/medications`: added, changed by a new version, stopped."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.blueprints.caregiver import medication_form as forms
from silverwatch.blueprints.caregiver.medication_form import MedicationForm
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.blueprints.caregiver.record import keepable
from silverwatch.domain.access import Permission, may_keep_record, may_keep_rounds
from silverwatch.domain.alerts import reach
from silverwatch.domain.alerts.reach import Place
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.records import doses, due_doses, medications, notes
from silverwatch.domain.records.medication_list import Listed, list_of
from silverwatch.domain.records.medications import MedicationView
from silverwatch.web import auditing, fields, gates, login, pages

URL: Final = "/patients/<uuid:patient_id>/medications"
ONE: Final = f"{URL}/<uuid:medication_id>"
REASON: Final = range(3, 201)
"""So many characters a reason has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopForm:
    """The reason to stop a medication, as it was sent."""

    because: str
    errors: dict[str, str]


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    add = blueprint.add_url_rule
    add(URL, view_func=medication_list)
    add(f"{URL}/new", view_func=new_medication)
    add(URL, view_func=add_medication, methods=["POST"])
    add(ONE, view_func=medication)
    add(f"{ONE}/change", view_func=medication_change)
    add(f"{ONE}/change", view_func=change_medication, methods=["POST"])
    add(f"{ONE}/stop", view_func=medication_end)
    add(f"{ONE}/stop", view_func=stop_medication, methods=["POST"])


@gates.need(Permission.SEE_PATIENT)
def medication_list(patient_id: UUID) -> Response:
    """What is this patient given, and what is next?"""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        found = list_of(session, patient_id, now=now, zone=clock.site_zone())
        written = notes.count(session, patient_id)
    auditing.viewed("medications", patient_ids=[patient_id], ward_id=place.ward_id)
    return pages.answer(
        "caregiver/medications.html",
        "Medications",
        frame=frame(actor, place, notes_written=written),
        found=found,
        clashes=_clashes(place, found.present),
        may_keep=may_keep_record(actor, patient_id, ward_id=place.ward_id),
        may_record=may_keep_rounds(actor, patient_id, ward_id=place.ward_id),
        undo_since=now - doses.UNDO,
        account_id=actor.account_id,
        now=now,
    )


@gates.need(Permission.KEEP_RECORD)
def new_medication(patient_id: UUID) -> Response:
    """What is the patient to be given?"""
    return _form(patient_id, forms.empty(clock.now()))


@gates.need(Permission.KEEP_RECORD)
def add_medication(patient_id: UUID) -> Response:
    """Keep it. A name in which an allergy of the patient stands is looked at twice."""
    actor, now = login.actor(), clock.now()
    form = forms.read(request.form, now=now)
    with db.transaction() as session:
        place = keepable(session, patient_id)
        named = "; ".join(medications.allergies_named(form.name, place.allergies or ()))
        ready = form.plan is not None and named in ("", form.confirmed)
        if ready and form.plan is not None and form.from_at is not None:
            medications.add(
                session, actor, medication_id=form.form_id, patient_id=patient_id, name=form.name, plan=form.plan,
                from_at=form.from_at, despite=named, now=now,
            )  # fmt: skip
    if not ready:
        return _form(patient_id, form, look=named if form.plan else "", status=422)
    return make_response(redirect(f"/patients/{patient_id}/medications", 303))


@gates.need(Permission.SEE_PATIENT)
def medication(patient_id: UUID, medication_id: UUID) -> Response:
    """How was it given, and how was it changed?"""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        found = medications.view(session, patient_id, medication_id)
        given = due_doses.recorded(session, [patient_id], since=now - doses.BACK, medication_id=medication_id)
        written = notes.count(session, patient_id)
    auditing.viewed("medications", patient_ids=[patient_id], ward_id=place.ward_id)
    return pages.answer(
        "caregiver/medication.html",
        "Medication",
        frame=frame(actor, place, notes_written=written),
        medication=found,
        recorded=given,
        may_record=may_keep_rounds(actor, patient_id, ward_id=place.ward_id),
        clashes=medications.allergies_named(found.name, place.allergies or ()),
        may_keep=may_keep_record(actor, patient_id, ward_id=place.ward_id),
        now=now,
    )


@gates.need(Permission.KEEP_RECORD)
def medication_change(patient_id: UUID, medication_id: UUID) -> Response:
    """What holds now, and what is to hold?"""
    now = clock.now()
    with db.transaction(read_only=True) as session:
        keepable(session, patient_id)
        found = medications.view(session, patient_id, medication_id)
        listed = list_of(session, patient_id, now=now, zone=clock.site_zone(), only=medication_id)
    row = next(iter(listed.present), None)
    form = forms.of_medication(found, next_at=row.next_at if row else None, now=now)
    return _form(patient_id, form, stands=found)


@gates.need(Permission.KEEP_RECORD)
def change_medication(patient_id: UUID, medication_id: UUID) -> Response:
    """Add a version; what held before stays readable."""
    actor, now = login.actor(), clock.now()
    with db.transaction() as session:
        keepable(session, patient_id)
        row = medications.locked(session, patient_id, medication_id)
        found = medications.view(session, patient_id, medication_id)
        form = forms.read(request.form, now=now, stands=found)
        if form.plan is not None and form.from_at is not None:
            try:
                medications.change(
                    session, actor, row, seen=form.seen, plan=form.plan, from_at=form.from_at, now=now
                )
            except ConflictError as error:
                form.errors["form"] = str(error)
    if form.errors:
        return _form(patient_id, form, stands=found, status=422)
    return make_response(redirect(f"/patients/{patient_id}/medications", 303))


@gates.need(Permission.KEEP_RECORD)
def medication_end(patient_id: UUID, medication_id: UUID) -> Response:
    """Why is it not given any more?"""
    return _ending(patient_id, medication_id, StopForm(because="", errors={}))


@gates.need(Permission.KEEP_RECORD)
def stop_medication(patient_id: UUID, medication_id: UUID) -> Response:
    """Stop it; what was given stays readable."""
    because = fields.line(request.form, "because", most=REASON.stop)
    if len(because) not in REASON:
        errors = {"because": f"Say why in {REASON.start} to {REASON.stop - 1} characters."}
        return _ending(patient_id, medication_id, StopForm(because=because, errors=errors), status=422)
    with db.transaction() as session:
        keepable(session, patient_id)
        row = medications.locked(session, patient_id, medication_id)
        medications.stop(session, login.actor(), row, because=because, now=clock.now())
    return make_response(redirect(f"/patients/{patient_id}/medications", 303))


def _clashes(place: Place, present: list[Listed]) -> dict[UUID, list[str]]:
    """Medication id to the allergies that its name says, also those that were added to the record later."""
    allergies = place.allergies or ()
    found = {
        row.medication.id: medications.allergies_named(row.medication.name, allergies) for row in present
    }
    return {medication_id: named for medication_id, named in found.items() if named}


def _form(
    patient_id: UUID,
    form: MedicationForm,
    *,
    stands: MedicationView | None = None,
    look: str = "",
    status: int = 200,
) -> Response:
    with db.transaction(read_only=True) as session:
        place = keepable(session, patient_id)
        written = notes.count(session, patient_id)
    auditing.viewed("medications", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "Change a medication" if stands else "Add a medication"
    return pages.answer(
        "caregiver/medication_form.html",
        f"Error: {title}" if form.errors or look else title,
        status=status,
        frame=frame(login.actor(), place, notes_written=written),
        form=form,
        stands=stands,
        look=look,
        heading=title,
        choices=forms.CHOICES,
    )


def _ending(patient_id: UUID, medication_id: UUID, form: StopForm, *, status: int = 200) -> Response:
    now: datetime = clock.now()
    with db.transaction(read_only=True) as session:
        place = keepable(session, patient_id)
        found = medications.view(session, patient_id, medication_id)
        written = notes.count(session, patient_id)
    auditing.viewed("medications", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "Stop a medication"
    return pages.answer(
        "caregiver/medication_stop.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        frame=frame(login.actor(), place, notes_written=written),
        medication=found,
        form=form,
        now=now,
    )
