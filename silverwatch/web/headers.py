"""Security headers on every answer. Nothing inline, nothing from elsewhere, nothing kept by caches."""

from typing import Final

from flask import Flask, Response, request

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
    """Set them after every view, errors included."""

    def add(answer: Response) -> Response:
        # Looked through once: `setdefault` would search the list anew for each name, on every reading.
        given = {name.lower() for name, _ in answer.headers}
        for name, value in HEADERS.items():
            if name.lower() not in given:
                answer.headers.add(name, value)
        if secure:
            answer.headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
        if request.endpoint != "static":
            answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    app.after_request(add)
