"""One account: its facts, and a small page for each thing that an administrator changes about it."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, current_app, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.blueprints.admin import approval, forms
from silverwatch.domain import audit
from silverwatch.domain.access import PEOPLE, Permission, Role
from silverwatch.domain.accounts import directory, people, second_factor, sessions
from silverwatch.domain.accounts.directory import State
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError
from silverwatch.domain.wards.queries import all_wards
from silverwatch.web import browsers, gates, letters, login, pages

URL: Final = "/admin/users/<uuid:account_id>"
TITLES: Final = {
    "role": "Change role",
    "wards": "Change wards",
    "deactivation": "End access",
    "second-factor": "Reset the second factor",
}
ROLES: Final = tuple(role for role in PEOPLE if role is not Role.PATIENT)
"""To whom a role can be given. A patient's account is tied to a record, so it begins as one."""

Errors = dict[str, str]


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=user)
    for path, form, change in (
        ("role", role_form, change_role),
        ("wards", wards_form, set_wards),
        ("deactivation", deactivation_form, deactivate),
        ("second-factor/reset", factor_form, reset_factor),
    ):
        blueprint.add_url_rule(f"{URL}/{path}", view_func=form)
        blueprint.add_url_rule(f"{URL}/{path}", view_func=change, methods=["POST"])
    for path, view in (
        ("reactivation", reactivate),
        ("sessions/end", end_sessions),
        ("invitation", invite_again),
    ):
        blueprint.add_url_rule(f"{URL}/{path}", view_func=view, methods=["POST"])
    approval.register(blueprint)


@gates.need(Permission.MANAGE_USERS)
def user(account_id: UUID) -> Response:
    """Who is this, and what may they do?"""
    return _page(account_id)


@gates.need(Permission.MANAGE_USERS, step_up=True)
def role_form(account_id: UUID) -> Response:
    """Which role, and what follows."""
    return _form(account_id, "role")


@gates.need(Permission.MANAGE_USERS, step_up=True)
def change_role(account_id: UUID) -> Response:
    """Give another role."""
    actor, now = login.actor(), clock.now()
    role = forms.role(request.form.get("role"))
    if role not in ROLES:
        return _form(account_id, "role", {"role": "Choose one of the roles."}, status=422)
    return _change(
        account_id,
        "role",
        lambda session: people.change_role(session, by=actor, account_id=account_id, role=role, now=now),
        field="role",
    )


@gates.need(Permission.MANAGE_USERS, step_up=True)
def wards_form(account_id: UUID) -> Response:
    """Which wards."""
    return _form(account_id, "wards")


@gates.need(Permission.MANAGE_USERS, step_up=True)
def set_wards(account_id: UUID) -> Response:
    """Put somebody into wards."""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        ward_ids, error = forms.ward_ids(request.form, all_wards(session))
    if error:
        return _form(account_id, "wards", {"ward": error}, status=422)
    return _change(
        account_id,
        "wards",
        lambda session: people.set_wards(
            session, by=actor, account_id=account_id, ward_ids=ward_ids, now=now
        ),
        field="ward",
    )


@gates.need(Permission.MANAGE_USERS, step_up=True)
def deactivation_form(account_id: UUID) -> Response:
    """What follows when access ends."""
    return _form(account_id, "deactivation")


@gates.need(Permission.MANAGE_USERS, step_up=True)
def deactivate(account_id: UUID) -> Response:
    """End somebody's access."""
    actor, now = login.actor(), clock.now()
    return _change(
        account_id,
        "deactivation",
        lambda session: people.deactivate(session, by=actor, account_id=account_id, now=now),
    )


@gates.need(Permission.MANAGE_USERS, step_up=True)
def factor_form(account_id: UUID) -> Response:
    """What follows when the second factor is taken away."""
    return _form(account_id, "second-factor")


