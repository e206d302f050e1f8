"""Many patients at once, from a CSV file: shown first, beside who is registered, stored when confirmed."""

from collections.abc import Sequence
from typing import Final

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.record import today
from silverwatch.domain.access import Permission
from silverwatch.domain.admissions import arriving, importing
from silverwatch.domain.admissions.arriving import Stored
from silverwatch.domain.admissions.importing import COLUMNS, Line, Sheet
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.wards.queries import wards_of
from silverwatch.web import auditing, fields, gates, login, pages, spreadsheet, uploads

URL: Final = "/patients/import"
SAMPLE: Final = (
    COLUMNS,
    ("KE-2041", "Otieno", "Zoë", "1948-03-14", "F", "Ms", "+254 700 000 001", "", "", "", "Latex | Nuts", "falls"),
    ("KE-2042", "Wanjiru", "Peter", "02.11.1961", "M", "", "", "", "", "", "none", ""),
)  # fmt: skip


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    add = blueprint.add_url_rule
    add(URL, view_func=patient_import_form)
    add(URL, view_func=import_patients, methods=["POST"])
    add(f"{URL}/sample.csv", view_func=patient_import_sample)
    add(f"{URL}/left.csv", view_func=rows_left, methods=["POST"])


@gates.need(Permission.REGISTER_PATIENTS)
def patient_import_form() -> Response:
    """Choose a file, or paste it."""
    return _page("")


@gates.need(Permission.REGISTER_PATIENTS)
def patient_import_sample() -> Response:
    """A file to begin with."""
    return spreadsheet.file("patients.csv", SAMPLE)


@gates.need(Permission.REGISTER_PATIENTS)
def import_patients() -> Response:
    """Show what the file holds; once that is confirmed, register the rows that can be."""
    text, problem = uploads.sent_table()
    if problem:
        return _page("", problem=problem)
    if request.form.get("confirmed") != "yes":
        return _page(text, sheet=_look(text))
    actor, now = login.actor(), clock.now()
    try:
        with db.transaction() as session:
            sheet = arriving.look(session, actor, text, sure=_sure(), today=today(), now=now)
            stored = arriving.store(session, actor, sheet.taken, now=now)
    except ConflictError as refusal:
        return _page(text, sheet=_look(text), problem=str(refusal))
    if sheet.problem:
        return _page(text, sheet=sheet)
    return _page(text, sheet=sheet, stored=stored)


@gates.need(Permission.REGISTER_PATIENTS)
def rows_left() -> Response:
    """The rows that were not taken, each with why: to be corrected and sent again."""
    text, problem = uploads.sent_table()
    if problem:
        return _page("", problem=problem)
    sheet = _look(text)
    _note_view(sheet.left)
    rows = [[*(line.written[name] for name in COLUMNS), line.number, line.why] for line in sheet.left]
    return spreadsheet.file("patients-left.csv", [[*COLUMNS, "row", "why"], *rows])


def _look(text: str) -> Sheet:
    with db.transaction(read_only=True) as session:
        return arriving.look(session, login.actor(), text, sure=_sure(), today=today(), now=clock.now())


def _sure() -> set[int]:
    """The rows of which somebody says that they are another person."""
    rows = (fields.whole(row, most=100_000) for row in request.form.getlist("sure"))
    return {row for row in rows if row is not None}


def _note_view(lines: Sequence[Line]) -> None:
    """Who was shown of those who are registered is on record, in whatever ward they lie."""
    shown = {line.known.id for line in lines if line.known is not None}
    shown |= {item.id for line in lines for item in line.alike}
    if shown:
        auditing.viewed("possible duplicates", patient_ids=sorted(shown))


def _page(
    text: str, *, sheet: Sheet | None = None, stored: Stored | None = None, problem: str = ""
) -> Response:
    problem = problem or (sheet.problem if sheet else "")
    if sheet is not None:
        _note_view(sheet.lines)
    with db.transaction(read_only=True) as session:
        wards = wards_of(session, login.actor())
    refused = bool(problem) or (stored is None and sheet is not None and bool(sheet.of("wrong")))
    title = "Patients are registered" if stored else "Register patients from a file"
    return pages.answer(
        "caregiver/patient_import.html",
        f"Error: {title}" if refused else title,
        status=422 if refused else 200,
        text=text,
        sheet=sheet,
        stored=stored,
        errors={"text": problem} if problem else {},
        columns=COLUMNS,
        needed=importing.NEEDED,
        wards=wards,
    )
