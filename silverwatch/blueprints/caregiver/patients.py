"""The page of one patient: who it is, what sounds, how it has gone, what happened."""

from datetime import datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.caregiver import trends
from silverwatch.domain.access import Actor, Permission, may_write_notes
from silverwatch.domain.alerts import present, reach, timeline
from silverwatch.domain.alerts.limit_card import limit_card
from silverwatch.domain.alerts.news_card import news_card
from silverwatch.domain.alerts.reach import Place
from silverwatch.domain.readings import fluids
from silverwatch.domain.records import notes
from silverwatch.flow import PATIENT_REGIONS
from silverwatch.web import auditing, gates, login, pages
from silverwatch.web.patient_views import PatientFrame

A_PAGE: Final = 40
"""Entries on a page of what happened."""


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/patients/<uuid:patient_id>", view_func=patient)
    blueprint.add_url_rule("/patients/<uuid:patient_id>/history", view_func=history)


@gates.need(Permission.SEE_PATIENT)
def patient(patient_id: UUID) -> Response:
    """Better or worse, and since when?"""
    actor, now = login.actor(), clock.now()
    asked = trends.asked(request.args)
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        latest = present.latest(session, [patient_id], now)[patient_id]
        card = news_card(session, patient_id, now=now)
        happened = timeline.timelines(session, [patient_id], now)[patient_id]
        trend = trends.load(session, patient_id, asked, marked=happened.marks, now=now)
        strip = present.strips(session, [patient_id], now)[patient_id]
        written = notes.count(session, patient_id)
        limits = limit_card(session, patient_id, now=now)
        newest = notes.notes_of(session, [patient_id], limit=1)
        summed = fluids.summaries(session, [patient_id], now=now, zone=clock.site_zone()).get(patient_id)
    auditing.viewed("patient", patient_ids=[patient_id], ward_id=place.ward_id)
    return pages.answer(
        "caregiver/patient.html",
        "Patient",
        live_url=pages.live_address(f"{name}-{patient_id}" for name in PATIENT_REGIONS),
        frame=frame(actor, place, notes_written=written),
        alarm_strip=strip,
        latest=latest,
        news2=card,
        trends=trend,
        timeline=happened,
        limits=limits,
        fluids=summed,
        newest_note=newest[0] if newest else None,
        note_id=clock.new_id(),
        now=now,
    )


@gates.need(Permission.SEE_PATIENT)
def history(patient_id: UUID) -> Response:
    """All that happened, page by page."""
    actor, now = login.actor(), clock.now()
    show: timeline.Show = next((item for item in timeline.SHOWS if item == request.args.get("show")), "all")
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        happened = timeline.read(
            session, [patient_id], now=now, show=show, before=moment(request.args.get("before")), limit=A_PAGE
        )[patient_id]
        written = notes.count(session, patient_id)
    auditing.viewed("history", patient_ids=[patient_id], ward_id=place.ward_id)
    return pages.answer(
        "caregiver/history.html",
        "What happened",
        frame=frame(actor, place, notes_written=written),
        timeline=happened,
        now=now,
    )


def frame(actor: Actor, place: Place, *, notes_written: int) -> PatientFrame:
    """What stands around every page of a patient."""
    patient_id = place.patient.id
    return PatientFrame(
        place=place,
        notes_written=notes_written,
        is_own_ward=place.ward_id in actor.ward_ids,
        may_write=may_write_notes(actor, patient_id, ward_id=place.ward_id),
        in_emergency=patient_id in actor.emergency_for,
    )


def moment(written: str | None) -> datetime | None:
    """A moment out of an address; None for what is none."""
    try:
        at = datetime.fromisoformat(written or "")
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
