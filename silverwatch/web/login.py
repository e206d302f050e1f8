"""Who is signed in: Flask-Login over our own session rows, so that a copied cookie dies with its row."""

from typing import Any, Final, cast

from flask import Flask, Request, Response, abort, g, redirect, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.accounts import sessions
from silverwatch.domain.accounts.sessions import Browser, SignedIn

CSRF_FIELD: Final = "csrf_token"
"""Where Flask-WTF keeps the secret of a session's forms."""


class User(UserMixin):  # type: ignore[misc]
    """What Flask-Login carries through a request. Its id is the secret token, never the account's."""

    def __init__(self, token: str, signed_in: SignedIn) -> None:
        self._token = token
        self.signed_in = signed_in

    def get_id(self) -> str:
        """The token that the cookie holds."""
        return self._token


class Sessions(SecureCookieSessionInterface):
    """Flask's own, without preparing to check a signature where no cookie came: devices send none."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """An empty session for who has none."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Nothing to write, and nothing that a cache must know, where nobody looked into it."""
        if session.accessed or session.modified:
            super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    """Read the session row of each request."""
    app.session_interface = Sessions()
    manager = LoginManager(app)
    # Its fingerprint of address and browser would sign a nurse out who walks from one access point to the next.
    manager.session_protection = None
    manager.user_loader(_load)


def _load(token: str) -> User | None:
    with db.transaction(read_only=True) as rows:
        signed_in = sessions.find(rows, token=token, now=clock.now())
    return User(token, signed_in) if signed_in else None


def signed_in() -> SignedIn | None:
    """The session of this request, if there is one; it may be locked or owe a code."""
    return current_user.signed_in if current_user.is_authenticated else None


def known_language() -> str | None:
    """The language of who is signed in, if this request knows already: an error page must not ask the database."""
    user = g.get("_login_user")  # where Flask-Login keeps whom it has loaded
    return user.signed_in.language if isinstance(user, User) else None


def actor() -> Actor:
    """Who asks. Only views behind a gate may ask this."""
    return session_of_view().actor


def session_of_view() -> SignedIn:
    """The session of this request. Only views behind a gate may ask this."""
    found = signed_in()
    if found is None:
        raise RuntimeError("a view without a gate asked who it is")
    return found


def browser() -> Browser:
    """Where this request comes from."""
    return Browser(address=request.remote_addr, name=request.headers.get("User-Agent"))


def begin(token: str) -> None:
    """Put a session, or the new token of one, into the cookie; nothing of the one before stays.

    Only the CSRF token of the same session lives on: a ward board that is open in another tab must not lose its
    Acknowledge button because somebody gave the password again in this one.
    """
    before, user = signed_in(), _load(token)
    if user is None:
        # Ended by somebody else in this very moment.
        abort(redirect("/login", 303))
    is_same = before is not None and before.session_id == user.signed_in.session_id
    csrf_token = session.get(CSRF_FIELD) if is_same else None
    session.clear()
    if csrf_token is not None:
        session[CSRF_FIELD] = csrf_token
    login_user(user)


def end() -> None:
    """Take the session out of the cookie."""
    logout_user()
    cast(dict[str, Any], session).clear()
