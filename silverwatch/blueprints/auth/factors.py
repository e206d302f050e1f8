"""The second factor: setting it up, its recovery codes, turning it off."""

from typing import Final
from urllib.parse import quote

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.auth import known, proving
from silverwatch.blueprints.auth.proving import CODE, elsewhere, keys, tell
from silverwatch.blueprints.auth.signing import see
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts import codes, second_factor, sessions
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.accounts.sessions import SignedIn
from silverwatch.domain.errors import DomainError
from silverwatch.web import gates, login, pages
from silverwatch.web.factor_views import Offer, groups_of, qr_code

ISSUER: Final = "Silver Watch"
SETUP: Final = "/second-factor/setup"
PAGE: Final = "/profile/second-factor"
EXPIRED: Final = "This page was open for too long. Scan the new picture below and enter its code."


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    proving.register(blueprint)
    blueprint.add_url_rule(SETUP, view_func=second_factor_form)
    blueprint.add_url_rule(SETUP, view_func=set_up_second_factor, methods=["POST"])
    blueprint.add_url_rule(PAGE, view_func=second_factor_page)
    blueprint.add_url_rule(f"{PAGE}/codes", view_func=new_recovery_codes, methods=["POST"])
    blueprint.add_url_rule(f"{PAGE}/removal", view_func=turn_off_second_factor, methods=["POST"])


@gates.half_open
def second_factor_form() -> Response:
    """Offer a seed to whoever gave the password lately; nothing is stored yet."""
    found, target = login.session_of_view(), pages.local_path(request.args.get("next"))
    leave = elsewhere(found, "open", "enrol", target=target)
    if leave:
        return leave
    if not found.is_proved(clock.now()):
        return _prove_first(target)
    return _offer(found, codes.new_seed(), target)


@gates.half_open
def set_up_second_factor() -> Response:
    """Turn the factor on with a code of the app, then show the recovery codes, this once."""
    found, target = login.session_of_view(), pages.local_path(request.form.get("next"))
    leave = elsewhere(found, "open", "enrol", target=target)
    if leave:
        return leave
    now, session_id = clock.now(), found.session_id
    # Only who had given the password lately was offered a seed: the offer stands in for it.
    seed = second_factor.taken(request.form.get("offer", ""), session_id=session_id, keys=keys(), now=now)
    if seed is None:
        if not found.is_proved(now):
            return _prove_first(target)
        return _offer(found, codes.new_seed(), target, error=EXPIRED)
    code = codes.plain(request.form.get("code", ""))
    try:
        with db.transaction() as session:
            fresh = second_factor.set_up(
                session,
                account_id=found.actor.account_id,
                session_id=session_id,
                seed=seed,
                code=code,
                keys=keys(),
                now=now,
            )
            token = sessions.renew(session, session_id, now=now, second_factor=True)
            tell(session, found, "set_up")
    except DomainError as error:
        return _offer(found, seed, target, error=str(error) if code else CODE)
    login.begin(token)
    return known.remember(_show_codes(fresh, target or found.actor.home), found.actor.account_id)


def _prove_first(target: str | None) -> Response:
    return see("/reauthenticate", then=f"{SETUP}?next={quote(target)}" if target else SETUP)


def _offer(found: SignedIn, seed: bytes, target: str | None, *, error: str | None = None) -> Response:
    """The page with the QR code; with an error it is the answer to a form."""
    now, account_id = clock.now(), found.actor.account_id
    with db.transaction(read_only=True) as session:
        email = session.get_one(Account, account_id).email
        is_change = second_factor.status(session, account_id) is not None
    link = codes.link(seed, issuer=ISSUER, account=email)
    offer = Offer(
        qr=qr_code(link),
        groups=groups_of(codes.as_text(seed)),
        link=link,
        sealed=second_factor.offer(seed, session_id=found.session_id, keys=keys(), now=now),
        is_change=is_change,
        is_owed=found.state == "enrol",
        target=target or "",
        errors={"code": error} if error else {},
    )
    title = "Change your app" if is_change else "Set up a second factor"
    return pages.answer(
        "auth/setup_factor.html",
        title,
        status=422 if error else 200,
        offer=offer,
    )


def _show_codes(fresh: list[str], target: str) -> Response:
    """Not behind a 303: they are shown in this answer and nowhere else."""
    return pages.answer("auth/recovery_codes.html", "Keep your recovery codes", codes=fresh, target=target)


@gates.need(Permission.OWN_ACCOUNT)
def second_factor_page() -> Response:
    """How one's own second factor stands."""
    return _page(login.session_of_view())


@gates.need(Permission.OWN_ACCOUNT, step_up=True)
def new_recovery_codes() -> Response:
    """New recovery codes instead of those of before."""
    found = login.session_of_view()
    try:
        with db.transaction() as session:
            fresh = second_factor.new_codes(session, account_id=found.actor.account_id, keys=keys())
            tell(session, found, "codes")
    except DomainError as error:
        return _page(found, error=str(error))
    return _show_codes(fresh, PAGE)


@gates.need(Permission.OWN_ACCOUNT, step_up=True)
def turn_off_second_factor() -> Response:
    """Take the own factor away, where the site does not require it."""
    found = login.session_of_view()
    account_id = found.actor.account_id
    try:
        with db.transaction() as session:
            second_factor.turn_off(
                session,
                account_id=account_id,
                role=found.actor.role,
                session_id=found.session_id,
                now=clock.now(),
            )
            tell(session, found, "off")
    except DomainError as error:
        with db.transaction() as session:
            detail = {"because": "required, or off already"}
            audit.record(session, "second_factor.turned_off", outcome="refused", detail=detail)
        return _page(found, error=str(error))
    return see(PAGE)


def _page(found: SignedIn, *, error: str | None = None) -> Response:
    with db.transaction(read_only=True) as session:
        status = second_factor.status(session, found.actor.account_id)
        is_required = second_factor.is_required(session, found.actor.role)
    return pages.answer(
        "auth/second_factor.html",
        "Second factor",
        status=422 if error else 200,
        factor=status,
        is_required=is_required,
        setup_url=f"{SETUP}?next={PAGE}",
        here=PAGE,
        errors={"form": error} if error else {},
    )
