"""Notes about a patient: read, write, change, strike out. Nothing is ever removed."""

from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.patients import frame, moment
from silverwatch.domain import audit, events
from silverwatch.domain.access import Permission, may_write_notes
from silverwatch.domain.alerts import reach
from silverwatch.domain.alerts.reach import Place
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records import notes as records
from silverwatch.domain.records.facts import NoteChanged
from silverwatch.domain.records.models import Note
from silverwatch.web import auditing, gates, login, pages
from silverwatch.web.patient_views import NoteForm

URL = "/patients/<uuid:patient_id>/notes"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    add = blueprint.add_url_rule
    add(URL, view_func=notes)
    add(URL, view_func=write_note, methods=["POST"])
    add(f"{URL}/<uuid:note_id>/change", view_func=change_form)
    add(f"{URL}/<uuid:note_id>/change", view_func=change_note, methods=["POST"])
    add(f"{URL}/<uuid:note_id>/strike-out", view_func=strike_form)
    add(f"{URL}/<uuid:note_id>/strike-out", view_func=strike_note, methods=["POST"])


@gates.need(Permission.SEE_PATIENT)
def notes(patient_id: UUID) -> Response:
    """What was written about the patient?"""
    return _list(patient_id, NoteForm(id=clock.new_id()))


@gates.need(Permission.WRITE_NOTES)
def write_note(patient_id: UUID) -> Response:
    """Add a note."""
    actor, now = login.actor(), clock.now()
    form = _read(request.form, most=records.MOST_TEXT, empty="Write the note.")
    with db.transaction() as session:
        _writable(session, patient_id)
        if not form.errors:
            note_id = records.write(
                session, actor, note_id=form.id, patient_id=patient_id, written=form.text, now=now
            )
            if note_id is not None:
                _changed(session, "note.written", patient_id, note_id)
    if form.errors:
        return _list(patient_id, form, status=422)
    back = pages.local_path(request.form.get("next")) or f"/patients/{patient_id}/notes"
    return make_response(redirect(back, 303))


@gates.need(Permission.WRITE_NOTES)
def change_form(patient_id: UUID, note_id: UUID) -> Response:
    """Change one's own note: what was written before stays."""
    with db.transaction(read_only=True) as session:
        _writable(session, patient_id)
        latest = records.view(session, records.note_of(session, patient_id, note_id)).latest
    return _one(patient_id, note_id, NoteForm(id=note_id, text=latest.text, seen=latest.number), strike=False)


@gates.need(Permission.WRITE_NOTES)
def change_note(patient_id: UUID, note_id: UUID) -> Response:
    """Add a version."""
    actor, now = login.actor(), clock.now()
    form = _read(request.form, most=records.MOST_TEXT, empty="Write the note.")
    with db.transaction() as session:
        note = _locked(session, patient_id, note_id)
        try:
            if not form.errors and records.change(
                session, actor, note, seen=form.seen, written=form.text, now=now
            ):
                _changed(session, "note.changed", patient_id, note_id)
        except ConflictError as error:
            form.errors["form"] = str(error)
    if form.errors:
        return _one(patient_id, note_id, form, strike=False, status=422)
    return make_response(redirect(f"/patients/{patient_id}/notes#note-{note_id}", 303))


@gates.need(Permission.WRITE_NOTES)
def strike_form(patient_id: UUID, note_id: UUID) -> Response:
    """Say that a note should not have been written: it stays readable."""
    return _one(patient_id, note_id, NoteForm(id=note_id), strike=True)


@gates.need(Permission.WRITE_NOTES)
def strike_note(patient_id: UUID, note_id: UUID) -> Response:
    """Strike it out."""
    actor, now = login.actor(), clock.now()
    form = _read(request.form, most=records.MOST_REASON, empty="Write the reason.")
    with db.transaction() as session:
        note = _locked(session, patient_id, note_id)
        if not form.errors and records.strike_out(session, actor, note, because=form.text, now=now):
            _changed(session, "note.struck_out", patient_id, note_id)
    if form.errors:
        return _one(patient_id, note_id, form, strike=True, status=422)
    return make_response(redirect(f"/patients/{patient_id}/notes#note-{note_id}", 303))


def _writable(session: Session, patient_id: UUID) -> Place:
    """A patient about whom this actor may write; raises NotFoundError for any other one."""
    actor = login.actor()
    place = reach.patient_for(session, actor, patient_id, now=clock.now())
    if not may_write_notes(actor, patient_id, ward_id=place.ward_id):
        raise NotFoundError("There is no such patient.")
    return place


def _locked(session: Session, patient_id: UUID, note_id: UUID) -> Note:
    _writable(session, patient_id)
    return records.note_of(session, patient_id, note_id, lock=True)


def _changed(session: Session, action: str, patient_id: UUID, note_id: UUID) -> None:
    audit.record(session, action, patient_ids=[patient_id], subject=("note", note_id))
    events.record(session, NoteChanged(patient_id=patient_id))


def _read(sent: MultiDict[str, str], *, most: int, empty: str) -> NoteForm:
    # Browsers count a line break as one sign and send two.
    written = sent.get("text", "").replace("\0", "").replace("\r\n", "\n").strip()
    seen = sent.get("seen", "")
    form = NoteForm(
        id=_form_id(sent.get("form_id", "")),
        text=written,
        seen=int(seen) if seen.isdecimal() and len(seen) < 7 else 0,
    )
    if not written:
        form.errors["text"] = empty
    elif len(written) > most:
        form.errors["text"] = f"Write at most {most} characters. These are {len(written)}."
    return form


def _form_id(written: str) -> UUID:
    try:
        return UUID(written)
    except ValueError:
        return clock.new_id()


def _list(patient_id: UUID, form: NoteForm, *, status: int = 200) -> Response:
    actor, now = login.actor(), clock.now()
    before = moment(request.args.get("before"))
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        limits = {"before": before} if before else {}
        found = records.notes_of(session, [patient_id], limit=records.A_PAGE + 1, **limits)
        written = records.count(session, patient_id)
    auditing.viewed("notes", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "Notes"
    return pages.answer(
        "caregiver/notes.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        frame=frame(actor, place, notes_written=written),
        notes=found[: records.A_PAGE],
        older=len(found) > records.A_PAGE,
        own_id=actor.account_id,
        form=form,
        most=records.MOST_TEXT,
        now=now,
    )


def _one(patient_id: UUID, note_id: UUID, form: NoteForm, *, strike: bool, status: int = 200) -> Response:
    actor = login.actor()
    with db.transaction(read_only=True) as session:
        place = _writable(session, patient_id)
        note = records.view(session, records.note_of(session, patient_id, note_id))
        written = records.count(session, patient_id)
    auditing.viewed("notes", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "Strike out a note" if strike else "Change a note"
    return pages.answer(
        "caregiver/note.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        frame=frame(actor, place, notes_written=written),
        note=note,
        form=form,
        strike=strike,
        most=records.MOST_REASON if strike else records.MOST_TEXT,
    )
