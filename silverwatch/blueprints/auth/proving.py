"""Giving the code, or the password once more: `/login/code`, `/reauthenticate`."""

from typing import Any, Final

from flask import Blueprint, Response, current_app, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.blueprints.auth import known
from silverwatch.blueprints.auth.signing import see, too_many
from silverwatch.domain.accounts import codes, proving, second_factor
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.accounts.proving import Proved
from silverwatch.domain.accounts.sessions import SignedIn, State
from silverwatch.domain.accounts.signing import TooMany
from silverwatch.web import gates, letters, login, pages

CODE: Final = "Enter the six digits that your app shows now."
WRONG: Final = {
    "password": "This is not your password. Try again.",
    "code": "This code does not fit, or was used before. Wait for the next one in your app and enter that.",
    "recovery": "This is not one of your recovery codes, or it was used before. Check it and try again.",
}


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/login/code", view_func=code_form)
    blueprint.add_url_rule("/login/code", view_func=give_code, methods=["POST"])
    blueprint.add_url_rule("/reauthenticate", view_func=reauthenticate_form)
    blueprint.add_url_rule("/reauthenticate", view_func=reauthenticate, methods=["POST"])


def keys() -> codes.Keys:
    """The keys of second factors of this site."""
    return codes.keys_of(current_app.extensions["config"])


def tell(session: Session, found: SignedIn, what: str) -> None:
    """Write the person a letter about their second factor, in the caller's transaction."""
    account = session.get_one(Account, found.actor.account_id)
    letters.tell(
        session,
        to=account.email,
        letter="second_factor_changed",
        now=clock.now(),
        language=account.language,
        name=account.name,
        what=what,
    )


def elsewhere(found: SignedIn, *here: State, target: str | None) -> Response | None:
    """Where a session in another state belongs; None when it is right here."""
    if found.state in here:
        return None
    if found.state == "open":
        return see(target or found.actor.home)
    return see(gates.WAYS[found.state], then=target)


def out(because: str, target: str | None) -> Response:
    """The session has ended: to the sign-in, which says why."""
    login.end()
    answer = see("/login", then=target)
    answer.location += f"{'&' if target else '?'}because={because}"
    return answer


@gates.half_open
def code_form() -> Response:
    """Ask for the code."""
    found, target = login.session_of_view(), pages.local_path(request.args.get("next"))
    return elsewhere(found, "code", target=target) or _late(found, target) or _code_page(target)


@gates.half_open
def give_code() -> Response:
    """The code that a half open session owes, or a recovery code."""
    found, target = login.session_of_view(), pages.local_path(request.form.get("next"))
    leave = elsewhere(found, "code", target=target) or _late(found, target)
    if leave:
        return leave
    field = "recovery" if request.form.get("recovery") else "code"
    code = codes.plain(request.form.get(field, ""))
    if not code:
        return _code_page(target, errors={field: CODE}, status=422)
    account_id = found.actor.account_id
    with db.transaction() as session:
        given = proving.give_code(
            session, found, code=code, keys=keys(), now=clock.now(), known_browser=known.name_for(account_id)
        )
        if isinstance(given, Proved) and given.way == "recovery code":
            tell(session, found, "recovery_code_used")
    if isinstance(given, Proved):
        login.begin(given.token)
        return known.remember(see(target or found.actor.home), account_id)
    if isinstance(given, TooMany):
        return too_many(given, "auth/code.html", "Enter your code", target=target or "", errors={})
    if given == "ended":
        return out("tries", target)
    return _code_page(target, errors={field: WRONG[field]}, status=422)


def _late(found: SignedIn, target: str | None) -> Response | None:
    """Whoever gave the password long ago may be somebody else by now."""
    now = clock.now()
    if found.is_proved(now):
        return None
    with db.transaction() as session:
        proving.give_up(session, found.session_id, now=now)
    return out("late", target)


def _code_page(target: str | None, *, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    return pages.answer(
        "auth/code.html", "Enter your code", status=status, target=target or "", errors=errors or {}
    )


@gates.half_open
def reauthenticate_form() -> Response:
    """Ask for the password again, in a session that is open or has to set up the second factor."""
    found, target = login.session_of_view(), pages.local_path(request.args.get("next"))
    return elsewhere(found, "open", "enrol", target=target) or _password_page(found, target)


@gates.half_open
def reauthenticate() -> Response:
    """The password again: for some minutes nobody is asked for it any more."""
    found, target = login.session_of_view(), pages.local_path(request.form.get("next"))
    leave = elsewhere(found, "open", "enrol", target=target)
    if leave:
        return leave
    password, code = request.form.get("password", ""), codes.plain(request.form.get("code", ""))
    errors = {} if password else {"password": "Enter your password."}
    if not code and _has_factor(found):
        errors["code"] = CODE
    if errors:
        return _password_page(found, target, errors=errors)
    with db.transaction() as session:
        given = proving.give_password(
            session,
            found,
            password=password,
            code=code,
            keys=keys(),
            now=clock.now(),
            known_browser=known.name_for(found.actor.account_id),
        )
        if isinstance(given, Proved) and given.way == "recovery code":
            tell(session, found, "recovery_code_used")
    if isinstance(given, Proved):
        login.begin(given.token)
        return see(target or found.actor.home)
    if isinstance(given, TooMany):
        return too_many(
            given, "auth/reauthenticate.html", "Enter your password again", **_asked(found, target)
        )
    if given == "ended":
        return out("tries", target)
    return _password_page(found, target, errors={given: WRONG[given]})


def _has_factor(found: SignedIn) -> bool:
    with db.transaction(read_only=True) as session:
        return second_factor.status(session, found.actor.account_id) is not None


def _asked(found: SignedIn, target: str | None) -> dict[str, Any]:
    return {"target": target or "", "errors": {}, "has_factor": _has_factor(found)}


def _password_page(found: SignedIn, target: str | None, *, errors: dict[str, str] | None = None) -> Response:
    data = _asked(found, target) | {"errors": errors or {}}
    return pages.answer(
        "auth/reauthenticate.html", "Enter your password again", status=422 if errors else 200, **data
    )
