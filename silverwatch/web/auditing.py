"""The audit of requests: for whom this thread works, and one row for each refusal."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from uuid import UUID

from flask import Flask, Response, g, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.domain import audit, throttle
from silverwatch.domain.accounts.signing import network_of
from silverwatch.web import login

log = logging.getLogger(__name__)

STRANGERS: Final = throttle.Limit(name="refusals of strangers", tries=200, per=timedelta(minutes=10))


def init_app(app: Flask) -> None:
    """Say for whom each request is, before its gate; note its refusal, after it."""
    app.before_request(_begin)
    app.after_request(_note_refusal)
    app.teardown_request(_finish)


def _begin() -> None:
    if request.endpoint == "static":
        return
    g.request_id = clock.new_id().hex
    if request.blueprint == "api":
        audit.set_who(audit.Who(address=request.remote_addr, request_id=g.request_id))
        return
    found = login.signed_in()
    audit.set_who(
        audit.Who(
            actor=found.actor if found else None,
            session_id=found.session_id if found else None,
            address=request.remote_addr,
            request_id=g.request_id,
        )
    )


def _finish(_: BaseException | None) -> None:
    audit.set_who(audit.Who())


def refused(because: str) -> None:
    """This request is refused: one row says so, whatever else handles the error."""
    g.refused = because


def _note_refusal(answer: Response) -> Response:
    because = g.pop("refused", None)
    if because is None:
        return answer
    try:
        with db.transaction() as session:
            if audit.who().actor is None and _floods(session):
                return answer
            detail = {"because": because, "method": request.method, "route": str(request.url_rule or "")}
            audit.record(session, "access.refused", outcome="refused", detail=detail)
    except db.UNAVAILABLE:
        # The refusal stands; that nobody can note it now is in the log.
        log.warning("audit: a refusal (%s) could not be noted: the database is away", because)
    return answer


def _floods(session: Session) -> bool:
    """Nobody can ever delete a row: a stranger's network adds so many and no more, the rest is in the log."""
    if throttle.take(session, STRANGERS, network_of(request.remote_addr), now=clock.now()) is None:
        return False
    log.warning("audit: more refusals of one network than are noted")
    return True


def viewed(
    view: str, *, patient_ids: Iterable[UUID], ward_id: UUID | None = None, part: bool = False
) -> None:
    """Note that these patients are looked at, in a transaction of its own, before the answer goes out.

    `part`: a list that can be narrowed; a part of what was seen just now is no new look.
    Raises one of `db.UNAVAILABLE` when it cannot: no audit, no page.
    """
    with db.transaction() as session:
        audit.record_view(session, view, patient_ids=patient_ids, ward_id=ward_id, part=part)
