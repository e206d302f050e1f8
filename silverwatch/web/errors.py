"""Errors as people see them: a page with a way home, or one line for htmx. Never a stack trace."""

import logging

from flask import Flask, Response, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from silverwatch import db
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError
from silverwatch.web import auditing, login, pages
from silverwatch.web.hypermedia import html, is_htmx

log = logging.getLogger(__name__)

WORDS = {
    400: ("This request could not be read", "Go back and try again."),
    401: ("Sign in first", "Your session has ended. Sign in to go on."),
    403: ("This part is for another role", "Go back to your own pages."),
    404: ("There is nothing here", "It does not exist, or it is not yours to see."),
    405: ("This cannot be done here", "Go back and use the buttons of the page."),
    409: ("This does not fit what is stored", "Reload the page and try again."),
    413: ("This is too large", "Send less at once."),
    429: ("Too many tries", "Wait a moment and try again."),
    500: (
        "Something went wrong here",
        "Nothing was changed. Try again; if it stays, tell your administrator.",
    ),
    503: (
        "The ward cannot be read now",
        "The database does not answer. Check patients at the bedside. This page works again by itself.",
    ),
}


def init_app(app: Flask) -> None:
    """Answer every error in the form of whoever asked. The API brings its own handlers."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _without_token)
    app.register_error_handler(NotFoundError, not_found)
    app.register_error_handler(ConflictError, lambda error: answer(409, str(error)))
    app.register_error_handler(DomainError, lambda error: answer(400, str(error)))
    for unavailable in db.UNAVAILABLE:
        app.register_error_handler(unavailable, _unavailable)
    app.register_error_handler(Exception, _unexpected)


def answer(status: int, detail: str | None = None) -> Response:
    """The error page, or its one line for htmx."""
    title, what_to_do = WORDS.get(status, (f"Error {status}", "Go back and try again."))
    if is_htmx():
        return html(pages.error_line(status=status, title=title, detail=detail or what_to_do), status)
    return html(pages.error_page(status=status, title=title, detail=detail or what_to_do), status)


def _without_token(_: CSRFError) -> Response:
    if login.signed_in() is not None:
        auditing.refused("no token of this session")
    return answer(400, "This page is too old. Reload it and try again.")


def not_found(_: NotFoundError) -> Response:
    """It does not exist, or is not theirs: both look the same."""
    if login.signed_in() is not None:
        auditing.refused("not theirs, or not there")
    return answer(404)


def _http(error: HTTPException) -> Response:
    if error.response is not None and isinstance(error.response, Response):
        return error.response
    response = answer(error.code or 500)
    for name, value in error.get_headers(request.environ):
        if name.lower() in {"allow", "retry-after", "www-authenticate"}:
            response.headers[name] = value
    return response


def _unavailable(error: Exception) -> Response:
    log.warning("the database is away: %s", type(error).__name__)
    response = answer(503)
    response.headers["Retry-After"] = "2"
    return response


def _unexpected(error: Exception) -> Response:
    if db.refused_by(error) == db.MERGED:
        # Just now, while the form was on its way.
        return answer(409, "This record was merged into another one. Look for the patient again.")
    # The route, not the path: that may hold the token of a link.
    log.error("%s %s failed", request.method, request.url_rule, exc_info=error)
    return answer(500)
