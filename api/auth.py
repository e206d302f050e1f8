"""People who work with programs: getting an account, access and refresh tokens, and who one is."""

from collections.abc import Callable, Collection
from typing import Final
from uuid import UUID

from flask import Response, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from api import access_tokens, bearer, bodies, bp, entering, schemas
from api.problems import Problem
from silverwatch import clock, db
from silverwatch.domain.accounts import asking, passwords, people, service, tokens
from silverwatch.domain.accounts.api_keys import Program
from silverwatch.domain.accounts.entries import email_of, name_of
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.accounts.tokens import Refreshed
from silverwatch.domain.errors import DomainError
from silverwatch.domain.wards.models import Ward
from silverwatch.web import gates, letters

_AGAIN: Final = "This refresh token is not good, or not any more. Sign in again."


@bp.post("/api/auth/register/")
@gates.public
def register() -> Response:
    """Ask for a patient's account: 202, the same for an address that is known."""
    sent = bodies.read(schemas.Registration)
    _check(sent)
    now = clock.now()
    with db.transaction() as session:
        refused = asking.ask_for_letter(
            session, action="account.registered", email=sent.email, address=request.remote_addr, now=now
        )
    if refused is not None:
        raise bearer.too_many(refused.wait_s)
    with db.transaction() as session:
        people.register_patient(
            session,
            name=sent.name,
            email=sent.email,
            password=sent.password,
            base_url=bearer.config().base_url,
            now=now,
            tell=letters.tell,
        )
    return bodies.answer(schemas.Registered(), 202)


def _check(sent: schemas.Registration) -> None:
    """Raises Problem 422 with all that does not fit at once; it says nothing about who is known."""
    checks: dict[str, Callable[[], object]] = {
        "/email": lambda: email_of(sent.email),
        "/name": lambda: name_of(sent.name),
        "/password": lambda: passwords.check_new(sent.password, email=sent.email, name=sent.name),
    }
    errors = []
    for pointer, check in checks.items():
        try:
            check()
        except DomainError as error:
            errors.append((pointer, str(error)))
    if errors:
        raise Problem(422, "The body does not fit.", errors=errors)


@bp.post("/api/auth/login/")
@gates.public
def log_in() -> Response:
    """Tokens for a password, and a code where the account has a second factor."""
    return _tokens(entering.enter(bodies.read(schemas.Credentials)))


@bp.post("/api/auth/refresh/")
@gates.public
def refresh() -> Response:
    """New tokens for a refresh token, which is used up; one that comes back ends the session."""
    sent = bodies.read(schemas.Refresh).refresh
    if not sent.startswith(tokens.PREFIX):
        raise bearer.refused("refresh token: malformed", detail=_AGAIN)
    with db.transaction() as session:
        found = tokens.refresh(session, token=sent, now=clock.now())
    if isinstance(found, Refreshed):
        return _tokens(found)
    if found == "reused":
        raise bearer.unauthorized(_AGAIN)
    raise bearer.refused(f"refresh token: {found}", detail=_AGAIN)


def _tokens(found: Refreshed) -> Response:
    signed_in = found.signed_in
    access, expires_in = access_tokens.issue(
        bearer.config(),
        account_id=signed_in.actor.account_id,
        session_id=signed_in.session_id,
        expires_at=signed_in.expires_at,
        now=clock.now(),
    )
    return bodies.answer(schemas.Tokens(access=access, expires_in=expires_in, refresh=found.refresh))


@bp.post("/api/auth/logout/")
@gates.machine_key
def log_out() -> Response:
    """End the session of this access token, and its refresh token with it."""
    found = bearer.person()
    with db.transaction() as session:
        service.sign_out(session, session_id=found.session_id, now=clock.now())
    return Response(status=204)


@bp.get("/api/auth/me/")
@gates.machine_key
def get_me() -> Response:
    """Who calls, as it is now."""
    found = bearer.caller()
    with db.transaction(read_only=True) as session:
        wards = _wards(session, found.ward_ids)
        if isinstance(found, Program):
            key = schemas.Key(
                key=found.name, scopes=sorted(found.scopes), wards=wards, expires_at=found.expires_at
            )
            return bodies.answer(key)
        email = session.scalar(select(Account.email).where(Account.id == found.account_id)) or ""
    me = schemas.Me(
        id=found.account_id,
        email=email,
        name=found.name,
        role=found.role.value,
        wards=wards,
        patient=found.patient_id,
    )
    return bodies.answer(me)


def _wards(session: Session, ward_ids: Collection[UUID]) -> list[schemas.WardName]:
    wards = session.scalars(select(Ward).where(Ward.id.in_(ward_ids)).order_by(Ward.name))
    return [schemas.WardName(slug=ward.slug, name=ward.name) for ward in wards]
