"""Admit a patient who lies in no bed: choose who and where. `/ward/<slug>/admission`"""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.admissions import moving, queries
from silverwatch.domain.admissions.moving import Target
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.wards.queries import ward_by_slug
from silverwatch.web import auditing, fields, gates, login, pages
from silverwatch.web.hypermedia import see

URL: Final = "/ward/<slug>/admission"
HOME: Final = "home"
PATIENT_ID: Final = "patient"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionForm:
    """Who and where, as it was sent: ids, or "home" for a place at home."""

    patient: str = ""
    bed: str = ""
    search: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=admission_form)
    blueprint.add_url_rule(URL, view_func=admit_patient, methods=["POST"])


@gates.need(Permission.MOVE_PATIENTS)
def admission_form(slug: str) -> Response:
    """Who comes, and to which bed?"""
    return _page(slug, _read(request.args))


@gates.need(Permission.MOVE_PATIENTS)
def admit_patient(slug: str) -> Response:
    """The patient lies there from now on."""
    form, actor, now = _read(request.form), login.actor(), clock.now()
    patient_id, bed_id = fields.identity(form.patient), fields.identity(form.bed)
    if bed_id is None and form.bed != HOME:
        form.errors["bed"] = "Choose a free bed, or at home."
    act_id = None
    try:
        with db.transaction() as session:
            ward = ward_by_slug(session, actor, slug)
            # Only who was found can be chosen: an id alone says nothing of who is meant.
            found = queries.candidates(session, actor, form.search, now=now)
            if patient_id is None or patient_id not in {item.patient.id for item in found}:
                form.errors["patient"] = "Choose the patient."
            elif not form.errors:
                to = Target(ward_id=ward.id, bed_id=bed_id)
                act_id = moving.admit(session, actor, patient_id=patient_id, to=to, now=now).act_id
    except ConflictError as error:
        form.errors["bed"] = str(error)
    return _page(slug, form) if form.errors else see(f"/ward/{slug}/beds?done={act_id}")


def _read(sent: fields.Sent) -> AdmissionForm:
    return AdmissionForm(
        patient=sent.get("patient", "")[:36],
        bed=sent.get("bed", "")[:36],
        search=fields.line(sent, "q", most=queries.MAX_SEARCH)[: queries.MAX_SEARCH],
    )


def _page(slug: str, form: AdmissionForm) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        ward = ward_by_slug(session, actor, slug)
        free = queries.free_beds(session, [ward.id])[0]
        found = queries.candidates(session, actor, form.search, now=now)
    shown: list[UUID] = [item.patient.id for item in found]
    auditing.viewed("admission", patient_ids=shown, ward_id=ward.id, part=True)
    title = "Admit a patient"
    return pages.answer(
        "caregiver/admission.html",
        f"Error: {title}" if form.errors else title,
        status=422 if form.errors else 200,
        ward=ward,
        free=free,
        found=found,
        form=form,
    )
