"""Requests that another site makes with this browser's cookie: the form's token, and what the browser says."""

from typing import Final

from flask import Flask, abort, request
from flask_wtf.csrf import CSRFProtect

from silverwatch.web import auditing

SAFE: Final = {"GET", "HEAD", "OPTIONS"}
OURS: Final = {"same-origin", "none"}
"""What a browser says of a request that a page of this host, or the person's own hand, has made."""


def init_app(app: Flask) -> CSRFProtect:
    """Refuse foreign requests; gives the token check, so that the API, which takes no cookie, can be left out."""
    app.before_request(_refuse_foreign)
    return CSRFProtect(app)


def _refuse_foreign() -> None:
    """A browser that says the request comes from another site is believed, token or not."""
    if request.method in SAFE or request.blueprint == "api":
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in OURS:
        auditing.refused("foreign site")
        abort(403)
