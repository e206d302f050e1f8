"""Errors as RFC 9457 `application/problem+json`, with the id under which the log knows the request."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
import psycopg
from flask import Blueprint, Response, g, request
from sqlalchemy import exc
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from silverwatch import clock, db
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError
from silverwatch.web import auditing

log = logging.getLogger(__name__)

RETRY_AFTER_S: Final = 2

_AWAY: Final = frozenset({"08", "53", "55", "57", "58"})
"""SQLSTATE classes: connection, resources (disk, memory, connections), locks, operator, system."""
_AWAY_STATES: Final = frozenset({"25006", "25P02", "25P03", "40001", "40P01"})


class Problem(Exception):
    """An answer that is an error. `errors` are pairs of JSON pointer and detail; `kind` is its RFC 9457 type.

    `more`: members that this type has besides.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        kind: str = "about:blank",
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.more = more or {}
        self.kind = kind
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    def response(self) -> Response:
        """The answer."""
        # The id that the audit has too.
        request_id = g.get("request_id") or clock.new_id().hex
        body = {
            "type": self.kind,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "errors": [{"pointer": pointer, "detail": detail} for pointer, detail in self.errors],
            "request_id": request_id,
            **self.more,
        }
        answer = Response(
            msgspec.json.encode(body), status=self.status, content_type="application/problem+json"
        )
        answer.headers["X-Request-ID"] = request_id
        answer.headers.update(self.headers)
        if self.status >= 500:
            log.error("%s %s: %d %s (%s)", request.method, request.path, self.status, self.detail, request_id)
        return answer


def unavailable(detail: str = "The database is away or full; nothing was stored. Send again.") -> Problem:
    """503: come again."""
    return Problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def is_unavailable(error: BaseException) -> bool:
    """Is it the database that is away, full, read-only or too slow, rather than our mistake?"""
    if isinstance(error, exc.TimeoutError | exc.InterfaceError | psycopg.InterfaceError):
        return True
    origin = error.orig if isinstance(error, exc.DBAPIError) else error
    state = getattr(origin, "sqlstate", None) if isinstance(origin, psycopg.Error) else None
    if state is None:
        return isinstance(origin, psycopg.OperationalError)
    return state[:2] in _AWAY or state in _AWAY_STATES


def register(bp: Blueprint) -> None:
    """Make every error of the blueprint, and every unknown address under /api/, a problem document."""
    bp.register_error_handler(Problem, _problem)
    bp.register_error_handler(Exception, _unexpected)
    # By code too: an application's handler of one code goes before a blueprint's handler of all.
    for status in (400, 401, 403, 404, 405, 413, 415, 422, 429, 500, 503):
        bp.register_error_handler(status, _http)
    bp.before_app_request(_unrouted)


def _problem(error: Problem) -> Response:
    return error.response()


def _http(error: HTTPException) -> Any:
    if error.response is not None:
        return error.response
    problem = Problem(error.code or 500, error.description or "")
    answer = problem.response()
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            answer.headers[name] = value
    return answer


def _unexpected(error: Exception) -> Any:
    if isinstance(error, HTTPException):
        return _http(error)
    if isinstance(error, DomainError):
        return _domain(error).response()
    if db.refused_by(error) == db.MERGED:
        return Problem(409, "This record was merged into another one. Look for the patient again.").response()
    if is_unavailable(error):
        log.warning("database unavailable: %s", error)
        return unavailable().response()
    log.exception("%s %s failed", request.method, request.path, exc_info=error)
    return Problem(500, "This is our mistake; it was logged.").response()


def _domain(error: DomainError) -> Problem:
    if isinstance(error, NotFoundError):
        auditing.refused("not theirs, or not there")
        return Problem(404, "There is nothing here: it does not exist, or it is not yours to see.")
    return Problem(409 if isinstance(error, ConflictError) else 422, str(error))


def _unrouted() -> Any:
    """Routing fails before a blueprint is known, so its handlers would not see it."""
    error = request.routing_exception
    if error is None or isinstance(error, RequestRedirect) or not request.path.startswith("/api/"):
        return None
    return _http(error)
