"""The gate before every view. A view says whom it lets in; one that says nothing lets nobody in.

Besides the permission a view says how it behaves in a session that is not wholly open: `passive` views (polls,
pushes) are no sign of life and go on in a locked session; `half_open` ones are those with which a session gets
open; `step_up` ones ask for the password again when it was not given lately.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar
from urllib.parse import quote

from flask import Flask, Response, abort, current_app, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.domain.access import GRANTS, Permission, Role
from silverwatch.domain.accounts import sessions
from silverwatch.domain.accounts.sessions import SignedIn
from silverwatch.web import auditing, login
from silverwatch.web.hypermedia import is_htmx, local_path

View = TypeVar("View", bound=Callable[..., Any])

ATTRIBUTE: Final = "silverwatch_gate"
SAY_ALIVE_EVERY: Final = timedelta(minutes=1)

WAYS: Final = {"code": "/login/code", "enrol": "/second-factor/setup", "locked": "/unlock"}
"""Where a session that is not wholly open is led."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Who may come in: holders of the `permission`; `public`: anybody; `machine`: the view checks a key itself."""

    permission: Permission | None = None
    public: bool = False
    machine: bool = False
    passive: bool = False
    while_locked: bool = False
    half_open: bool = False
    step_up: bool = False

    @property
    def roles(self) -> frozenset[Role]:
        """Whose roles have the permission."""
        return GRANTS[self.permission] if self.permission else frozenset()


def need(
    permission: Permission, *, passive: bool = False, while_locked: bool = False, step_up: bool = False
) -> Callable[[View], View]:
    """Only people whose role has this permission; the view itself checks the scope.

    `passive`: a poll or a socket, no sign of life, goes on while locked. `while_locked`: a page that a locked
    screen still shows. `step_up`: the password must have been given in the last minutes.
    """
    return _mark(Gate(permission, passive=passive, while_locked=while_locked or passive, step_up=step_up))


def public(view: View) -> View:
    """Anybody, signed in or not."""
    return _mark(Gate(public=True))(view)


def half_open(view: View) -> View:
    """Whoever has a session, also one that is not wholly open: with this view it gets there, or ends."""
    return _mark(Gate(Permission.OWN_ACCOUNT, half_open=True))(view)


def machine_key(view: View) -> View:
    """A device, a gateway or a program: the view authenticates its key or token in its own transaction."""
    return _mark(Gate(machine=True))(view)


def _mark(gate: Gate) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        setattr(view, ATTRIBUTE, gate)
        return view

    return decorate


def gate_of(view: Callable[..., Any]) -> Gate | None:
    """The gate of a view function."""
    return getattr(view, ATTRIBUTE, None)


def init_app(app: Flask) -> None:
    """Check the gate before each view."""
    app.before_request(_check)


def _check() -> Response | None:
    if request.endpoint is None or request.endpoint == "static":
        return None
    gate = gate_of(current_app.view_functions[request.endpoint])
    if gate is None:
        raise RuntimeError(f"{request.endpoint} has no gate")
    if gate.public or gate.machine:
        return None
    found = login.signed_in()
    if found is None:
        return _ask_to_sign_in()
    if found.state != "open" and not (gate.half_open or (found.state == "locked" and gate.while_locked)):
        return _lead(WAYS[found.state])
    if found.actor.role not in gate.roles:
        auditing.refused("role")
        abort(403)
    if gate.step_up and not found.is_proved(clock.now()):
        return _lead("/reauthenticate")
    if not gate.passive and found.state == "open":
        _say_alive(found)
    return None


def _say_alive(found: SignedIn) -> None:
    """Note that somebody is there, at most once a minute."""
    now = clock.now()
    if now - found.active_at >= SAY_ALIVE_EVERY:
        with db.transaction() as session:
            sessions.touch(session, found.session_id, now=now)


def _ask_to_sign_in() -> Response:
    """No session: a page leads to the sign-in, htmx is told to go there, a socket is refused."""
    if request.headers.get("Upgrade", "").lower() == "websocket":
        abort(401)
    return _lead("/login")


def _lead(way: str) -> Response:
    """To a page that opens the session, and back here afterwards; a form leads back to the page it stood on."""
    if is_htmx():
        answer = make_response("", 401)
        answer.headers["HX-Redirect"] = way
        return answer
    back = request.full_path.rstrip("?") if request.method == "GET" else _page_of_form()
    target = f"{way}?next={quote(back)}" if back and back != "/" else way
    return make_response(redirect(target, 303))


def _page_of_form() -> str | None:
    """The page that this form was on says so itself: our Referrer-Policy sends no referrer."""
    return local_path(request.form.get("next"))
