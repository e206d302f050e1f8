"""`/patients`: find one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.admissions import merge_views
from silverwatch.domain.alerts import finding
from silverwatch.domain.alerts.finding import Found, Sort, Wanted
from silverwatch.domain.wards.queries import wards_of
from silverwatch.web import auditing, fields, gates, login, pages
from silverwatch.web.hypermedia import html, wants_fragment
from silverwatch.web.templating import render

URL: Final = "/patients"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRows:
    """A page of the list as it is shown; `before` and `after` are the addresses of its neighbours."""

    found: Found
    wanted: Wanted
    before: str | None
    after: str | None
    now: datetime
    twins: Mapping[UUID, Sequence[Any]]


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=patients)


@gates.need(Permission.SEE_PATIENT)
def patients() -> Response:
    """Where is the patient I look for?"""
    actor, now, wanted = login.actor(), clock.now(), _wanted()
    with db.transaction(read_only=True) as session:
        wards = wards_of(session, actor)
        found = finding.patients(session, actor, wanted, now=now)
        shown = [entry.tile.patient.id for entry in found.entries if entry.tile.patient is not None]
        twins = merge_views.twins(session, actor, shown)
    rows = PatientRows(
        found=found,
        wanted=wanted,
        before=_address(wanted, page=found.page - 1) if found.page > 1 else None,
        after=_address(wanted, page=found.page + 1) if found.page < found.pages else None,
        now=now,
        twins=twins,
    )
    others = {twin.id for group in twins.values() for twin in group}.difference(shown)
    auditing.viewed("patients", patient_ids=[*shown, *others], part=True)
    if wants_fragment():
        reader = pages.audience(login.session_of_view())
        return html(render("caregiver/_patient_rows.html", reader, patient_rows=rows))
    return pages.answer("caregiver/patients.html", "Patients", patient_rows=rows, wards=wards)


def _wanted() -> Wanted:
    """What the address asks for. Whatever is no filter narrows nothing."""
    sent = request.args
    sort = sent.get("sort")
    return Wanted(
        text=fields.line(sent, "q", most=finding.MAX_SEARCH)[: finding.MAX_SEARCH],
        ward_id=fields.identity(sent.get("ward")),
        sort=Sort(sort) if sort in set(Sort) else Sort.BED,
        page=fields.whole(sent.get("page"), most=finding.MAX_PAGE) or 1,
    )


def _address(wanted: Wanted, *, page: int) -> str:
    query = {
        "q": wanted.text,
        "ward": wanted.ward_id or "",
        "sort": "" if wanted.sort is Sort.BED else wanted.sort,
        "page": page if page > 1 else "",
    }
    return f"{URL}?{urlencode({name: value for name, value in query.items() if value})}".rstrip("?")
