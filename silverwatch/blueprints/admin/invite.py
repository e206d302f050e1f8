"""Inviting somebody: who it is, what they will be, and where. A patient's record is looked at before it is opened."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, current_app, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.blueprints.admin import forms
from silverwatch.blueprints.admin.approval import NUMBER, UNKNOWN
from silverwatch.domain.access import PEOPLE, Permission, Role
from silverwatch.domain.accounts import directory, entries, people
from silverwatch.domain.errors import ConflictError, DomainError
from silverwatch.domain.records.models import Patient
from silverwatch.domain.records.queries import patient_by_number
from silverwatch.domain.wards.queries import all_wards
from silverwatch.web import auditing, fields, gates, letters, login, pages

URL: Final = "/admin/users/invite"
OF_WARDS: Final = (Role.CAREGIVER, Role.TECHNICIAN)
"""Who sees nothing at all without a ward."""


@dataclass(slots=True, kw_only=True)
class Form:
    """The form as it was sent; `errors` maps a field to what to do about it."""

    email: str = ""
    name: str = ""
    role: Role | None = None
    ward_ids: list[UUID] = field(default_factory=list)
    hospital_number: str = ""
    patient: Patient | None = None
    errors: dict[str, str] = field(default_factory=dict)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=invitation_form)
    blueprint.add_url_rule(URL, view_func=invite, methods=["POST"])


@gates.need(Permission.MANAGE_USERS, step_up=True)
def invitation_form() -> Response:
    """Ask whom to invite."""
    return _page(Form())


@gates.need(Permission.MANAGE_USERS, step_up=True)
def invite() -> Response:
    """Send an invitation."""
    with db.transaction(read_only=True) as session:
        form = _read(session)
    if form.errors:
        return _page(form, status=422)
    if form.patient and fields.identity(request.form.get("confirmed")) != form.patient.id:
        return _page(form, check=True)
    try:
        with db.transaction() as session:
            account_id = _invite(session, form)
    except DomainError as error:
        form.errors[_field(error, form)] = str(error)
        return _page(form, status=422)
    return forms.see(f"/admin/users/{account_id}?done=invitation")


def _read(session: Session) -> Form:
    sent = request.form
    form = Form(
        email=fields.line(sent, "email", most=entries.MAX_EMAIL),
        name=fields.line(sent, "name", most=entries.MAX_NAME),
        role=forms.role(sent.get("role")),
        hospital_number=fields.line(sent, NUMBER, most=forms.MAX_NUMBER),
    )
    for name, check, written in (
        ("name", entries.name_of, form.name),
        ("email", entries.email_of, form.email),
    ):
        try:
            check(written)
        except DomainError as error:
            form.errors[name] = str(error)
    if form.role is None:
        form.errors["role"] = "Choose what this person will be."
    elif form.role is Role.PATIENT:
        form.patient = patient_by_number(session, form.hospital_number)
        if form.patient is None:
            form.errors[NUMBER] = (
                UNKNOWN if form.hospital_number else "Enter the hospital number of this patient."
            )
    else:
        form.ward_ids, error_of_wards = forms.ward_ids(sent, all_wards(session))
        if error_of_wards:
            form.errors["ward"] = error_of_wards
        elif form.role in OF_WARDS and not form.ward_ids:
            form.errors["ward"] = "Choose at least one ward: without one this person sees nothing."
    return form


def _invite(session: Session, form: Form) -> UUID:
    if form.role is None:
        raise DomainError("Choose a role.")
    account = people.invite(
        session,
        by=login.actor(),
        email=form.email,
        role=form.role,
        name=form.name,
        ward_ids=form.ward_ids,
        patient_id=form.patient.id if form.patient else None,
        base_url=current_app.extensions["config"].base_url,
        now=clock.now(),
        tell=letters.tell,
    )
    return account.id


def _field(error: DomainError, form: Form) -> str:
    """Where on the form a refusal belongs."""
    if not isinstance(error, ConflictError):
        return "form"
    with db.transaction(read_only=True) as session:
        in_use = directory.is_in_use(session, form.email)
    return "email" if in_use or form.patient is None else NUMBER


def _page(form: Form, *, check: bool = False, status: int = 200) -> Response:
    with db.transaction(read_only=True) as session:
        wards = all_wards(session)
    if check and form.patient:
        auditing.viewed("invitation of a patient", patient_ids=[form.patient.id])
    title = "Invite a person"
    return pages.answer(
        "admin/invite.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        form=form,
        check=check,
        wards=wards,
        roles=PEOPLE,
    )
