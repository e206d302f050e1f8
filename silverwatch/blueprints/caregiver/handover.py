"""`/handover/<ward>`: the sheet of a shift, remarks for the next one, and accepting duty."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.domain.access import Permission, may_keep_rounds
from silverwatch.domain.alerts import handover, reach, sheet_queries
from silverwatch.domain.alerts.sheet import Sheet
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.wards import roster
from silverwatch.domain.wards.queries import ward_by_slug, wards_of
from silverwatch.web import auditing, fields, filters, gates, login, pages

HOURS: Final = (8, 12, 24)
"""How far back a sheet may look instead of to the beginning of the shift."""


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    url = "/handover/<slug>"
    blueprint.add_url_rule("/handover", view_func=own_handover)
    blueprint.add_url_rule(url, view_func=handover_sheet)
    blueprint.add_url_rule(url, view_func=accept_handover, methods=["POST"])
    blueprint.add_url_rule(f"{url}/<uuid:handover_id>", view_func=past_handover)
    blueprint.add_url_rule("/patients/<uuid:patient_id>/remark", view_func=write_remark, methods=["POST"])


@gates.need(Permission.KEEP_ROUNDS)
def own_handover() -> Response:
    """The sheet of the caregiver's own ward."""
    with db.transaction(read_only=True) as session:
        wards = wards_of(session, login.actor())
    if not wards:
        raise NotFoundError("You belong to no ward yet.")
    return make_response(redirect(f"/handover/{wards[0].slug}", 303))


@gates.need(Permission.KEEP_ROUNDS)
def handover_sheet(slug: str) -> Response:
    """What must the next shift know?"""
    actor, now = login.actor(), clock.now()
    hours = _hours(request.args.get("hours"))
    with db.transaction(read_only=True) as session:
        ward = ward_by_slug(session, actor, slug)
        sheet = sheet_queries.build(session, ward, since=_since(hours, now), now=now)
        past = handover.earlier(session, ward.id, now=now)
        duty = roster.wards_on_duty(session, actor.account_id, now=now).get(ward.id)
        wards = wards_of(session, actor)
    _note(sheet)
    return pages.answer(
        "caregiver/handover.html",
        "Handover",
        sheet=sheet,
        past=past,
        wards=wards,
        hours=hours,
        choices=HOURS,
        on_duty_since=duty.accepted_at if duty else None,
        form_id=clock.new_id(),
        most=handover.MOST_REMARK,
        now=now,
    )


@gates.need(Permission.KEEP_ROUNDS)
def accept_handover(slug: str) -> Response:
    """Accept duty: what the sheet says now is kept."""
    actor, now, sent = login.actor(), clock.now(), request.form
    handover_id = fields.identity(sent.get("form_id")) or clock.new_id()
    with db.transaction() as session:
        ward = ward_by_slug(session, actor, slug)
        since = _since(_hours(sent.get("hours")), now)
        handover.accept(session, actor, ward, handover_id=handover_id, since=since, now=now)
    return make_response(redirect(f"/handover/{slug}/{handover_id}", 303))


@gates.need(Permission.KEEP_ROUNDS)
def past_handover(slug: str, handover_id: UUID) -> Response:
    """What was handed over then?"""
    with db.transaction(read_only=True) as session:
        ward = ward_by_slug(session, login.actor(), slug)
        past, sheet = handover.stored(session, ward.id, handover_id)
    _note(sheet)
    return pages.answer("caregiver/handed_over.html", "Handover", sheet=sheet, accepted=past, now=sheet.at)


@gates.need(Permission.KEEP_ROUNDS)
def write_remark(patient_id: UUID) -> Response:
    """Say something to the next shift."""
    actor, now, sent = login.actor(), clock.now(), request.form
    # Browsers count a line break as one sign and send two.
    written = sent.get("text", "").replace("\0", "").replace("\r\n", "\n").strip()[: handover.MOST_REMARK]
    with db.transaction() as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        if not may_keep_rounds(actor, patient_id, ward_id=place.ward_id):
            raise NotFoundError("There is no such patient.")
        handover.remark(session, actor, patient_id=patient_id, written=written, now=now)
    back = pages.local_path(sent.get("next")) or f"/handover/{place.ward_slug}"
    return make_response(redirect(back, 303))


def _hours(written: str | None) -> int | None:
    """How many hours back; None for the shift."""
    hours = fields.whole(written, most=max(HOURS))
    return hours if hours in HOURS else None


def _since(hours: int | None, now: datetime) -> datetime:
    zone = ZoneInfo(filters.time_zone())
    return now - timedelta(hours=hours) if hours else handover.shift_begin(now, zone=zone)


def _note(sheet: Sheet) -> None:
    auditing.viewed("handover", patient_ids=[line.patient.id for line in sheet.lines], ward_id=sheet.ward_id)
