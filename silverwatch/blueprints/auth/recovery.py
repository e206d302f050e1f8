"""Keeping an account: `/forgot`, `/reset`, and the link to a new e-mail address, `/email`."""

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.auth import cards
from silverwatch.blueprints.auth.cards import Form
from silverwatch.domain.accounts import entries, links, people
from silverwatch.domain.accounts.links import LinkEndedError
from silverwatch.domain.errors import ConflictError, DomainError
from silverwatch.web import gates, letters, login

FORGOT = "Forgot your password?"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    for rule, view, method in (
        ("/forgot", forgot_form, "GET"),
        ("/forgot", send_forgot, "POST"),
        ("/forgot/sent", forgot_sent, "GET"),
        ("/reset/<token>", reset_form, "GET"),
        ("/reset/<token>", reset, "POST"),
        ("/email/<token>", email_form, "GET"),
        ("/email/<token>", change_email, "POST"),
        ("/email", email_changed, "GET"),
    ):
        blueprint.add_url_rule(rule, view_func=view, methods=[method])


@gates.public
def forgot_form() -> Response:
    """Ask for the address."""
    return cards.page("auth/forgot.html", FORGOT, form=Form())


@gates.public
def send_forgot() -> Response:
    """Send a link if there is such an account; the answer is the same if not."""
    form = cards.sent()
    form.take("email", entries.email_of)
    if form.errors:
        return cards.page("auth/forgot.html", FORGOT, form=form)
    if refusal := cards.ask("password.reset_requested", form.email):
        return cards.too_many(refusal, "auth/forgot.html", FORGOT, form)
    with db.transaction() as session:
        people.request_reset(
            session, email=form.email, base_url=cards.base_url(), now=clock.now(), tell=letters.tell
        )
    return cards.see("/forgot/sent")


@gates.public
def forgot_sent() -> Response:
    """What happens next."""
    return cards.page("auth/forgot_sent.html", "Look into your mail")


@gates.public
def reset_form(token: str) -> Response:
    """Ask for a new password."""
    return cards.password_page("reset", token, Form())


@gates.public
def reset(token: str) -> Response:
    """Take the new password; they sign in with it, and with the second factor that they had."""
    try:
        with db.transaction() as session:
            people.reset_password(
                session,
                token=token,
                password=request.form.get("password", ""),
                now=clock.now(),
                tell=letters.tell,
            )
    except LinkEndedError:
        return cards.ended()
    except DomainError as error:
        return cards.password_page("reset", token, Form(errors={"password": str(error)}))
    return cards.see("/login?done=reset")


@gates.public
def email_form(token: str) -> Response:
    """Show the new address, and the button that takes it."""
    with db.transaction(read_only=True) as session:
        try:
            email = links.peek(session, kind="email", token=token, now=clock.now()).email
        except LinkEndedError:
            return cards.ended()
    return cards.page("auth/confirm.html", "Confirm your e-mail address", kind="email", email=email)


@gates.public
def change_email(token: str) -> Response:
    """The account has the new address; the session in this browser goes on if it is theirs."""
    found = login.signed_in()
    try:
        with db.transaction() as session:
            people.confirm_email_change(
                session,
                token=token,
                now=clock.now(),
                tell=letters.tell,
                keep_session=found.session_id if found else None,
            )
    except (LinkEndedError, ConflictError):
        return cards.ended()
    return cards.see("/email")


@gates.public
def email_changed() -> Response:
    """What happens next."""
    return cards.page("auth/confirmed.html", "Your address is confirmed", kind="email")
