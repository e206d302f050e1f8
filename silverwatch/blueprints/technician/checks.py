"""Checks of devices: what is due, begun, done. `/checks`, `/checks/<id>`, `/devices/<id>/checks`."""

from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.devices import check_list, checks, registry
from silverwatch.domain.errors import DomainError, NotFoundError
from silverwatch.domain.settings import checks as settings
from silverwatch.web import fields, filters, gates, login, pages
from silverwatch.web.hypermedia import see

URL: Final = "/checks"
CALIBRATION: Final = "calibration"
AT: Final = time(8)
"""A day is a morning: what is due on it is due when the technician comes."""


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=due_checks)
    blueprint.add_url_rule(f"{URL}/missing", view_func=schedule_missing, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/<uuid:check_id>", view_func=check)
    blueprint.add_url_rule(f"{URL}/<uuid:check_id>/start", view_func=start_check, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/<uuid:check_id>/result", view_func=end_check, methods=["POST"])
    blueprint.add_url_rule("/devices/<uuid:device_id>/checks", view_func=device_checks)
    blueprint.add_url_rule("/devices/<uuid:device_id>/checks", view_func=schedule_check, methods=["POST"])


@gates.need(Permission.SEE_DEVICES)
def due_checks() -> Response:
    """What is to be done, and where is it?"""
    actor, now = login.actor(), clock.now()
    kind = request.args.get("kind", "")
    kind = kind if kind in settings.KINDS else ""
    with db.transaction(read_only=True) as session:
        due = check_list.due_list(session, actor, kind=kind, now=now)
        without = checks.missing(session, actor, kind=CALIBRATION)
        days = settings.days(session)
    return pages.answer(
        "technician/checks.html",
        "Checks",
        due=due,
        kind=kind,
        kinds=settings.KINDS,
        without=without,
        days=days,
        done=request.args.get("done", "")[:20],
        now=now,
    )


@gates.need(Permission.KEEP_DEVICES)
def schedule_missing() -> Response:
    """Every device without a date for its calibration gets one."""
    with db.transaction() as session:
        checks.schedule_missing(session, login.actor(), kind=CALIBRATION, now=clock.now())
    return see(f"{URL}?done=scheduled")


@gates.need(Permission.KEEP_DEVICES)
def check(check_id: UUID) -> Response:
    """One check: begin it, or say how it went."""
    return _check(check_id)


@gates.need(Permission.KEEP_DEVICES)
def start_check(check_id: UUID) -> Response:
    """Somebody is at it."""
    try:
        with db.transaction() as session:
            actor = login.actor()
            found, device = checks.check_of(session, actor, check_id, lock=True)
            checks.start(session, actor, found, device, now=clock.now())
    except DomainError as refusal:
        return _refused(check_id, refusal)
    return see(f"{URL}/{check_id}")


@gates.need(Permission.KEEP_DEVICES)
def end_check(check_id: UUID) -> Response:
    """It was done, or it failed."""
    sent = request.form
    written = {
        "before": fields.line(sent, "before", most=checks.MOST_RESULT),
        "after": fields.line(sent, "after", most=checks.MOST_RESULT),
        "note": fields.line(sent, "note", most=checks.MOST_NOTE),
    }
    result = sent.get("result", "")
    errors = {
        name: f"Enter at most {most} characters."
        for name, most in (
            ("before", checks.MOST_RESULT),
            ("after", checks.MOST_RESULT),
            ("note", checks.MOST_NOTE),
        )
        if len(written[name]) > most
    }
    if result not in {"completed", "failed"}:
        errors["result"] = "Choose whether it passed."
    if errors:
        return _check(check_id, written={**written, "result": result}, errors=errors)
    try:
        with db.transaction() as session:
            actor = login.actor()
            found, device = checks.check_of(session, actor, check_id, lock=True)
            checks.end(
                session, actor, found, device, passed=result == "completed", now=clock.now(), **written
            )
            device_id = device.id
    except DomainError as refusal:
        return _refused(check_id, refusal)
    return see(f"/devices/{device_id}/checks?done={result}")


@gates.need(Permission.SEE_DEVICES)
def device_checks(device_id: UUID) -> Response:
    """What is to be done to a device, and what was done."""
    return _device(device_id)


@gates.need(Permission.KEEP_DEVICES)
def schedule_check(device_id: UUID) -> Response:
    """Something is to be done to the device on a day."""
    written = {"kind": request.form.get("kind", "")[:20], "day": request.form.get("day", "")[:10]}
    errors = {} if written["kind"] in settings.KINDS else {"kind": "Choose what is to be done."}
    due_at = _morning(written["day"])
    if due_at is None:
        errors["day"] = "Choose a day."
    if not errors and due_at is not None:
        try:
            with db.transaction() as session:
                actor = login.actor()
                device = registry.device_of(session, actor, device_id, to_change=True)
                checks.schedule(session, actor, device, kind=written["kind"], due_at=due_at, now=clock.now())
            return see(f"/devices/{device_id}/checks?done=scheduled")
        except DomainError as refusal:
            _raise_missing(refusal)
            errors["day"] = str(refusal)
    return _device(device_id, written=written, errors=errors)


def _morning(written: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(written), AT, tzinfo=ZoneInfo(filters.time_zone()))
    except (ValueError, OverflowError):
        return None


def _raise_missing(refusal: DomainError) -> None:
    if isinstance(refusal, NotFoundError):
        raise refusal


def _refused(check_id: UUID, refusal: DomainError) -> Response:
    _raise_missing(refusal)
    return _check(check_id, errors={"form": str(refusal)})


def _check(
    check_id: UUID, *, written: dict[str, str] | None = None, errors: dict[str, str] | None = None
) -> Response:
    now = clock.now()
    with db.transaction(read_only=True) as session:
        checks.check_of(session, login.actor(), check_id)
        row = check_list.one(session, check_id, now=now)
        days = settings.days(session)
    return pages.answer(
        "technician/check.html",
        f"Error: Check of {row.serial}" if errors else f"Check of {row.serial}",
        status=422 if errors else 200,
        check=row,
        days=days[row.kind],
        written=written or {"before": "", "after": "", "note": "", "result": ""},
        errors=errors or {},
        now=now,
    )


def _device(
    device_id: UUID, *, written: dict[str, str] | None = None, errors: dict[str, str] | None = None
) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        device = registry.device_of(session, actor, device_id)
        rows = check_list.of_device(session, device_id, now=now)
        days = settings.days(session)
        may_keep = (
            registry.may_keep(actor, ward_id=device.ward_id, kind=device.kind) and not device.retired_at
        )
        serial, is_retired = device.serial, device.retired_at is not None
    usual = (now + timedelta(days=days[CALIBRATION])).astimezone(ZoneInfo(filters.time_zone())).date()
    return pages.answer(
        "technician/device_checks.html",
        f"Error: Checks of {serial}" if errors else f"Checks of {serial}",
        status=422 if errors else 200,
        device_id=device_id,
        serial=serial,
        is_retired=is_retired,
        open=[row for row in rows if row.ended_at is None],
        past=[row for row in rows if row.ended_at is not None],
        may_keep=may_keep,
        kinds=settings.KINDS,
        days=days,
        written=written or {"kind": CALIBRATION, "day": usual.isoformat()},
        errors=errors or {},
        done=request.args.get("done", "")[:20],
        now=now,
    )