@gates.need(Permission.MANAGE_USERS, step_up=True)
def reset_factor(account_id: UUID) -> Response:
    """Take away the second factor of who has lost it."""
    by, now = login.actor().account_id, clock.now()

    def reset(session: Session) -> None:
        directory.person(session, account_id)
        second_factor.reset(session, by=by, account_id=account_id, now=now)

    return _change(account_id, "second-factor", reset)


@gates.need(Permission.MANAGE_USERS, step_up=True)
def reactivate(account_id: UUID) -> Response:
    """Let somebody sign in again."""
    actor, now = login.actor(), clock.now()
    return _change(
        account_id,
        "reactivation",
        lambda session: people.reactivate(session, by=actor, account_id=account_id, now=now),
    )


@gates.need(Permission.MANAGE_USERS, step_up=True)
def end_sessions(account_id: UUID) -> Response:
    """End every sign-in of somebody; of oneself, all but this one."""
    found, now = login.session_of_view(), clock.now()

    def end(session: Session) -> None:
        directory.person(session, account_id)
        ended = sessions.end_all(
            session, account_id, because="ended by an administrator", now=now, but=found.session_id
        )
        if ended:
            detail = {"because": "ended by an administrator", "sessions": ended}
            audit.record(session, "session.ended", subject=("account", account_id), detail=detail)

    return _change(account_id, "sessions", end)


@gates.need(Permission.MANAGE_USERS, step_up=True)
def invite_again(account_id: UUID) -> Response:
    """Send a new invitation to who has not used the first."""
    actor, now = login.actor(), clock.now()
    base_url = current_app.extensions["config"].base_url

    def invite(session: Session) -> None:
        person = directory.person(session, account_id)
        if person.state is not State.INVITED:
            raise ConflictError("This person does not wait for an invitation. Reload the page.")
        people.invite(
            session,
            by=actor,
            email=person.email,
            role=person.role,
            name=person.name,
            ward_ids=person.ward_ids,
            patient_id=person.patient_id,
            base_url=base_url,
            now=now,
            tell=letters.tell,
        )

    return _change(account_id, "invitation", invite)


def _change(
    account_id: UUID, kind: str, change: Callable[[Session], None], *, field: str = "form"
) -> Response:
    """Do it and lead back to the account, or say on the page it came from what to do instead."""
    try:
        with db.transaction() as session:
            change(session)
    except NotFoundError:
        raise
    except DomainError as error:
        status = 409 if isinstance(error, ConflictError) else 422
        if kind in TITLES:
            return _form(account_id, kind, {field: str(error)}, status=status)
        return _page(account_id, {"form": str(error)}, status=status)
    return forms.see(f"/admin/users/{account_id}?done={kind}")


def _page(account_id: UUID, errors: Errors | None = None, *, status: int = 200) -> Response:
    now = clock.now()
    with db.transaction(read_only=True) as session:
        person = directory.person(session, account_id)
        data: dict[str, Any] = {
            "wards": [ward for ward in all_wards(session) if ward.id in person.ward_ids],
            "factor": second_factor.status(session, account_id),
            "sessions": directory.open_sessions(session, account_id, now=now),
            "emergencies": directory.emergencies(session, account_id, now=now),
        }
    return pages.answer(
        "admin/user.html",
        f"Error: {person.name}" if errors else person.name,
        status=status,
        person=person,
        errors=errors or {},
        done=request.args.get("done", "") if not errors else "",
        is_self=account_id == login.actor().account_id,
        in_words=browsers.in_words,
        own_session_id=login.session_of_view().session_id,
        now=now,
        **data,
    )


def _form(account_id: UUID, kind: str, errors: Errors | None = None, *, status: int = 200) -> Response:
    with db.transaction(read_only=True) as session:
        person = directory.person(session, account_id)
        wards = all_wards(session)
    title = TITLES[kind]
    return pages.answer(
        "admin/change.html",
        f"Error: {title}" if errors else title,
        status=status,
        person=person,
        kind=kind,
        wards=wards,
        roles=ROLES,
        errors=errors or {},
    )
