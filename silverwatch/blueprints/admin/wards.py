"""Wards, rooms and beds of the house: `/admin/wards`. Added, renamed, closed and opened again; nothing is removed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.admin import forms
from silverwatch.domain.access import Permission
from silverwatch.domain.admissions import house, house_views
from silverwatch.domain.admissions.house import Name, OccupiedError
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.wards import bed_names
from silverwatch.domain.wards.models import Bed, Ward
from silverwatch.web import auditing, fields, gates, login, pages

URL: Final = "/admin/wards"
ONE: Final = f"{URL}/<uuid:ward_id>"
PLACE: Final = "/admin/places/<kind>/<uuid:place_id>"
MOST_WRITTEN: Final = 1000


@dataclass(slots=True, kw_only=True)
class PlaceForm:
    """A name as it was sent; `beds` are many names at once, `ready` those that were read out of it."""

    form_id: UUID
    name: str = ""
    about: str = ""
    room: str = ""
    beds: str = ""
    ready: Sequence[str] = ()
    errors: dict[str, str] = field(default_factory=dict)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    add = blueprint.add_url_rule
    add(URL, view_func=wards)
    add(URL, view_func=add_ward, methods=["POST"])
    add(ONE, view_func=ward_places)
    add(f"{ONE}/rooms", view_func=add_room, methods=["POST"])
    add(f"{ONE}/beds", view_func=add_beds, methods=["POST"])
    add(PLACE, view_func=place)
    add(PLACE, view_func=rename_place, methods=["POST"])
    add(f"{PLACE}/closing", view_func=close_place, methods=["POST"])
    add(f"{PLACE}/opening", view_func=open_place, methods=["POST"])


@gates.need(Permission.MANAGE_WARDS)
def wards() -> Response:
    """Which wards are there, and how full are they?"""
    return _list(PlaceForm(form_id=clock.new_id()))


@gates.need(Permission.MANAGE_WARDS)
def add_ward() -> Response:
    """Add a ward."""
    form = _read("ward")
    try:
        if not form.errors:
            with db.transaction() as session:
                says = Name(name=form.name, about=form.about)
                house.add_ward(session, login.actor(), ward_id=form.form_id, says=says)
    except ConflictError as error:
        form.errors["name"] = str(error)
    if form.errors:
        return _list(form)
    return forms.see(f"{URL}/{form.form_id}")


@gates.need(Permission.MANAGE_WARDS)
def ward_places(ward_id: UUID) -> Response:
    """Which rooms and beds does the ward have?"""
    return _ward(ward_id, PlaceForm(form_id=clock.new_id()))


@gates.need(Permission.MANAGE_WARDS)
def add_room(ward_id: UUID) -> Response:
    """Add a room."""
    form = _read("room")
    try:
        if not form.errors:
            with db.transaction() as session:
                house.add_room(session, room_id=form.form_id, ward_id=ward_id, name=form.name)
    except ConflictError as error:
        form.errors["name"] = str(error)
    if form.errors:
        return _ward(ward_id, form)
    return forms.see(f"{URL}/{ward_id}#room-{form.form_id}")


@gates.need(Permission.MANAGE_WARDS)
def add_beds(ward_id: UUID) -> Response:
    """Add many beds: first they are shown, then stored."""
    sent = request.form
    form = PlaceForm(
        form_id=clock.new_id(),
        room=sent.get("room", ""),
        beds=sent.get("beds", "").replace("\0", "").strip()[: MOST_WRITTEN + 1],
    )
    room_id = fields.identity(form.room)
    try:
        if len(form.beds) > MOST_WRITTEN:
            raise ConflictError(f"Write at most {MOST_WRITTEN} characters.")
        if form.room and room_id is None:
            raise ConflictError("Choose a room of this ward.")
        form.ready = bed_names.labels(form.beds)
        with db.transaction() as session:
            house_views.ward(session, ward_id)
            house.check_beds(session, ward_id, room_id, form.ready)
            if sent.get("sure") == "yes":
                house.add_beds(session, ward_id=ward_id, room_id=room_id, labels=form.ready)
                return forms.see(f"{URL}/{ward_id}#room-{room_id or ''}")
    except ConflictError as error:
        form.errors["beds"], form.ready = str(error), ()
    return _ward(ward_id, form)


@gates.need(Permission.MANAGE_WARDS)
def place(kind: str, place_id: UUID) -> Response:
    """Rename a ward, a room or a bed, close it or open it again."""
    return _place(kind, place_id, None)


@gates.need(Permission.MANAGE_WARDS)
def rename_place(kind: str, place_id: UUID) -> Response:
    """Call it otherwise, or put a bed into another room."""
    form = _read(kind)
    room_id = fields.identity(form.room)
    with db.transaction() as session:
        found = house.place_of(session, kind, place_id, lock=True)
        ward_id = house.ward_id_of(found)
        try:
            if form.room and room_id is None:
                raise ConflictError("Choose a room of this ward.")
            if not form.errors:
                house.rename(session, found, Name(name=form.name, about=form.about, room_id=room_id))
        except ConflictError as error:
            form.errors["name"] = str(error)
            session.expire(found)
    if form.errors:
        return _place(kind, place_id, form)
    return forms.see(f"{URL}/{ward_id}")


@gates.need(Permission.MANAGE_WARDS)
def close_place(kind: str, place_id: UUID) -> Response:
    """It takes nobody any more; refused while somebody lies there."""
    try:
        with db.transaction() as session:
            found = house.place_of(session, kind, place_id, lock=True)
            house.close(session, login.actor(), found, now=clock.now())
            ward_id = house.ward_id_of(found)
    except OccupiedError as error:
        if error.patient_ids:
            auditing.viewed("who lies in a bed", patient_ids=error.patient_ids)
        return _place(kind, place_id, None, because=str(error))
    return forms.see(f"{URL}/{ward_id}")


@gates.need(Permission.MANAGE_WARDS)
def open_place(kind: str, place_id: UUID) -> Response:
    """It takes patients again."""
    try:
        with db.transaction() as session:
            found = house.place_of(session, kind, place_id, lock=True)
            house.reopen(session, found)
            ward_id = house.ward_id_of(found)
    except ConflictError as error:
        return _place(kind, place_id, None, because=str(error))
    return forms.see(f"{URL}/{ward_id}")


def _read(kind: str) -> PlaceForm:
    sent = request.form
    form = PlaceForm(
        form_id=fields.identity(sent.get("form_id")) or clock.new_id(),
        name=fields.line(sent, "name", most=house.MOST_NAME),
        about=fields.line(sent, "about", most=house.MOST_ABOUT),
        room=sent.get("room", ""),
    )
    if not form.name:
        form.errors["name"] = "Enter a name."
    elif len(form.name) > house.MOST_NAME:
        form.errors["name"] = f"Enter at most {house.MOST_NAME} characters."
    if kind == "ward" and len(form.about) > house.MOST_ABOUT:
        form.errors["about"] = f"Enter at most {house.MOST_ABOUT} characters."
    return form


def _list(form: PlaceForm) -> Response:
    with db.transaction(read_only=True) as session:
        found = house_views.wards(session)
    return pages.answer(
        "admin/wards.html",
        "Error: Wards and beds" if form.errors else "Wards and beds",
        status=422 if form.errors else 200,
        wards=found,
        form=form,
        mine=login.actor().ward_ids,
    )


def _ward(ward_id: UUID, form: PlaceForm) -> Response:
    with db.transaction(read_only=True) as session:
        ward = house_views.ward(session, ward_id)
        rooms = house_views.rooms(session, ward_id)
    return pages.answer(
        "admin/ward.html",
        f"Error: {ward.name}" if form.errors else ward.name,
        status=422 if form.errors else 200,
        ward=ward,
        rooms=rooms,
        form=form,
        is_mine=ward_id in login.actor().ward_ids,
    )


def _place(kind: str, place_id: UUID, form: PlaceForm | None, *, because: str = "") -> Response:
    with db.transaction(read_only=True) as session:
        found = house.place_of(session, kind, place_id)
        ward = house_views.ward(session, house.ward_id_of(found))
        rooms = house_views.rooms(session, ward.id)
        name, is_closed = house.name_of(found), found.closed_at is not None
        form = form or PlaceForm(
            form_id=place_id,
            name=name,
            about=found.description if isinstance(found, Ward) else "",
            room=str(found.room_id or "") if isinstance(found, Bed) else "",
        )
    if because:
        form.errors["form"] = because
    return pages.answer(
        "admin/place.html",
        f"Error: {name}" if form.errors else name,
        status=422 if form.errors else 200,
        kind=kind,
        place_id=place_id,
        name=name,
        is_closed=is_closed,
        ward=ward,
        rooms=[room for room in rooms if room.id is not None and room.closed_at is None],
        form=form,
    )
