"""The audit: who did what to whom; filters, export, the state of the chain."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from silverwatch import clock, db
from silverwatch.blueprints.admin import audit_export
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts import directory
from silverwatch.domain.audit import anchors, chain, queries, words
from silverwatch.domain.audit.queries import Wanted
from silverwatch.domain.records.queries import hospital_numbers, patient_by_number
from silverwatch.web import auditing, fields, filters, gates, login, pages
from silverwatch.web.hypermedia import html, wants_fragment
from silverwatch.web.templating import render

URL: Final = "/admin/audit"
AT_ONCE: Final = 50
MAX_SEARCH: Final = 100
MAX_SEQ: Final = 2**63 - 1
UNKNOWN: Final = "There is no patient with this number."


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the address asks for: as it was written, what it means, and what is wrong with it."""

    written: dict[str, str]
    wanted: Wanted
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row in words. `whom`: another person's account that it is about, and their name now.

    `patients` are hospital numbers; `session` is the end of its id.
    """

    seq: int
    at: datetime
    name: str | None
    role: str | None
    action: str
    sentence: str
    whom: tuple[UUID, str] | None
    outcome: str
    remarks: list[tuple[str, str]]
    patients: list[str]
    address: str | None
    session: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRows:
    """A page of rows; `newer` and `older` are the addresses of its neighbours, `export` that of them all."""

    lines: list[Line]
    filters: Filters
    newer: str | None = None
    older: str | None = None
    export: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainState:
    """The head of the chain, and the newest anchor if heads are written down at all."""

    head: chain.Head | None
    head_at: datetime | None
    anchor: anchors.Anchor | None
    has_file: bool


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=audit, endpoint="audit")
    blueprint.add_url_rule(f"{URL}.csv", view_func=audit_csv)


@gates.need(Permission.READ_AUDIT)
def audit() -> Response:
    """Who did what to whom?"""
    before, after = (fields.whole(request.args.get(name), most=MAX_SEQ) for name in ("before", "after"))
    with db.transaction(read_only=True) as session:
        chosen = read_filters(session, request.args)
        rows = _rows(session, chosen, before=before, after=None if before else after)
        state = _state(session)
    patient_id = chosen.wanted.patient_id
    auditing.viewed("audit", patient_ids=[patient_id] if patient_id else [])
    status = 422 if chosen.errors else 200
    if wants_fragment():
        reader = pages.audience(login.session_of_view())
        return html(render("admin/_audit_rows.html", reader, audit_rows=rows), status)
    return pages.answer(
        "admin/audit.html",
        "Error: Audit" if chosen.errors else "Audit",
        status=status,
        audit_rows=rows,
        state=state,
        actions=sorted(words.ACTIONS.items(), key=lambda item: item[1]),
        outcomes=queries.OUTCOMES,
        now=clock.now(),
    )


@gates.need(Permission.READ_AUDIT, step_up=True)
def audit_csv() -> Response:
    """The filtered rows as a file."""
    with db.transaction(read_only=True) as session:
        chosen = read_filters(session, request.args)
        head = queries.head(session)
        wanted = replace(chosen.wanted, upto=head[0].seq if head else 0)
        total = 0 if chosen.errors else queries.count(session, wanted, most=audit_export.MOST)
    if chosen.errors:
        return audit()
    return audit_export.answer(wanted, total=total, filters=chosen.written)


def read_filters(session: Session, sent: MultiDict[str, str]) -> Filters:
    """The filters of an address. Whatever is no choice narrows nothing; what was mistyped is said."""
    written = {name: fields.line(sent, name, most=MAX_SEARCH)[:MAX_SEARCH]
               for name in ("person", "patient", "action", "outcome", "from", "to")}  # fmt: skip
    errors: dict[str, str] = {}
    since = _day(written["from"], "from", errors)
    until = _day(written["to"], "to", errors)
    if since and until and until < since:
        errors["to"] = "Choose a last day that is not before the first one."
    patient = patient_by_number(session, written["patient"]) if written["patient"] else None
    if written["patient"] and patient is None:
        errors["patient"] = UNKNOWN
    wanted = Wanted(
        person=written["person"],
        patient_id=patient.id if patient else None,
        action=written["action"] if written["action"] in words.ACTIONS else None,
        outcome=written["outcome"] if written["outcome"] in queries.OUTCOMES else None,
        since=_midnight(since) if since else None,
        until=_midnight(until + timedelta(days=1)) if until else None,
    )
    return Filters(
        written={name: text for name, text in written.items() if text}, wanted=wanted, errors=errors
    )


def _day(written: str, name: str, errors: dict[str, str]) -> date | None:
    if not written:
        return None
    try:
        day = date.fromisoformat(written)
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= 9000:
        errors[name] = "Enter a day as year-month-day, such as 2026-11-22."
        return None
    return day


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(filters.time_zone()))


def _rows(session: Session, chosen: Filters, *, before: int | None, after: int | None) -> AuditRows:
    """One page, and whether there is more on either side: one row more than is shown tells."""
    if chosen.errors:
        return AuditRows(lines=[], filters=chosen)
    found = list(queries.entries(session, chosen.wanted, limit=AT_ONCE + 1, before=before, after=after))
    more = len(found) > AT_ONCE
    shown = found[-AT_ONCE:] if after is not None else found[:AT_ONCE]
    numbers = hospital_numbers(session, {item for row in shown for item in row["patient_ids"]})
    names = directory.names(session, {item for row in shown if (item := _whom(row))})
    lines = [line(row, numbers, names) for row in shown]
    has_newer, has_older = (more, True) if after is not None else (before is not None, more)
    return AuditRows(
        lines=lines,
        filters=chosen,
        newer=_address(chosen, after=lines[0].seq) if has_newer and lines else None,
        older=_address(chosen, before=lines[-1].seq) if has_older and lines else None,
        export=_address(chosen, url=f"{URL}.csv"),
    )


def _whom(row: Any) -> UUID | None:
    """The account that a row is about, if it is not the one that did it."""
    kind, _, found = (row["subject"] or "").partition(":")
    account_id = fields.identity(found) if kind == "account" else None
    return account_id if account_id != row["account_id"] else None


def line(row: Any, numbers: dict[UUID, str], names: dict[UUID, str]) -> Line:
    """A row in words."""
    whom = _whom(row)
    return Line(
        seq=row["seq"],
        at=row["at"],
        name=row["account_name"],
        role=row["role"],
        action=row["action"],
        sentence=words.sentence(row["action"], row["detail"]),
        whom=(whom, names[whom]) if whom in names else None,
        outcome=row["outcome"],
        remarks=words.remarks(row["action"], row["detail"]),
        patients=[numbers.get(patient_id, f"{patient_id}") for patient_id in row["patient_ids"]],
        address=row["address"],
        # The beginning of an id is its time: sessions of one minute look alike there.
        session=row["session_id"].hex[-6:] if row["session_id"] else None,
    )


def _address(chosen: Filters, *, url: str = URL, **more: int) -> str:
    return f"{url}?{urlencode({**chosen.written, **more})}".rstrip("?")


def _state(session: Session) -> ChainState:
    """What the chain says of itself; walking it takes minutes and is the operator's to do."""
    path = current_app.extensions["config"].audit_anchor
    head = queries.head(session)
    return ChainState(
        head=head[0] if head else None,
        head_at=head[1] if head else None,
        anchor=anchors.last(path) if path else None,
        has_file=path is not None,
    )
