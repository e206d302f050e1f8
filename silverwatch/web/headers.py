"""Security headers on every answer. Nothing inline, nothing from elsewhere, nothing kept by caches."""

from collections.abc import Iterable
from typing import Any, Final

from flask import Flask

CSP: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS: Final = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
STRICT_TRANSPORT: Final = "max-age=31536000; includeSubDomains"


def init_app(app: Flask, *, secure: bool) -> None:
    """Set them on every answer, errors included.

    On the list that goes to the server: each name set on a Response is searched for and checked anew, and
    devices ask a thousand times a second.
    """
    inner = app.wsgi_app
    fixed = [(name.lower(), (name, value)) for name, value in HEADERS.items()]
    if secure:
        fixed.append(("strict-transport-security", ("Strict-Transport-Security", STRICT_TRANSPORT)))
    # What says itself how long it may be kept is what never changes: the static files.
    fixed.append(("cache-control", ("Cache-Control", "no-store")))

    def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            given = {name.lower() for name, _ in headers}
            added = [header for name, header in fixed if name not in given]
            return start_response(status, headers + added, exc_info)

        return inner(environ, start)

    app.wsgi_app = wsgi  # type: ignore[method-assign]
