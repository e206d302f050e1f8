"""Who calls: `Authorization: Bearer` with the access token of a person or the API key of a program.

A cookie is nothing here. A request without any token is asked for one; every other refusal is in the audit, once.
"""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Final

from flask import current_app, request

from api import access_tokens
from api.problems import Problem
from silverwatch import clock, db
from silverwatch.config import Config
from silverwatch.domain import audit, throttle
from silverwatch.domain.access import Actor
from silverwatch.domain.accounts import api_keys, sessions, signing, tokens
from silverwatch.domain.accounts.api_keys import Program
from silverwatch.domain.accounts.sessions import SignedIn
from silverwatch.web import auditing
from silverwatch.web.gates import SAY_ALIVE_EVERY

log = logging.getLogger(__name__)

NEEDED: Final = "A valid access token or API key is needed."
WRONG: Final = throttle.Limit(name="bearer", tries=300, per=timedelta(minutes=10))
"""Bad tokens of one address. Good ones are never held up: a row of the audit cannot be taken away again, so not
everybody may add as many as they like."""


def caller(scope: str | None = None) -> Actor | Program:
    """Who calls. Raises Problem 401, and 403 for a key that was not made for `scope`.

    A person's rights are their role and wards, for the endpoint to ask; a key's are its scopes and wards.
    """
    token = _presented()
    if not token.startswith(api_keys.PREFIX):
        return _person(token).actor
    found = _program(token)
    if scope is not None and not found.may(scope):
        raise _out_of_scope(scope)
    return found


def person() -> SignedIn:
    """The session of the person who calls. Raises Problem 401, and 403 for a program."""
    token = _presented()
    if token.startswith(api_keys.PREFIX):
        _program(token)
        auditing.refused("bearer: a key has no session")
        raise Problem(403, "An API key has no session. Use an access token.")
    return _person(token)


def config() -> Config:
    """The site's settings."""
    found: Config = current_app.extensions["config"]
    return found


def refused(because: str, *, detail: str = NEEDED) -> Problem:
    """401, the same for every bad token, noted once; 429 for an address that sends far too many of them."""
    network = signing.network_of(request.remote_addr)
    with db.transaction() as session:
        wait = throttle.take(session, WRONG, network, now=clock.now())
    if wait is not None:
        log.warning("too many bad tokens from %s", network)
        return too_many(wait)
    auditing.refused(because)
    return unauthorized(detail)


def unauthorized(detail: str = NEEDED) -> Problem:
    """401 for a bad token, for who has noted it already."""
    return Problem(401, detail, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def too_many(wait: float) -> Problem:
    """429: come again after so many seconds."""
    return Problem(429, "Too many tries. Wait a moment.", headers={"Retry-After": str(int(wait) + 1)})


def _presented() -> str:
    """The token of the request; raises Problem 401 for none, unnoted, and for one that cannot be ours."""
    header = request.headers.get("Authorization", "").strip()
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if not header or (scheme.lower() == "bearer" and not token):
        raise Problem(401, NEEDED, headers={"WWW-Authenticate": "Bearer"})
    if scheme.lower() != "bearer" or not token.isascii() or len(token) > access_tokens.LONGEST:
        raise refused("bearer: malformed")
    return token


def _person(token: str) -> SignedIn:
    now = clock.now()
    try:
        named = access_tokens.read(config(), token, now=now)
    except access_tokens.AccessTokenError as error:
        raise refused(f"access token: {error}") from None
    with db.transaction() as session:
        found = tokens.find(session, named.session_id, now=now)
        if found and now - found.active_at >= SAY_ALIVE_EVERY:
            sessions.touch(session, found.session_id, now=now)
    if found is None or found.actor.account_id != named.account_id:
        raise refused("access token: its session has ended")
    audit.set_who(replace(audit.who(), actor=found.actor, session_id=found.session_id))
    return found


def _program(token: str) -> Program:
    now = clock.now()
    with db.transaction() as session:
        found = api_keys.find(session, key=token, now=now)
        if found:
            api_keys.note_use(session, found.key_id, now=now)
    if found is None:
        raise refused("api key: unknown, expired or revoked")
    audit.set_who(replace(audit.who(), program=found.name, session_id=found.key_id))
    return found


def _out_of_scope(scope: str) -> Problem:
    auditing.refused(f"api key: not made for {scope}")
    return Problem(
        403,
        f"This key was not made for {scope}.",
        headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
    )
