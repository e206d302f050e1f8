"""The gate before every view. A view says whom it lets in; one that says nothing lets nobody in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote

from flask import Flask, Response, abort, current_app, make_response, redirect, request

from silverwatch.domain.access import Role
from silverwatch.web import login
from silverwatch.web.hypermedia import is_htmx

View = TypeVar("View", bound=Callable[..., Any])

ATTRIBUTE: Final = "silverwatch_gate"


@dataclass(frozen=True, slots=True)
class Gate:
    """`roles` may come in; `public`: anybody; `device`: the view itself checks a device's key."""

    roles: frozenset[Role] = frozenset()
    public: bool = False
    device: bool = False


def allow(*roles: Role) -> Callable[[View], View]:
    """Only people of these roles."""
    return _mark(Gate(roles=frozenset(roles)))


def public(view: View) -> View:
    """Anybody, signed in or not."""
    return _mark(Gate(public=True))(view)


def device_key(view: View) -> View:
    """A device or a gateway: the view authenticates the key in its own transaction."""
    return _mark(Gate(device=True))(view)


SIGNED_IN: Final = tuple(Role)


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
    if gate.public or gate.device:
        return None
    found = login.signed_in()
    if found is None:
        return _ask_to_sign_in()
    if found.actor.role not in gate.roles:
        abort(403)
    return None


def _ask_to_sign_in() -> Response:
    """No session: a page leads to the sign-in, htmx is told to go there, a socket is refused."""
    back = request.full_path.rstrip("?") if request.method == "GET" and not is_htmx() else None
    target = f"/login?next={quote(back)}" if back and back != "/" else "/login"
    if is_htmx():
        answer = make_response("", 401)
        answer.headers["HX-Redirect"] = "/login"
        return answer
    if request.headers.get("Upgrade", "").lower() == "websocket":
        abort(401)
    return make_response(redirect(target, 303))
