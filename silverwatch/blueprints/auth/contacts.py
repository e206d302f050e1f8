"""Whom to call for you: `/profile/contacts`."""

from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts import contacts
from silverwatch.domain.accounts.contacts import Contact
from silverwatch.domain.accounts.profile import line
from silverwatch.domain.errors import ConflictError
from silverwatch.web import gates, login, pages


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    url = "/profile/contacts"
    blueprint.add_url_rule(url, view_func=own_contacts)
    blueprint.add_url_rule(url, view_func=add_contact, methods=["POST"])
    blueprint.add_url_rule(f"{url}/<uuid:contact_id>/removal", view_func=remove_contact, methods=["POST"])


@gates.need(Permission.OWN_ACCOUNT)
def own_contacts() -> Response:
    """Who is called for me?"""
    return _page()


@gates.need(Permission.OWN_ACCOUNT)
def add_contact() -> Response:
    """Keep one more."""
    wanted = Contact(**{field: line(request.form.get(field, "")) for field in ("name", "relation", "phone")})
    errors = contacts.problems(wanted)
    if not errors:
        try:
            with db.transaction() as session:
                contacts.add(session, login.actor().account_id, wanted=wanted, now=clock.now())
        except ConflictError as error:
            errors["form"] = str(error)
    return _page(wanted, errors) if errors else _saved()


@gates.need(Permission.OWN_ACCOUNT)
def remove_contact(contact_id: UUID) -> Response:
    """Forget one."""
    with db.transaction() as session:
        contacts.remove(session, login.actor().account_id, contact_id=contact_id)
    return _saved()


def _saved() -> Response:
    return make_response(redirect("/profile/contacts?saved=1", 303))


def _page(form: Contact | None = None, errors: dict[str, str] | None = None) -> Response:
    with db.transaction(read_only=True) as session:
        kept = contacts.contacts_of(session, login.actor().account_id)
    return pages.answer(
        "auth/contacts.html",
        "Emergency contacts",
        status=422 if errors else 200,
        contacts=kept,
        form=form or Contact(),
        errors=errors or {},
        is_full=len(kept) >= contacts.MOST,
        saved=request.args.get("saved") == "1",
    )
