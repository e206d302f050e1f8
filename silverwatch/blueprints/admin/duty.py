"""Planning shifts, and as what people usually are on duty: `/admin/duty`."""

from datetime import date, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.admin import forms
from silverwatch.domain.access import Permission
from silverwatch.domain.errors import DomainError, NotFoundError
from silverwatch.domain.wards import planning, roster
from silverwatch.domain.wards.queries import wards_of
from silverwatch.domain.wards.shifts import PATTERNS, DutyRole
from silverwatch.web import fields, filters, gates, login, pages

URL: Final = "/admin/duty"
DAYS: Final = 14


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=plan)
    blueprint.add_url_rule(f"{URL}/shifts", view_func=plan_shift, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/shifts/<uuid:shift_id>/removal", view_func=cancel_shift, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/roles", view_func=set_usual, methods=["POST"])


@gates.need(Permission.PLAN_DUTY)
def plan() -> Response:
    """Who is to work when?"""
    return _page()


@gates.need(Permission.PLAN_DUTY)
def plan_shift() -> Response:
    """Put somebody on the plan."""
    sent = request.form
    errors: dict[str, str] = {}
    ward_id, account_id = fields.identity(sent.get("ward")), fields.identity(sent.get("who"))
    day = _day(sent.get("day", ""))
    if account_id is None:
        errors["who"] = "Choose who is to come."
    if day is None:
        errors["day"] = "Enter a day, such as 2026-11-25."
    role = DutyRole(sent["role"]) if sent.get("role") in set(DutyRole) else None
    if errors or ward_id is None or account_id is None or day is None:
        return _page(errors, sent)
    try:
        with db.transaction() as session:
            planning.plan(
                session,
                login.actor(),
                ward_id=ward_id,
                account_id=account_id,
                day=day,
                pattern=sent.get("pattern", ""),
                role=role,
                zone=ZoneInfo(filters.time_zone()),
                now=clock.now(),
            )
    except NotFoundError:
        raise
    except DomainError as error:
        return _page({"form": str(error)}, sent)
    return forms.see(f"{URL}?ward={ward_id}")


@gates.need(Permission.PLAN_DUTY)
def cancel_shift(shift_id: UUID) -> Response:
    """Take a shift off the plan."""
    with db.transaction() as session:
        ward_id = planning.cancel(session, login.actor(), shift_id, now=clock.now())
    return forms.see(f"{URL}?ward={ward_id}")


@gates.need(Permission.PLAN_DUTY)
def set_usual() -> Response:
    """Say as what somebody usually is on duty."""
    account_id = fields.identity(request.form.get("who"))
    role = request.form.get("role")
    if account_id is None or role not in set(DutyRole):
        return _page({"form": "Choose a person and a duty."})
    with db.transaction() as session:
        roster.set_usual(session, login.actor(), account_id=account_id, role=DutyRole(role))
    return forms.see(f"{URL}?ward={request.form.get('ward', '')}")


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written.strip())
    except ValueError:
        return None


def _page(errors: dict[str, str] | None = None, sent: forms.Sent | None = None) -> Response:
    actor, now = login.actor(), clock.now()
    today = now.astimezone(ZoneInfo(filters.time_zone())).date()
    wanted = fields.identity((sent or request.args).get("ward"))
    with db.transaction(read_only=True) as session:
        wards = wards_of(session, actor)
        ward = next((ward for ward in wards if ward.id == wanted), wards[0] if wards else None)
        ids = [ward.id] if ward else []
        staff = roster.staff_of(session, ids)
        shifts = planning.planned(
            session, ids, since=now - timedelta(days=1), until=now + timedelta(days=DAYS)
        )
    week: dict[tuple[date, str], list[planning.Planned]] = {}
    for shift in shifts:
        week.setdefault((shift.day, shift.pattern), []).append(shift)
    return pages.answer(
        "admin/duty.html",
        "Error: Duty" if errors else "Duty",
        status=422 if errors else 200,
        errors=errors or {},
        sent=sent or {},
        wards=wards,
        ward=ward,
        staff=staff[ward.id] if ward else [],
        week=week,
        days=[today + timedelta(days=number) for number in range(DAYS)],
        patterns=PATTERNS,
        roles=list(DutyRole),
        today=today,
    )
