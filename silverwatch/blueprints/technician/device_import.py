"""Many devices at once, from a CSV file: shown first, with what is wrong in each row, stored when confirmed."""

from typing import Final

from flask import Blueprint, Response, request

from silverwatch import db
from silverwatch.domain.access import Permission
from silverwatch.domain.devices import importing, registry
from silverwatch.domain.devices.importing import Sheet
from silverwatch.domain.devices.kinds import GATEWAY
from silverwatch.domain.errors import DomainError
from silverwatch.domain.wards.queries import ids_by_word, wards_of
from silverwatch.web import gates, login, pages, spreadsheet, uploads
from silverwatch.web.hypermedia import see

URL: Final = "/devices/import"
SAMPLE: Final = (
    importing.COLUMNS,
    ("SW-2001", "wearable", "store", "Shelf 2", 4, "normal", 50),
    ("BP-2002", "blood_pressure_monitor", "store", "Shelf 3", 1800, "normal", ""),
)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=import_form)
    blueprint.add_url_rule(URL, view_func=import_devices, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/sample.csv", view_func=import_sample)


@gates.need(Permission.KEEP_DEVICES)
def import_form() -> Response:
    """Choose a file, or paste it."""
    return _page("")


@gates.need(Permission.KEEP_DEVICES)
def import_sample() -> Response:
    """A file to begin with."""
    return spreadsheet.file("devices.csv", SAMPLE)


@gates.need(Permission.KEEP_DEVICES)
def import_devices() -> Response:
    """Show what the file holds; once that is confirmed, add the rows that can be."""
    text, problem = uploads.sent_table()
    if problem:
        return _page("", problem=problem)
    if request.form.get("confirmed") != "yes":
        return _page(text, sheet=_read(text))
    actor = login.actor()
    settings = _read(text).settings
    if not settings:
        return _page(text, sheet=_read(text))
    try:
        with db.transaction() as session:
            # In the order of the serial numbers: two that add the same devices cannot wait for each other.
            for serial, setting in sorted(settings.items()):
                registry.add(session, actor, serial=serial, setting=setting)
    except DomainError as refusal:
        return _page(text, sheet=_read(text), problem=str(refusal))
    return see(f"/devices?added={len(settings)}")


def _read(text: str) -> Sheet:
    actor = login.actor()
    with db.transaction(read_only=True) as session:
        wards = ids_by_word(wards_of(session, actor))
        known = registry.known_serials(session, importing.serials(text))
    site_gateways = registry.may_keep(actor, ward_id=None, kind=GATEWAY)
    return importing.read(text, wards=wards, known=known, site_gateways=site_gateways)


def _page(text: str, *, sheet: Sheet | None = None, problem: str = "") -> Response:
    problem = problem or (sheet.problem if sheet else "")
    refused = bool(problem) or (sheet is not None and bool(sheet.bad))
    with db.transaction(read_only=True) as session:
        wards = wards_of(session, login.actor())
    title = "Add devices from a file"
    return pages.answer(
        "technician/device_import.html",
        f"Error: {title}" if refused else title,
        status=422 if refused else 200,
        text=text,
        sheet=sheet,
        errors={"text": problem} if problem else {},
        columns=importing.COLUMNS,
        wards=wards,
    )
