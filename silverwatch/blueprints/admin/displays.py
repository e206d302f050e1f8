"""Wall screens of the wards: `/admin/displays`."""

from dataclasses import dataclass, field
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.admin import forms
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts import displays
from silverwatch.domain.errors import DomainError, NotFoundError
from silverwatch.domain.wards.queries import wards_of
from silverwatch.web import browsers, fields, gates, login, pages

URL = "/admin/displays"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayForm:
    """The form for a new screen as it was sent."""

    name: str = ""
    ward_id: UUID | None = None
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The code of a screen, shown this once."""

    name: str
    ward_id: UUID
    code: str


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=wall_screens)
    blueprint.add_url_rule(URL, view_func=add_wall_screen, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/<uuid:display_id>/code", view_func=new_wall_code, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/<uuid:display_id>/revoke", view_func=revoke_wall_screen, methods=["POST"])


@gates.need(Permission.MANAGE_DISPLAYS)
def wall_screens() -> Response:
    """Which screens hang where, and do they work?"""
    return _page(DisplayForm())


@gates.need(Permission.MANAGE_DISPLAYS, step_up=True)
def add_wall_screen() -> Response:
    """Add a screen and show the code that pairs it."""
    name = fields.line(request.form, "name", most=displays.MAX_NAME)
    form = DisplayForm(name=name, ward_id=fields.identity(request.form.get("ward")))
    if form.ward_id is None:
        form.errors["ward"] = "Choose a ward."
    if not name:
        form.errors["name"] = "Enter where the screen hangs, such as Nurses' station."
    elif len(name) > displays.MAX_NAME:
        form.errors["name"] = f"Enter at most {displays.MAX_NAME} characters."
    if form.ward_id is None or form.errors:
        return _page(form)
    try:
        with db.transaction() as session:
            display, code = displays.create(
                session, by=login.actor(), ward_id=form.ward_id, name=name, now=clock.now()
            )
            shown = Shown(name=display.name, ward_id=display.ward_id, code=code)
    except NotFoundError:
        form.errors["ward"] = "Choose a ward."
        return _page(form)
    except DomainError as refusal:
        form.errors["name"] = str(refusal)
        return _page(form)
    return _page(DisplayForm(), shown=shown)


@gates.need(Permission.MANAGE_DISPLAYS, step_up=True)
def new_wall_code(display_id: UUID) -> Response:
    """Show another code, to pair the screen anew."""
    with db.transaction() as session:
        display, code = displays.new_code(session, by=login.actor(), display_id=display_id, now=clock.now())
        shown = Shown(name=display.name, ward_id=display.ward_id, code=code)
    return _page(DisplayForm(), shown=shown)


@gates.need(Permission.MANAGE_DISPLAYS, step_up=True)
def revoke_wall_screen(display_id: UUID) -> Response:
    """Take a screen away; it goes dark within seconds."""
    with db.transaction() as session:
        displays.revoke(session, by=login.actor(), display_id=display_id, now=clock.now())
    return forms.see(URL)


def _page(form: DisplayForm, *, shown: Shown | None = None) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        wards = wards_of(session, actor)
        screens = displays.screens(session, actor, now=now)
    names = {ward.id: ward.name for ward in wards}
    return pages.answer(
        "admin/displays.html",
        "Error: Wall screens" if form.errors else "Wall screens",
        status=422 if form.errors else 200,
        form=form,
        shown=shown,
        wards=wards,
        names=names,
        screens=sorted(screens, key=lambda screen: (names[screen.ward_id], screen.name)),
        in_words=browsers.in_words,
        code_minutes=int(displays.CODE_FOR.total_seconds() // 60),
        now=now,
    )
