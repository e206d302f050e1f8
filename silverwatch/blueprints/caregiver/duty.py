"""Who is on duty in my wards, accepting and handing over: `/duty`."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.wards import planning, roster
from silverwatch.domain.wards.models import Ward
from silverwatch.domain.wards.planning import Planned
from silverwatch.domain.wards.queries import ward_by_slug, wards_of
from silverwatch.domain.wards.roster import OnDuty
from silverwatch.domain.wards.shifts import PATTERNS, DutyRole, choices
from silverwatch.web import filters, gates, login, pages

DAYS: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class WardDuty:
    """One ward: who is on duty, whether the reader is, and the week's plan, (day, shift) to who is to come."""

    ward: Ward
    people: tuple[OnDuty, ...]
    own: OnDuty | None
    others: tuple[OnDuty, ...]
    week: dict[tuple[date, str], list[Planned]]


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/duty", view_func=duty)
    blueprint.add_url_rule("/duty/<slug>/acceptance", view_func=accept, methods=["POST"])
    blueprint.add_url_rule("/duty/<slug>/handover", view_func=hand_over, methods=["POST"])


@gates.need(Permission.TAKE_ALARMS)
def duty() -> Response:
    """Who is on duty now, and who comes next?"""
    return _page()


@gates.need(Permission.TAKE_ALARMS)
def accept(slug: str) -> Response:
    """Be on duty from now on."""
    actor, now = login.actor(), clock.now()
    wanted = request.form.get("role", "")
    role = DutyRole(wanted) if wanted in set(DutyRole) else None
    try:
        with db.transaction() as session:
            ward = ward_by_slug(session, actor, slug)
            roster.accept(session, actor, ward.id, now=now, role=role)
    except ConflictError as error:
        return _page({"form": str(error)})
    return _back()


@gates.need(Permission.TAKE_ALARMS)
def hand_over(slug: str) -> Response:
    """Be on duty no more."""
    actor, now = login.actor(), clock.now()
    try:
        to = UUID(request.form["to"]) if request.form.get("to") else None
    except ValueError:
        return _page({"form": "Choose somebody who is on duty."})
    try:
        with db.transaction() as session:
            ward = ward_by_slug(session, actor, slug)
            alone = request.form.get("alone") == "yes"
            roster.hand_over(session, actor, ward.id, now=now, to=to, even_if_last=alone)
    except ConflictError as error:
        return _page({"form": str(error)})
    return _back()


def _back() -> Response:
    return make_response(redirect(pages.local_path(request.form.get("next")) or "/duty", 303))


def _page(errors: dict[str, str] | None = None) -> Response:
    actor, now = login.actor(), clock.now()
    zone = ZoneInfo(filters.time_zone())
    today = now.astimezone(zone).date()
    with db.transaction(read_only=True) as session:
        account = session.get_one(Account, actor.account_id)
        found = _wards(session, wards_of(session, actor), today=today, now=now)
    return pages.answer(
        "caregiver/duty.html",
        "Error: Duty" if errors else "Duty",
        status=422 if errors else 200,
        errors=errors or {},
        wards=found,
        roles=choices(DutyRole(account.duty_role)),
        days=[today + timedelta(days=number) for number in range(DAYS)],
        patterns=PATTERNS,
        now=now,
    )


def _wards(session: Session, wards: list[Ward], *, today: date, now: datetime) -> list[WardDuty]:
    """Every ward of the reader, with a constant number of queries."""
    actor = login.actor()
    ids = [ward.id for ward in wards]
    on_duty = roster.on_duty(session, ids, now=now)
    weeks: dict[UUID, dict[tuple[date, str], list[Planned]]] = {ward_id: {} for ward_id in ids}
    for shift in planning.planned(
        session, ids, since=now - timedelta(days=1), until=now + timedelta(days=DAYS)
    ):
        if shift.day >= today:
            weeks[shift.ward_id].setdefault((shift.day, shift.pattern), []).append(shift)
    return [
        WardDuty(
            ward=ward,
            people=on_duty[ward.id],
            own=next((p for p in on_duty[ward.id] if p.account_id == actor.account_id and p.is_here), None),
            others=tuple(p for p in on_duty[ward.id] if p.account_id != actor.account_id and p.is_here),
            week=weeks[ward.id],
        )
        for ward in wards
    ]
