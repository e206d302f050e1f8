"""A new password, a new e-mail address: `/profile/password`, `/profile/email`. Both ask for the present password."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, make_response, redirect, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.domain import throttle
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts import people, profile, proving, sessions
from silverwatch.domain.errors import DomainError
from silverwatch.domain.throttle import Limit
from silverwatch.web import gates, letters, login, pages

LETTERS = Limit(name="new address", tries=5, per=timedelta(hours=1))
"""Nobody gets a stranger's mailbox filled by changing an address again and again."""

CURRENT_ADVICE = "Enter your present password."
TOO_MANY = "We have sent several letters within an hour. Look into the mailbox, or wait and try again."

Errors = dict[str, str]


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    for url, form, change in (
        ("/profile/password", own_password, change_own_password),
        ("/profile/email", own_email, change_own_email),
    ):
        blueprint.add_url_rule(url, view_func=form)
        blueprint.add_url_rule(url, view_func=change, methods=["POST"])


@gates.need(Permission.OWN_ACCOUNT)
def own_password() -> Response:
    """Ask for the present password and a new one."""
    return _password_page()


@gates.need(Permission.OWN_ACCOUNT)
def change_own_password() -> Response:
    """Change it; every other sign-in ends, this one gets a new token."""
    current, new = request.form.get("current", ""), request.form.get("new", "")
    errors = {} if current else {"current": CURRENT_ADVICE}
    if not new:
        errors["new"] = "Enter a new password."
    if errors:
        return _password_page(errors)
    found, now, token = login.session_of_view(), clock.now(), ""
    with db.transaction() as session:
        if not _given(session, current, action="password.changed", now=now, errors=errors):
            return _sign_in_again()
        if not errors:
            try:
                people.change_password(
                    session,
                    account_id=found.actor.account_id,
                    current=current,
                    new=new,
                    keep_session=found.session_id,
                    now=now,
                    tell=letters.tell,
                )
                token = sessions.renew(session, found.session_id, now=now)
            except DomainError as error:
                # Raised before anything was changed: what stands in this transaction is as it was.
                errors["new"] = str(error)
    if errors:
        return _password_page(errors)
    login.begin(token)
    return make_response(redirect("/profile?saved=password", 303))


@gates.need(Permission.OWN_ACCOUNT)
def own_email() -> Response:
    """Ask for the present password and the new address."""
    return _email_page()


@gates.need(Permission.OWN_ACCOUNT)
def change_own_email() -> Response:
    """Send a link to the new address; until it is opened nothing changes, whoever has that address."""
    current, email = request.form.get("current", ""), request.form.get("email", "").replace("\0", "").strip()
    errors = {} if email else {"email": "Enter the new e-mail address."}
    if not current:
        errors["current"] = CURRENT_ADVICE
    if errors:
        return _email_page(email, errors)
    now = clock.now()
    with db.transaction() as session:
        if not _given(session, current, action="email.change_requested", now=now, errors=errors):
            return _sign_in_again()
        if not errors:
            _ask_for_email(session, email, now=now, errors=errors)
    if errors:
        return _email_page(email, errors)
    return make_response(redirect("/profile/email?sent=1", 303))


def _ask_for_email(session: Session, email: str, *, now: datetime, errors: Errors) -> None:
    account_id = login.actor().account_id
    if throttle.take(session, LETTERS, str(account_id), now=now) is not None:
        errors["form"] = TOO_MANY
        return
    try:
        people.request_email_change(
            session,
            account_id=account_id,
            email=email,
            base_url=current_app.extensions["config"].base_url,
            now=now,
            tell=letters.tell,
        )
    except DomainError as error:
        throttle.give_back(session, LETTERS, str(account_id))
        errors["email"] = str(error)


def _given(session: Session, current: str, *, action: str, now: datetime, errors: Errors) -> bool:
    """Look at the present password; False when this was the last wrong one and the session has ended."""
    wrong = proving.check_password(session, login.session_of_view(), password=current, action=action, now=now)
    if wrong is not None:
        errors["current"] = str(people.WrongPasswordError())
    return wrong != "ended"


def _sign_in_again() -> Response:
    login.end()
    return make_response(redirect("/login?because=tries", 303))


def _password_page(errors: Errors | None = None) -> Response:
    return _page("auth/change_password.html", "Change your password", errors or {})


def _email_page(email: str = "", errors: Errors | None = None) -> Response:
    is_sent = request.args.get("sent") == "1" and not errors
    return _page(
        "auth/change_email.html", "Change your e-mail address", errors or {}, email=email, is_sent=is_sent
    )


def _page(template: str, title: str, errors: Errors, **data: Any) -> Response:
    with db.transaction(read_only=True) as session:
        own = profile.own(session, login.actor().account_id, now=clock.now())
    return pages.answer(
        template,
        title,
        status=422 if errors else 200,
        own=own,
        errors=errors,
        **data,
    )
