"""The trends of a patient: chart, table and file, all of the same values."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import present, reach, timeline
from silverwatch.domain.alerts.course import course
from silverwatch.domain.devices.check_list import overdue_calibrations
from silverwatch.domain.readings.history import SPANS
from silverwatch.web import auditing, filters, gates, login, pages, trend_chart, trend_table
from silverwatch.web.hypermedia import html, wants_fragment
from silverwatch.web.patient_views import TrendsAsked, TrendsView
from silverwatch.web.templating import render

USUAL_H: Final = 24


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    url = "/patients/<uuid:patient_id>/trends"
    blueprint.add_url_rule(url, view_func=trends)
    blueprint.add_url_rule(f"{url}.csv", view_func=trends_file)


# The chart renews itself once a minute: that is no sign of life, and it shows no name.
@gates.need(Permission.SEE_PATIENT, passive=True)
def trends(patient_id: UUID) -> Response:
    """The chart or the table, as a part of the page."""
    actor, now = login.actor(), clock.now()
    wanted = asked(request.args)
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        if not wants_fragment():
            return make_response(redirect(f"/patients/{patient_id}?{wanted.query}", 303))
        latest = present.latest(session, [patient_id], now)[patient_id]
        scales = timeline.scales_of(session, [patient_id])
        marked = timeline.marks(session, scales, now=now)[patient_id]
        view = load(session, patient_id, wanted, marked=marked, now=now)
    auditing.viewed("patient", patient_ids=[patient_id], ward_id=place.ward_id)
    reader = pages.audience(login.session_of_view())
    return html(render("caregiver/_trends.html", reader, trends=view, latest=latest, now=now))


@gates.need(Permission.SEE_PATIENT)
def trends_file(patient_id: UUID) -> Response:
    """The same values as a CSV file."""
    actor, now = login.actor(), clock.now()
    wanted = asked(request.args)
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        found = course(session, patient_id, hours=wanted.hours, now=now)
        overdue = overdue_calibrations(session, [patient_id], since=found.since, until=now)
    with db.transaction() as session:
        audit.record(
            session,
            "trends.exported",
            patient_ids=[patient_id],
            ward_id=place.ward_id,
            detail={"hours": wanted.hours},
        )
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(
        trend_table.lines(found, overdue.get(patient_id, ()))
    )
    answer = make_response(written.getvalue())
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    name = f"readings-{place.hospital_number}-{filters.day(now)}-{wanted.hours}h.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{_plain(name)}"'
    return answer


def asked(args: Mapping[str, str]) -> TrendsAsked:
    """What the address asks for; what it says wrong is the usual."""
    hours = args.get("h", "")
    known = int(hours) if hours.isdecimal() and len(hours) < 5 else USUAL_H
    return TrendsAsked(
        hours=known if known in SPANS else USUAL_H,
        banded=args.get("bands") != "limits",
        as_table=args.get("view") == "table",
    )


def load(
    session: Session,
    patient_id: UUID,
    wanted: TrendsAsked,
    *,
    marked: Sequence[timeline.Entry],
    now: datetime,
) -> TrendsView:
    """All that the chart, or its table, shows; `marked` are the numbered entries of the timeline."""
    found = course(session, patient_id, hours=wanted.hours, now=now)
    marks = [trend_chart.Mark(number=entry.number, at=entry.at) for entry in marked if entry.number]
    return TrendsView(
        patient_id=patient_id,
        asked=wanted,
        course=found,
        drawing=None if wanted.as_table else trend_chart.draw(found, banded=wanted.banded, marks=marks),
        rows=tuple(trend_table.rows(found)) if wanted.as_table else (),
        choices=tuple(replace(wanted, hours=hours) for hours in SPANS),
    )


def _plain(name: str) -> str:
    """Letters that any header may hold."""
    return "".join(_safe(name))


def _safe(name: str) -> Iterator[str]:
    for sign in name:
        yield sign if sign.isascii() and (sign.isalnum() or sign in "-.") else "_"
