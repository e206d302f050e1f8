"""The form of a medication: reading what was sent, and writing a plan into it."""

import re
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

from silverwatch import clock
from silverwatch.domain.records.medication_schedule import (
    AS_NEEDED,
    EVERY_DAY,
    INTERVAL,
    KINDS,
    ROUTES,
    TIMES,
    Plan,
)
from silverwatch.domain.records.medications import MOST_DOSE, MOST_NAME, MOST_TEXT, MedicationView
from silverwatch.web import fields, filters

USUAL_TIMES: Final = ("06:00", "08:00", "12:00", "14:00", "18:00", "20:00", "22:00", "00:00")
HOURS: Final = (1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 168)
APART_MIN: Final = (15, 30, 60, 120, 180, 240, 360, 480, 720, 1440)
"""At least so many minutes between two doses that are given as needed."""
CHOICES: Final = {"routes": ROUTES, "kinds": KINDS, "times": USUAL_TIMES, "hours": HOURS, "apart": APART_MIN}
"""What the form offers to choose from."""
MOST_TIMES: Final = 12
MOST_24H: Final = 24
BACK: Final = timedelta(hours=24)
"""What began so long ago can still be entered."""
AHEAD: Final = timedelta(days=31)
LONGEST: Final = timedelta(days=366)
_CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


@dataclass(slots=True, kw_only=True)
class MedicationForm:
    """A medication as it was sent. `form_id` makes a resend the same one, `seen` is the version that was shown.

    `confirmed` are the allergies that were read and confirmed. `plan` and `from_at` are there once all is understood.
    """

    form_id: UUID
    name: str = ""
    dose: str = ""
    route: str = "oral"
    kind: str = TIMES
    times: tuple[str, ...] = ()
    other_times: str = ""
    weekdays: tuple[int, ...] = EVERY_DAY
    every_h: str = "8"
    reason: str = ""
    least_min: str = ""
    most_24h: str = ""
    note: str = ""
    begins: str = ""
    ends: str = ""
    confirmed: str = ""
    seen: int = 0
    plan: Plan | None = None
    from_at: datetime | None = None
    errors: dict[str, str] = field(default_factory=dict)


def empty(now: datetime) -> MedicationForm:
    """A form for what begins now."""
    return MedicationForm(form_id=clock.new_id(), begins=filters.local_minute(now))


def of_medication(medication: MedicationView, *, next_at: datetime | None, now: datetime) -> MedicationForm:
    """A form that says what holds. What comes every so many hours changes with its next dose, so the rhythm stays."""
    latest = medication.latest
    plan = latest.plan
    written = plan.clock_times
    begins = next_at if plan.kind == INTERVAL and next_at else max(now, latest.from_at)
    return MedicationForm(
        form_id=medication.id,
        name=medication.name,
        dose=plan.dose,
        route=plan.route,
        kind=plan.kind,
        times=tuple(at for at in written if at in USUAL_TIMES),
        other_times=" ".join(at for at in written if at not in USUAL_TIMES),
        weekdays=plan.weekdays or EVERY_DAY,
        every_h=str(plan.every_h or ""),
        reason=plan.reason,
        least_min=str(plan.least_min or ""),
        most_24h=str(plan.most_24h or ""),
        note=plan.note,
        begins=filters.local_minute(begins),
        ends=filters.local_minute(plan.ends_at) if plan.ends_at else "",
        seen=latest.number,
    )


def read(sent: fields.Sent, *, now: datetime, stands: MedicationView | None = None) -> MedicationForm:
    """What was sent; `errors` say what to do about what cannot be understood. `stands` is what is changed."""
    form = MedicationForm(
        form_id=fields.identity(sent.get("form_id")) or clock.new_id(),
        name=stands.name if stands else fields.line(sent, "name", most=MOST_NAME),
        dose=fields.line(sent, "dose", most=MOST_DOSE),
        route=fields.line(sent, "route", most=20),
        kind=fields.line(sent, "kind", most=20),
        times=tuple(at for at in USUAL_TIMES if at in sent.getlist("time")),
        other_times=fields.line(sent, "other_times", most=MOST_TEXT),
        weekdays=tuple(day for day in EVERY_DAY if str(day) in sent.getlist("weekday")),
        every_h=fields.line(sent, "every_h", most=4),
        reason=fields.line(sent, "reason", most=MOST_TEXT),
        least_min=fields.line(sent, "least_min", most=5),
        most_24h=fields.line(sent, "most_24h", most=3),
        note=fields.line(sent, "note", most=MOST_TEXT),
        begins=fields.line(sent, "begins", most=16),
        ends=fields.line(sent, "ends", most=16),
        confirmed=fields.line(sent, "confirmed", most=1000),
        seen=fields.whole(sent.get("seen"), most=99999) or 0,
    )
    _texts(form)
    begins = _begin(form, now=now, stands=stands)
    plan = _plan(form, begins)
    if plan is not None and begins is not None and not form.errors:
        form.plan, form.from_at = plan, begins
    return form


