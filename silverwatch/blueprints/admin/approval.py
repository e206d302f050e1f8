"""Approving who registered as a patient: the record is found by its number, looked at, and only then opened."""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, current_app, request

from silverwatch import clock, db
from silverwatch.blueprints.admin import forms
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts import directory, people
from silverwatch.domain.accounts.directory import State
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError
from silverwatch.domain.records.models import Patient
from silverwatch.domain.records.queries import patient_by_number
from silverwatch.web import auditing, fields, gates, letters, login, pages

URL: Final = "/admin/users/<uuid:account_id>/approval"
NUMBER: Final = "hospital_number"
UNKNOWN: Final = "No patient has this hospital number. Check it on the wristband or in the record."


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=approval_form)
    blueprint.add_url_rule(URL, view_func=approve, methods=["POST"])


@gates.need(Permission.MANAGE_USERS, step_up=True)
def approval_form(account_id: UUID) -> Response:
    """Ask for the hospital number."""
    return _form(account_id)


@gates.need(Permission.MANAGE_USERS, step_up=True)
def approve(account_id: UUID) -> Response:
    """Show whose record it is; the second time, with the same patient, approve."""
    number = fields.line(request.form, NUMBER, most=forms.MAX_NUMBER)
    with db.transaction(read_only=True) as session:
        patient = patient_by_number(session, number)
    if patient is None:
        error = UNKNOWN if number else "Enter the hospital number of this patient."
        return _form(account_id, number=number, errors={NUMBER: error}, status=422)
    if fields.identity(request.form.get("confirmed")) != patient.id:
        return _form(account_id, number=number, patient=patient)
    actor, now = login.actor(), clock.now()
    try:
        with db.transaction() as session:
            people.approve_patient(
                session,
                by=actor,
                account_id=account_id,
                patient_id=patient.id,
                base_url=current_app.extensions["config"].base_url,
                now=now,
                tell=letters.tell,
            )
    except NotFoundError:
        raise
    except DomainError as error:
        status = 409 if isinstance(error, ConflictError) else 422
        return _form(account_id, number=number, errors={NUMBER: str(error)}, status=status)
    return forms.see(f"/admin/users/{account_id}?done=approval")


def _form(
    account_id: UUID,
    *,
    number: str = "",
    patient: Patient | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    with db.transaction(read_only=True) as session:
        person = directory.person(session, account_id)
    if person.state is not State.APPROVAL:
        patient = None
    if patient is not None:
        auditing.viewed("approval of an account", patient_ids=[patient.id])
    title = "Approve account"
    return pages.answer(
        "admin/approve.html",
        f"Error: {title}" if errors else title,
        status=status,
        person=person,
        number=number,
        patient=patient,
        errors=errors or {},
    )
