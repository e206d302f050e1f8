"""Getting an account: `/register`, `/confirm`, `/welcome`.

Everybody may come here. What a page says never depends on whether an address has an account. A GET changes nothing:
mail scanners open every link that they see.
"""

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.auth import cards, recovery
from silverwatch.blueprints.auth.cards import Form
from silverwatch.domain.accounts import entries, links, passwords, people
from silverwatch.domain.accounts.links import LinkEndedError
from silverwatch.domain.errors import DomainError
from silverwatch.web import gates, letters

REGISTER = "Make a patient's account"


def register(blueprint: Blueprint) -> None:
    """Add the routes, with those of recovery."""
    for rule, view, method in (
        ("/register", registration_form, "GET"),
        ("/register", send_registration, "POST"),
        ("/register/sent", registration_sent, "GET"),
        ("/confirm/<token>", confirmation_form, "GET"),
        ("/confirm/<token>", confirm, "POST"),
        ("/confirm", confirmed, "GET"),
        ("/welcome/<token>", welcome_form, "GET"),
        ("/welcome/<token>", welcome, "POST"),
    ):
        blueprint.add_url_rule(rule, view_func=view, methods=[method])
    recovery.register(blueprint)


@gates.public
def registration_form() -> Response:
    """Ask who wants a patient's account."""
    return cards.page("auth/register.html", REGISTER, form=Form())


@gates.public
def send_registration() -> Response:
    """Note the wish and send a letter, the same for an address that is known. Nothing else in the form counts."""
    form, password = cards.sent(), request.form.get("password", "")
    form.take("name", entries.name_of)
    form.take("email", entries.email_of)
    if not form.errors:
        try:
            passwords.check_new(password, email=form.email, name=form.name)
        except DomainError as error:
            form.errors["password"] = str(error)
    elif not password:
        form.errors["password"] = "Choose a password."
    if form.errors:
        return cards.page("auth/register.html", REGISTER, form=form)
    if refusal := cards.ask("account.registered", form.email):
        return cards.too_many(refusal, "auth/register.html", REGISTER, form)
    with db.transaction() as session:
        people.register_patient(
            session,
            name=form.name,
            email=form.email,
            password=password,
            base_url=cards.base_url(),
            now=clock.now(),
            tell=letters.tell,
        )
    return cards.see("/register/sent")


@gates.public
def registration_sent() -> Response:
    """What happens next."""
    return cards.page("auth/register_sent.html", "Look into your mail")


@gates.public
def confirmation_form(token: str) -> Response:
    """Show what is confirmed, ask for the password, and give the button that does it."""
    return _confirmation(token, Form())


def _confirmation(token: str, form: Form) -> Response:
    with db.transaction(read_only=True) as session:
        try:
            email = links.peek(session, kind="confirmation", token=token, now=clock.now()).email
        except LinkEndedError:
            return cards.ended()
    return cards.page(
        "auth/confirm.html", "Confirm your e-mail address", kind="account", email=email, form=form
    )


@gates.public
def confirm(token: str) -> Response:
    """The address is theirs."""
    try:
        with db.transaction() as session:
            people.confirm_email(
                session, token=token, password=request.form.get("password", ""), now=clock.now()
            )
    except LinkEndedError:
        return cards.ended()
    except DomainError as error:
        return _confirmation(token, Form(errors={"password": str(error)}))
    return cards.see("/confirm")


@gates.public
def confirmed() -> Response:
    """What happens next."""
    return cards.page("auth/confirmed.html", "Your address is confirmed", kind="account")


@gates.public
def welcome_form(token: str) -> Response:
    """Ask the invited person for a password."""
    return cards.password_page("invitation", token, Form())


@gates.public
def welcome(token: str) -> Response:
    """Take the password; they sign in with it."""
    try:
        with db.transaction() as session:
            people.accept_invitation(
                session, token=token, password=request.form.get("password", ""), now=clock.now()
            )
    except LinkEndedError:
        return cards.ended()
    except DomainError as error:
        return cards.password_page("invitation", token, Form(errors={"password": str(error)}))
    return cards.see("/login?done=welcome")
