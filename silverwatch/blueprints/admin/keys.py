"""Keys of programs: what each may do, where, until when. A key is shown once, when it is made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.admin import forms
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts import api_keys
from silverwatch.domain.accounts.models import ApiKey
from silverwatch.domain.errors import DomainError, NotFoundError
from silverwatch.domain.wards.queries import all_wards
from silverwatch.web import fields, gates, login, pages

URL: Final = "/admin/keys"
DAYS: Final = (30, 90, 365)


@dataclass(slots=True, kw_only=True)
class Form:
    """The form as it was sent; `errors` maps a field to what to do about it."""

    name: str = ""
    scopes: list[str] = field(default_factory=list)
    ward_ids: list[UUID] = field(default_factory=list)
    days: int | None = 90
    errors: dict[str, str] = field(default_factory=dict)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=keys)
    blueprint.add_url_rule(URL, view_func=make_key, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/new", view_func=key_form)
    blueprint.add_url_rule(f"{URL}/<uuid:key_id>/revocation", view_func=revocation_form)
    blueprint.add_url_rule(f"{URL}/<uuid:key_id>/revocation", view_func=revoke_key, methods=["POST"])


@gates.need(Permission.MANAGE_KEYS)
def keys() -> Response:
    """What talks to us?"""
    with db.transaction(read_only=True) as session:
        found = api_keys.list_keys(session)
        wards = all_wards(session)
    done = request.args.get("done") == "revocation"
    return pages.answer("admin/keys.html", "Keys", keys=found, wards=wards, done=done, now=clock.now())


@gates.need(Permission.MANAGE_KEYS, step_up=True)
def key_form() -> Response:
    """Ask what the program will do."""
    return _form(Form())


@gates.need(Permission.MANAGE_KEYS, step_up=True)
def make_key() -> Response:
    """Make a key and show it, this once."""
    now = clock.now()
    form = _read()
    if not form.errors and form.days:
        try:
            with db.transaction() as session:
                made, key = api_keys.create(
                    session,
                    by=login.actor(),
                    name=form.name,
                    scopes=form.scopes,
                    ward_ids=form.ward_ids,
                    expires_at=now + timedelta(days=form.days),
                    now=now,
                )
        except DomainError as error:
            form.errors["form"] = str(error)
        else:
            # Not a redirect: the key would have to be kept somewhere on the way.
            return pages.answer("admin/key_made.html", "The key is made", key=key, made=made)
    return _form(form, status=422)


@gates.need(Permission.MANAGE_KEYS, step_up=True)
def revocation_form(key_id: UUID) -> Response:
    """What follows when the key is revoked."""
    with db.transaction(read_only=True) as session:
        found = session.get(ApiKey, key_id)
    if found is None:
        raise NotFoundError("There is no such key.")
    return pages.answer("admin/key_revoke.html", "Revoke key", key=found, now=clock.now())


@gates.need(Permission.MANAGE_KEYS, step_up=True)
def revoke_key(key_id: UUID) -> Response:
    """The key is good for nothing from now on."""
    with db.transaction() as session:
        api_keys.revoke(session, by=login.actor(), key_id=key_id, now=clock.now())
    return forms.see(f"{URL}?done=revocation")


def _read() -> Form:
    sent = request.form
    with db.transaction(read_only=True) as session:
        ward_ids, error_of_wards = forms.ward_ids(sent, all_wards(session))
    days = fields.whole(sent.get("days"), most=DAYS[-1])
    form = Form(
        name=fields.line(sent, "name", most=api_keys.MAX_NAME),
        scopes=[scope for scope in api_keys.SCOPES if scope in sent.getlist("scope")],
        ward_ids=ward_ids,
        days=days if days in DAYS else None,
    )
    form.errors.update(
        _errors(form, ward=error_of_wards, known=set(sent.getlist("scope")) <= api_keys.SCOPES.keys())
    )
    return form


def _errors(form: Form, *, ward: str | None, known: bool) -> Mapping[str, str]:
    errors = {}
    if not 1 <= len(form.name) <= api_keys.MAX_NAME or not form.name.isprintable():
        errors["name"] = f"Enter a name of 1 to {api_keys.MAX_NAME} characters: which program, of whom."
    if not form.scopes or not known:
        errors["scope"] = "Choose at least one thing that the program may do."
    if ward:
        errors["ward"] = ward
    if form.days is None:
        errors["days"] = "Choose how long the key works."
    return errors


def _form(form: Form, *, status: int = 200) -> Response:
    with db.transaction(read_only=True) as session:
        wards = all_wards(session)
    title = "New key"
    return pages.answer(
        "admin/key_new.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        form=form,
        wards=wards,
        scopes=api_keys.SCOPES,
        days=DAYS,
    )
