"""The record of a patient: flags, allergies, conditions, surgeries, contacts. Nothing is removed, it is ended."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.domain.access import Permission, may_keep_record
from silverwatch.domain.admissions import merge_views
from silverwatch.domain.alerts import reach
from silverwatch.domain.alerts.reach import Place
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records import care_team, details, entries, medications, notes
from silverwatch.domain.records.models import Patient
from silverwatch.domain.records.queries import former_numbers
from silverwatch.web import auditing, fields, filters, gates, login, pages

URL: Final = "/patients/<uuid:patient_id>/record"
TITLES: Final = {
    "flag": "Set a flag",
    "allergy": "Add an allergy",
    "condition": "Add a condition",
    "surgery": "Add a surgery",
    "contact": "Add a contact",
}
MIN_REASON: Final = 3
WHAT: Final = {
    "flag": "Choose a flag.",
    "allergy": "Say to what the patient is allergic.",
    "condition": "Name the condition.",
    "surgery": "Name the surgery.",
    "contact": "Give the name of the contact.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryForm:
    """An entry as it was sent, or the reason to end one (`detail`). `form_id` makes a resend the same entry."""

    form_id: UUID
    what: str = ""
    detail: str = ""
    phone: str = ""
    happened_on: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    add = blueprint.add_url_rule
    add(URL, view_func=record)
    add(f"{URL}/<kind>/new", view_func=entry_form)
    add(f"{URL}/<kind>", view_func=add_entry, methods=["POST"])
    add(f"{URL}/no-allergies", view_func=no_allergies, methods=["POST"])
    add(f"{URL}/entries/<uuid:entry_id>/end", view_func=end_form)
    add(f"{URL}/entries/<uuid:entry_id>/end", view_func=end_entry, methods=["POST"])


@gates.need(Permission.SEE_PATIENT)
def record(patient_id: UUID) -> Response:
    """What is known of this patient?"""
    return _record(patient_id, {})


@gates.need(Permission.KEEP_RECORD)
def entry_form(patient_id: UUID, kind: str) -> Response:
    """Add something to the record."""
    return _form(patient_id, _known(kind), EntryForm(form_id=clock.new_id()))


@gates.need(Permission.KEEP_RECORD)
def add_entry(patient_id: UUID, kind: str) -> Response:
    """Keep it."""
    form, happened_on = _read(request.form, _known(kind))
    with db.transaction() as session:
        keepable(session, patient_id)
        try:
            if not form.errors:
                entries.add(
                    session, login.actor(), entry_id=form.form_id, patient_id=patient_id, kind=kind, what=form.what,
                    detail=form.detail, phone=form.phone, happened_on=happened_on, now=clock.now(),
                )  # fmt: skip
        except ConflictError as error:
            form.errors["what"] = str(error)
    if form.errors:
        return _form(patient_id, kind, form, status=422)
    return make_response(redirect(f"/patients/{patient_id}/record#{kind}", 303))


@gates.need(Permission.KEEP_RECORD)
def no_allergies(patient_id: UUID) -> Response:
    """The patient was asked: there are none."""
    entry_id = fields.identity(request.form.get("form_id")) or clock.new_id()
    errors = {}
    with db.transaction() as session:
        keepable(session, patient_id)
        try:
            entries.say_none(
                session, login.actor(), entry_id=entry_id, patient_id=patient_id, now=clock.now()
            )
        except ConflictError as error:
            errors["form"] = str(error)
    if errors:
        return _record(patient_id, errors, status=422)
    return make_response(redirect(f"/patients/{patient_id}/record#allergy", 303))


@gates.need(Permission.KEEP_RECORD)
def end_form(patient_id: UUID, entry_id: UUID) -> Response:
    """Why does it hold no longer?"""
    return _ending(patient_id, entry_id, EntryForm(form_id=entry_id))


@gates.need(Permission.KEEP_RECORD)
def end_entry(patient_id: UUID, entry_id: UUID) -> Response:
    """It holds no longer; it stays readable."""
    form = EntryForm(form_id=entry_id, detail=fields.line(request.form, "detail", most=entries.MOST_REASON))
    _check_reason(form)
    with db.transaction() as session:
        keepable(session, patient_id)
        if not form.errors:
            entries.end(
                session, login.actor(),
                patient_id=patient_id, entry_id=entry_id, because=form.detail, now=clock.now(),
            )  # fmt: skip
    if form.errors:
        return _ending(patient_id, entry_id, form, status=422)
    return make_response(redirect(f"/patients/{patient_id}/record", 303))


def keepable(session: Session, patient_id: UUID) -> Place:
    """A patient whose record this actor may change; raises NotFoundError for any other one."""
    actor = login.actor()
    place = reach.patient_for(session, actor, patient_id, now=clock.now())
    if not may_keep_record(actor, patient_id, ward_id=place.ward_id):
        raise NotFoundError("There is no such patient.")
    return place


def day_of(written: str) -> date | None:
    """A day out of a field; None for what is none."""
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def today() -> date:
    """The day at the site."""
    return clock.now().astimezone(ZoneInfo(filters.time_zone())).date()


def _known(kind: str) -> str:
    if kind not in entries.KINDS:
        raise NotFoundError("There is no such part of a record.")
    return kind


def _read(sent: fields.Sent, kind: str) -> tuple[EntryForm, date | None]:
    form = EntryForm(
        form_id=fields.identity(sent.get("form_id")) or clock.new_id(),
        what=fields.line(sent, "what", most=entries.MOST_TEXT),
        detail=fields.line(sent, "detail", most=entries.MOST_TEXT),
        phone=fields.line(sent, "phone", most=40) if kind == "contact" else "",
        happened_on=fields.line(sent, "happened_on", most=10) if kind in ("condition", "surgery") else "",
    )
    if not form.what or (kind == "flag" and form.what not in entries.FLAGS):
        form.errors["what"] = WHAT[kind]
    elif len(form.what) > entries.MOST_TEXT:
        form.errors["what"] = f"Say it in {entries.MOST_TEXT} characters."
    if kind == "flag":
        _check_reason(form)
    elif len(form.detail) > entries.MOST_TEXT:
        form.errors["detail"] = f"Say it in {entries.MOST_TEXT} characters."
    if kind == "contact" and not 5 <= sum(sign.isdigit() for sign in form.phone) <= 20:
        form.errors["phone"] = "Enter a phone number, such as +254 700 000 000."
    on = day_of(form.happened_on)
    if form.happened_on and (on is None or on > today()):
        form.errors["happened_on"] = "Enter a day that is not in the future, or leave it empty."
    return form, on


def _check_reason(form: EntryForm) -> None:
    if not MIN_REASON <= len(form.detail) <= entries.MOST_REASON:
        form.errors["detail"] = f"Say why in {MIN_REASON} to {entries.MOST_REASON} characters."


def _record(patient_id: UUID, errors: dict[str, str], *, status: int = 200) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        patient = details.details_of(session.get_one(Patient, patient_id))
        found = entries.entries_of(session, patient_id)
        changes = details.changes_of(session, patient_id)
        given = medications.present_names(session, patient_id, now=now)
        team = care_team.members_of(session, patient_id)
        former = former_numbers(session, patient_id)
        gone = fields.identity(request.args.get("merged"))
        merged = merge_views.survivor_of(session, gone) if gone else None
        written = notes.count(session, patient_id)
    auditing.viewed("record", patient_ids=[patient_id], ward_id=place.ward_id)
    return pages.answer(
        "caregiver/record.html",
        "Error: Record" if errors else "Record",
        status=status,
        frame=frame(actor, place, notes_written=written),
        details=patient,
        entries=found,
        changes=changes,
        team=team,
        given=given,
        former=former,
        merged=merged[1] if merged and merged[0] == patient_id else "",
        form_id=clock.new_id(),
        errors=errors,
    )


def _form(patient_id: UUID, kind: str, form: EntryForm, *, status: int = 200) -> Response:
    with db.transaction(read_only=True) as session:
        place = keepable(session, patient_id)
        written = notes.count(session, patient_id)
    auditing.viewed("record", patient_ids=[patient_id], ward_id=place.ward_id)
    title = TITLES[kind]
    return pages.answer(
        "caregiver/record_entry.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        frame=frame(login.actor(), place, notes_written=written),
        heading=title,
        kind=kind,
        form=form,
        flags=[flag for flag in entries.FLAGS if flag not in place.flags],
    )


def _ending(patient_id: UUID, entry_id: UUID, form: EntryForm, *, status: int = 200) -> Response:
    with db.transaction(read_only=True) as session:
        place = keepable(session, patient_id)
        entry = entries.entry_of(session, patient_id, entry_id)
        written = notes.count(session, patient_id)
    auditing.viewed("record", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "End an entry"
    return pages.answer(
        "caregiver/record_end.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        frame=frame(login.actor(), place, notes_written=written),
        entry=entry,
        form=form,
    )
