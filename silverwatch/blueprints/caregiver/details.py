"""Who a patient is: registered, after a look at who is there already, and corrected."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.finding import URL as PATIENTS
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.blueprints.caregiver.record import day_of, keepable, today
from silverwatch.domain.access import Permission
from silverwatch.domain.admissions import merge_views
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.records import details, details_rules, notes
from silverwatch.domain.records.details import Alike
from silverwatch.domain.records.details_rules import Details
from silverwatch.domain.records.models import Patient
from silverwatch.web import auditing, fields, gates, login, pages

URL: Final = "/patients/<uuid:patient_id>/details"


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailsForm:
    """Who a patient is, as it was sent. `born_on` is 1948-03-14."""

    hospital_number: str = ""
    family_name: str = ""
    given_name: str = ""
    title: str = ""
    born_on: str = ""
    sex: str = ""
    phone: str = ""
    address: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    add = blueprint.add_url_rule
    add(f"{PATIENTS}/new", view_func=register_form)
    add(PATIENTS, view_func=register_patient, methods=["POST"])
    add(URL, view_func=details_form)
    add(URL, view_func=change_details, methods=["POST"])


@gates.need(Permission.REGISTER_PATIENTS)
def register_form() -> Response:
    """A patient who is not here yet."""
    return _registering(DetailsForm())


@gates.need(Permission.REGISTER_PATIENTS)
def register_patient() -> Response:
    """Register them; who looks like somebody who is here already is shown first."""
    form, found = read(request.form)
    if found is None:
        return _registering(form, status=422)
    patient_id = None
    with db.transaction() as session:
        known = details.possible_duplicates(session, found)
        same = [patient for patient in known if patient.hospital_number == found.hospital_number]
        try:
            if same or not known or request.form.get("sure") == "yes":
                patient_id = details.register(session, login.actor(), found, now=clock.now()).id
        except ConflictError as error:
            form.errors["hospital_number"] = str(error)
    if patient_id is None:
        return _registering(form, known=[] if form.errors else known, status=422)
    return make_response(redirect(f"/patients/{patient_id}/record", 303))


@gates.need(Permission.KEEP_RECORD)
def details_form(patient_id: UUID) -> Response:
    """Correct who it is."""
    with db.transaction(read_only=True) as session:
        keepable(session, patient_id)
        stands = details.details_of(session.get_one(Patient, patient_id))
    form = DetailsForm(
        hospital_number=stands.hospital_number,
        family_name=stands.family_name,
        given_name=stands.given_name,
        title=stands.title,
        born_on=stands.born_on.isoformat(),
        sex=stands.sex,
        phone=stands.phone,
        address=stands.address,
    )
    return _changing(patient_id, form)


@gates.need(Permission.KEEP_RECORD)
def change_details(patient_id: UUID) -> Response:
    """Keep the correction, and what was there before."""
    form, found = read(request.form)
    with db.transaction() as session:
        keepable(session, patient_id)
        try:
            if found is not None:
                details.change(session, login.actor(), patient_id, found, now=clock.now())
        except ConflictError as error:
            form.errors["hospital_number"] = str(error)
    if form.errors:
        return _changing(patient_id, form, status=422)
    return make_response(redirect(f"/patients/{patient_id}/record", 303))


def read(sent: fields.Sent) -> tuple[DetailsForm, Details | None]:
    """The form as it was sent, and what it says; None when something is missing or wrong, with errors in the form."""
    written: dict[str, Any] = {
        name: fields.line(sent, name, most=details_rules.most_of(name)) for name in details_rules.TEXTS
    }
    form = DetailsForm(**written, born_on=fields.line(sent, "born_on", most=10))
    found, errors = details_rules.check(written, born_on=day_of(form.born_on), today=today())
    form.errors.update(errors)
    return form, found


def _registering(form: DetailsForm, *, known: Sequence[Alike] = (), status: int = 200) -> Response:
    mine: set[UUID] = set()
    if known:
        with db.transaction(read_only=True) as session:
            mine = merge_views.theirs(session, login.actor(), [patient.id for patient in known])
        # They may lie in anybody's ward: that they were named here is on record.
        auditing.viewed("possible duplicates", patient_ids=[patient.id for patient in known])
    title = "Register a patient"
    return pages.answer(
        "caregiver/register.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        form=form,
        known=known,
        mine=mine,
        sexes=details_rules.SEXES,
    )


def _changing(patient_id: UUID, form: DetailsForm, *, status: int = 200) -> Response:
    with db.transaction(read_only=True) as session:
        place = keepable(session, patient_id)
        written = notes.count(session, patient_id)
    auditing.viewed("record", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "Change the details"
    return pages.answer(
        "caregiver/details.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        frame=frame(login.actor(), place, notes_written=written),
        form=form,
        sexes=details_rules.SEXES,
    )
