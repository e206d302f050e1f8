"""How a program gets in with a person's password, and a code where the account has a second factor.

The throttles and the audit are those of the page. Until everything that is owed was given there is no session.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from flask import request
from sqlalchemy.orm import Session

from api import bearer
from api.problems import Problem
from api.schemas import Credentials
from silverwatch import clock, db
from silverwatch.domain import audit
from silverwatch.domain.accounts import codes, second_factor, service, sessions, signing, tokens
from silverwatch.domain.accounts.sessions import Browser, SignedIn
from silverwatch.domain.accounts.tokens import Refreshed

CODE_NEEDED: Final = "urn:silverwatch:second-factor-needed"
"""The type of the problem that asks for a code; every other 401 means that the password is wrong."""

_WORDS: Final[dict[str, tuple[int, str]]] = {
    "wrong": (401, "The e-mail address and the password do not fit together."),
    "unconfirmed": (403, "Open the link that was sent to this address first."),
    "unapproved": (403, "This account waits for an administrator."),
    "no code": (401, "A code of your second factor is needed: send it as otp."),
    "wrong code": (
        401,
        "A code of your second factor is needed: send it as otp. The one that was sent is wrong or was used before.",
    ),
    "not set up": (403, "Set up the second factor in the browser first."),
}


class _OwedError(Exception):
    """The password is right and something else is missing: what was begun is undone."""

    def __init__(self, what: str, account_id: UUID) -> None:
        super().__init__(what)
        self.what = what
        self.account_id = account_id


def enter(sent: Credentials) -> Refreshed:
    """A new session and its first refresh token; raises Problem 401, 403 or 429, each noted once."""
    now = clock.now()
    with db.transaction() as session:
        granted = signing.ask_to_sign_in(session, email=sent.email, address=request.remote_addr, now=now)
    password = _granted(granted)
    try:
        return _open(sent, password, now=now)
    except _OwedError as owed:
        if owed.what != "no code" or not sent.otp:
            raise _note(owed, password) from None
        code = _try_code(owed.account_id, now=now)
    try:
        return _open(sent, password, code, now=now)
    except _OwedError as owed:
        raise _note(owed, password) from None


def _try_code(account_id: UUID, *, now: datetime) -> signing.Try:
    """A try at the code. Only who knows the password gets here: nobody else can use these tries up."""
    with db.transaction() as session:
        asked = signing.ask_for_code(session, account_id=account_id, now=now)
    return _granted(asked)


def _granted(asked: signing.Try | signing.TooMany) -> signing.Try:
    if isinstance(asked, signing.TooMany):
        raise bearer.too_many(asked.wait_s)
    return asked


def _open(sent: Credentials, *tries: signing.Try, now: datetime) -> Refreshed:
    """One transaction. Two `tries`: the code may be looked at too. Raises Problem, or _OwedError undoing it all."""
    browser = Browser(address=request.remote_addr, name=request.headers.get("User-Agent"))
    with db.transaction() as session:
        opened = service.sign_in(
            session, email=sent.email, password=sent.password, now=now, browser=browser, kind="api"
        )
        if isinstance(opened, service.Entered):
            found = opened.signed_in
            _pay(session, found, sent.otp if len(tries) > 1 else None, now=now)
            for granted in tries:
                signing.succeeded(session, granted)
            refresh = tokens.issue(session, session_id=found.session_id, expires_at=found.expires_at, now=now)
            return Refreshed(refresh=refresh, signed_in=found)
    # After the commit: the refusal is noted in there.
    raise _refusal(opened)


def _pay(session: Session, found: SignedIn, otp: str | None, *, now: datetime) -> None:
    """Give what the session still owes; raises _OwedError."""
    account_id = found.actor.account_id
    if found.state == "enrol":
        raise _OwedError("not set up", account_id)
    if found.state != "code":
        return
    if otp is None:
        raise _OwedError("no code", account_id)
    keys = codes.keys_of(bearer.config())
    if not second_factor.check(session, account_id=account_id, code=otp, keys=keys, now=now):
        raise _OwedError("wrong code", account_id)
    sessions.renew(session, found.session_id, now=now, second_factor=True)


def _note(owed: _OwedError, granted: signing.Try) -> Problem:
    """The refusal, in the audit; the password was right, so that try does not count."""
    with db.transaction() as session:
        signing.succeeded(session, granted)
        audit.record(
            session,
            "session.second_factor",
            outcome="refused",
            subject=("account", owed.account_id),
            detail={"because": owed.what},
        )
    return _refusal(owed.what)


def _refusal(because: str) -> Problem:
    status, detail = _WORDS[because]
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    kind = CODE_NEEDED if because in {"no code", "wrong code"} else "about:blank"
    return Problem(status, detail, headers=headers, kind=kind)
