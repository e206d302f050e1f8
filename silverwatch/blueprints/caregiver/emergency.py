"""Break-glass: opening a foreign record in an emergency."""

from dataclasses import dataclass, field
from math import ceil
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request
from werkzeug.datastructures import MultiDict

from silverwatch import clock, db
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts import emergency
from silverwatch.domain.errors import DomainError, NotFoundError
from silverwatch.web import gates, letters, login, pages

URL: Final = "/emergency-access"
MIN_REASON, MAX_REASON = emergency.REASON.start, emergency.REASON.stop - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyForm:
    """The form as it was sent, without the password. `errors` maps a field (or "form") to what to do about it."""

    hospital_number: str = ""
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=emergency_form)
    blueprint.add_url_rule(URL, view_func=begin_emergency, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/<uuid:access_id>/end", view_func=end_emergency, methods=["POST"])


@gates.need(Permission.OPEN_IN_EMERGENCY)
def emergency_form() -> Response:
    """Whose record, and why?"""
    return _page(EmergencyForm())


@gates.need(Permission.OPEN_IN_EMERGENCY)
def begin_emergency() -> Response:
    """Open the record for an hour."""
    found, now = login.session_of_view(), clock.now()
    form, password = _read(request.form)
    if form.errors:
        return _page(form, status=422)
    with db.transaction() as session:
        wrong = emergency.check(session, found, password=password, now=now)
    if isinstance(wrong, float):
        minutes = ceil(wrong / 60)
        form.errors["form"] = (
            f"Too many tries. Wait {minutes} min and try again, or ask a caregiver of that ward."
        )
        answer = _page(form, status=429)
        answer.headers["Retry-After"] = str(ceil(wrong))
        return answer
    if wrong == "ended":
        login.end()
        return make_response(redirect("/login?because=tries", 303))
    if wrong is not None:
        form.errors["password"] = "This is not your password. Try again."
        return _page(form, status=422)
    return _begin(form)


@gates.need(Permission.OPEN_IN_EMERGENCY)
def end_emergency(access_id: UUID) -> Response:
    """End it before its time."""
    actor = login.actor()
    with db.transaction() as session:
        emergency.end(session, actor=actor, access_id=access_id, now=clock.now())
    return make_response(redirect(actor.home, 303))


def _begin(form: EmergencyForm) -> Response:
    """Whoever asks is who they say. What is refused now is in the audit as well."""
    try:
        with db.transaction() as session:
            begun = emergency.begin(
                session,
                actor=login.actor(),
                hospital_number=form.hospital_number,
                reason=form.reason,
                now=clock.now(),
                tell=letters.tell,
            )
    except DomainError as error:
        unknown = isinstance(error, NotFoundError)
        with db.transaction() as session:
            because = "unknown number" if unknown else "reason"
            audit.record(session, emergency.BEGUN, outcome="refused", detail={"because": because})
        form.errors["hospital_number" if unknown else "reason"] = str(error)
        return _page(form, status=422)
    return make_response(redirect(f"/patients/{begun.patient_id}", 303))


def _read(sent: MultiDict[str, str]) -> tuple[EmergencyForm, str]:
    number = " ".join(sent.get("hospital_number", "").replace("\0", "").split())
    # Browsers count a line break as one sign and send two.
    reason = sent.get("reason", "").replace("\0", "").replace("\r\n", "\n").strip()
    password = sent.get("password", "")
    form = EmergencyForm(hospital_number=number[: emergency.MAX_NUMBER + 1], reason=reason[: MAX_REASON + 1])
    if not number:
        form.errors["hospital_number"] = "Enter the hospital number of the patient."
    if len(reason) not in emergency.REASON:
        form.errors["reason"] = (
            f"Say in {MIN_REASON} to {MAX_REASON} characters why you need this record now."
        )
    if not password:
        form.errors["password"] = "Enter your password."
    return form, password


def _page(form: EmergencyForm, *, status: int = 200) -> Response:
    title = "Emergency access"
    return pages.answer(
        "caregiver/emergency.html", f"Error: {title}" if form.errors else title, status=status, form=form
    )