def _texts(form: MedicationForm) -> None:
    errors = form.errors
    if not form.name:
        errors["name"] = "Name the medication."
    elif len(form.name) > MOST_NAME:
        errors["name"] = f"Name it in {MOST_NAME} characters."
    if not form.dose:
        errors["dose"] = "Enter the dose with its unit, such as 500 mg."
    elif len(form.dose) > MOST_DOSE:
        errors["dose"] = f"Say the dose in {MOST_DOSE} characters."
    if form.route not in ROUTES:
        errors["route"] = "Choose how it is given."
    if form.kind not in KINDS:
        errors["kind"] = "Choose when it is given."
    if len(form.note) > MOST_TEXT:
        errors["note"] = f"Say it in {MOST_TEXT} characters."


def _begin(form: MedicationForm, *, now: datetime, stands: MedicationView | None) -> datetime | None:
    """From when it holds. A change that was to hold from before now holds from now."""
    try:
        begins = filters.from_local_minute(form.begins)
    except ValueError:
        form.errors["begins"] = "Enter the day and time from which it is given."
        return None
    if begins < now - BACK:
        form.errors["begins"] = "This is more than 24 hours ago. Enter a later time."
    elif begins > now + AHEAD:
        form.errors["begins"] = "This is more than 31 days ahead. Enter an earlier time."
    if stands is not None and begins < now and form.kind != INTERVAL:
        return now
    return begins


def _plan(form: MedicationForm, begins: datetime | None) -> Plan | None:
    """The plan of the form; None where it is not whole."""
    ends_at = _end(form, begins)
    times = _times(form) if form.kind == TIMES else ()
    every_h = fields.whole(form.every_h, most=HOURS[-1]) if form.kind == INTERVAL else None
    least_min = fields.whole(form.least_min, most=APART_MIN[-1]) if form.kind == AS_NEEDED else None
    most_24h = fields.whole(form.most_24h, most=MOST_24H) if form.kind == AS_NEEDED else None
    if form.kind == TIMES and not form.weekdays:
        form.errors["weekday"] = "Choose at least one day of the week."
    if form.kind == INTERVAL and every_h not in HOURS:
        form.errors["every_h"] = "Choose how often from the list."
    if form.kind == AS_NEEDED:
        if not form.reason or len(form.reason) > MOST_TEXT:
            form.errors["reason"] = f"Say what it is for, in at most {MOST_TEXT} characters."
        if least_min not in APART_MIN:
            form.errors["least_min"] = "Choose the least time between two doses."
        if not most_24h:
            form.errors["most_24h"] = f"Enter how many doses there are at most in 24 hours, 1 to {MOST_24H}."
    if form.errors:
        return None
    return Plan(
        kind=form.kind,
        dose=form.dose,
        route=form.route,
        times=times,
        weekdays=form.weekdays if form.kind == TIMES else (),
        every_h=every_h,
        first_at=begins if form.kind == INTERVAL else None,
        reason=form.reason if form.kind == AS_NEEDED else "",
        least_min=least_min,
        most_24h=most_24h,
        note=form.note,
        ends_at=ends_at,
    )


def _end(form: MedicationForm, begins: datetime | None) -> datetime | None:
    if not form.ends:
        return None
    try:
        ends_at = filters.from_local_minute(form.ends)
    except ValueError:
        form.errors["ends"] = "Enter the day and time at which it ends, or leave it empty."
        return None
    if begins is not None and not begins < ends_at <= begins + LONGEST:
        form.errors["ends"] = "Enter an end after the begin and within a year, or leave it empty."
    return ends_at


def _times(form: MedicationForm) -> tuple[time, ...]:
    written = [*form.times, *re.split(r"[\s,;]+", form.other_times.strip())]
    matches = [_CLOCK.fullmatch(at) for at in written if at]
    found = {time(int(match[1]), int(match[2])) for match in matches if match}
    if None in matches:
        form.errors["other_times"] = "Enter times of the day, such as 07:30 21:15."
    elif not found:
        form.errors["time"] = "Choose at least one time of the day."
    elif len(found) > MOST_TIMES:
        form.errors["time"] = f"Choose at most {MOST_TIMES} times, or every so many hours."
    return tuple(sorted(found))
