"""The alarm load: what makes noise here, and who answers it. `/alerts/load`, and the same as a file."""

import csv
import io
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, request

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.inbox import scope_of
from silverwatch.domain.access import Permission, Role
from silverwatch.domain.alerts import load
from silverwatch.web import auditing, charts, filters, gates, login, pages

VIEW = "alarm load"
FILE_HEAD = (
    "kind",
    "technical",
    "alarms",
    "times_raised",
    "acted_on",
    "ended_by_itself",
    "median_acknowledge_s",
)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/alerts/load", view_func=alarm_load)
    blueprint.add_url_rule("/alerts/load.csv", view_func=alarm_load_file)


@gates.need(Permission.SEE_WARD)
def alarm_load() -> Response:
    """How many alarms, of what kind, how soon answered, and who has most of them?"""
    _refuse_displays()
    now, period = clock.now(), _period()
    since = now - load.PERIODS[period]
    with db.transaction(read_only=True) as session:
        scope = scope_of(session, login.actor())
        found = load.load(session, scope.ids, since=since, now=now, zone=filters.time_zone())
    _note([item.patient.id for item in found.patients], scope.ids)
    return pages.answer(
        "caregiver/load.html",
        "Alarm load",
        scope=scope,
        load=found,
        period=period,
        periods=tuple(load.PERIODS),
        bars=charts.hour_bars(found.hours),
        since=since,
        now=now,
    )


@gates.need(Permission.SEE_WARD)
def alarm_load_file() -> Response:
    """The load by kind, as a file for a spreadsheet."""
    _refuse_displays()
    now, period = clock.now(), _period()
    with db.transaction(read_only=True) as session:
        scope = scope_of(session, login.actor())
        rows = load.kinds(session, scope.ids, since=now - load.PERIODS[period], now=now)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(FILE_HEAD)
    writer.writerows(
        (
            item.kind,
            "yes" if item.technical else "no",
            item.alarms,
            item.times,
            item.acted,
            item.by_themselves,
            "" if item.median_s is None else round(item.median_s),
        )
        for item in rows
    )
    answer = make_response(file.getvalue())
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{_file_name(scope.name, period, now)}"'
    return answer


def _file_name(scope: str, period: str, now: datetime) -> str:
    return f"alarm-load-{scope}-{period}-{now:%Y-%m-%d}.csv"


def _note(patient_ids: list[UUID], ward_ids: list[UUID]) -> None:
    """Who has the most alarms is data of patients."""
    if patient_ids:
        auditing.viewed(VIEW, patient_ids=patient_ids, ward_id=ward_ids[0] if len(ward_ids) == 1 else None)


def _period() -> str:
    asked = request.args.get("period", "")
    return asked if asked in load.PERIODS else "24h"


def _refuse_displays() -> None:
    """A wall screen has its wall view and nothing else."""
    if login.actor().role is Role.DISPLAY:
        auditing.refused("role")
        abort(403)
