"""What was measured, set by set: `/patients/<id>/observations`, and as a file."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, make_response, request
from sqlalchemy import Row

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.patients import frame, moment
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import reach, timeline
from silverwatch.domain.alerts.scores import Score, scored
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.readings import sets, vitals
from silverwatch.domain.readings.unit_choices import units_of
from silverwatch.domain.records import notes
from silverwatch.web import auditing, filters, gates, login, pages

URL: Final = "/patients/<uuid:patient_id>/observations"
HOURS: Final = (24, 72, 168)
IN_A_FILE: Final = 5000
SHOWN: Final = (
    "respiratory_rate", "oxygen_saturation", "supplemental_oxygen", "systolic_bp", "heart_rate", "consciousness",
    "temperature", "glucose", "pain", "weight",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which sets: of which source, of how many hours, from before when."""

    source: str
    hours: int
    before: datetime | None


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=observation_list)
    blueprint.add_url_rule(f"{URL}.csv", view_func=observation_file)


def micros(at: datetime) -> int:
    """A time of measuring as an address names it: microseconds since 1970, so that none is lost."""
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def moment_of(number: int) -> datetime:
    """The time that an address names; raises NotFoundError."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=number)
    except OverflowError:
        raise NotFoundError("There is no such set of observations.") from None


@gates.need(Permission.SEE_PATIENT)
def observation_list(patient_id: UUID) -> Response:
    """What was measured, by whom, and what was it worth?"""
    actor, now, wanted = login.actor(), clock.now(), _wanted()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        found, scores = _load(session, patient_id, wanted, now=now, limit=sets.A_PAGE + 1)
        chosen = units_of(session, actor.account_id)
        written = notes.count(session, patient_id)
    auditing.viewed("list of observations", patient_ids=[patient_id], ward_id=place.ward_id)
    return pages.answer(
        "caregiver/observation_list.html",
        "Observations",
        frame=frame(actor, place, notes_written=written),
        rows=found[: sets.A_PAGE],
        older=found[sets.A_PAGE - 1].measured_at if len(found) > sets.A_PAGE else None,
        scores=scores,
        wanted=wanted,
        hours=HOURS,
        sources=sets.SOURCES,
        shown=SHOWN,
        units=chosen,
        micros=micros,
        may_correct=actor.may(Permission.RECORD_OBSERVATIONS),
        now=now,
    )


@gates.need(Permission.SEE_PATIENT)
def observation_file(patient_id: UUID) -> Response:
    """The same as a file, in the units that are stored."""
    actor, now, wanted = login.actor(), clock.now(), _wanted()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        found, scores = _load(session, patient_id, wanted, now=now, limit=IN_A_FILE)
    with db.transaction() as session:
        detail = {"rows": len(found), "hours": wanted.hours, "source": wanted.source}
        audit.record(session, "observations.exported", patient_ids=[patient_id], detail=detail)
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\r\n")
    lines.writerow(["measured_at (UTC)", "source", "by", *vitals.NAMES, "news2", "corrected", "confirmed"])
    lines.writerows(_line(row, scores) for row in found)
    answer = make_response(written.getvalue().encode("utf-8"))
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    name = f"observations-{place.hospital_number}-{filters.day(now)}-{wanted.hours}h.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _wanted() -> Wanted:
    sent = request.args
    source, hours = sent.get("source", ""), sent.get("hours", "")
    return Wanted(
        source=source if source in sets.SOURCES else "manual",
        hours=next((item for item in HOURS if str(item) == hours), HOURS[0]),
        before=moment(sent.get("before")),
    )


def _load(
    session: Any, patient_id: UUID, wanted: Wanted, *, now: datetime, limit: int
) -> tuple[list[Row[Any]], Mapping[UUID, Score]]:
    since, until = now - timedelta(hours=wanted.hours), now + timedelta(minutes=10)
    before = min(wanted.before, until) if wanted.before else until
    found = sets.sets_of(session, patient_id, source=wanted.source, since=since, before=before, limit=limit)
    scores = scored(
        session, timeline.scales_of(session, [patient_id]), since=since, until=before, limit=limit
    )
    return found, {score.id: score for score in scores.get(patient_id, ()) if score.by_hand}


def _line(row: Row[Any], scores: Mapping[UUID, Score]) -> list[Any]:
    score = scores.get(row.source_id)
    # A name is a person's own text: it must not be a formula in a spreadsheet.
    by = (row.serial or row.entered_by or "by hand").lstrip("=+-@\t\r ")
    return [
        row.measured_at.isoformat(), "by hand" if row.source_kind == "manual" else "device", by,
        *("" if (value := row._mapping[name]) is None else value for name in vitals.NAMES),
        "" if score is None or score.total is None else score.total,
        row.corrected_as or "", " ".join(row.confirmed or ()),
    ]  # fmt: skip
