"""The form for a set of observations: reading what was sent, in the units in which it was written."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from werkzeug.datastructures import MultiDict

from silverwatch import clock
from silverwatch.domain.readings import units
from silverwatch.domain.readings.units import Units
from silverwatch.domain.readings.vitals import ACVPU, BY_NAME, CONSCIOUSNESS
from silverwatch.web import filters

OXYGEN: Final = "supplemental_oxygen"
PAIN: Final = "pain"
FIRST: Final = ("respiratory_rate", "oxygen_saturation", OXYGEN, "systolic_bp", "diastolic_bp", "heart_rate")
THEN: Final = ("temperature", "glucose", "pain", "weight")
"""The numbers before and after the level of consciousness: the order in which a patient is looked at."""
LATE: Final = timedelta(hours=24)
"""A set may be entered so much later than it was measured."""
SAMPLES: Final = {"temperature": "36.8", OXYGEN: "2"}
NUMBER: Final = re.compile(r"\d{1,6}([.,]\d{1,12})?", re.ASCII)

Values = dict[str, float | str]


@dataclass(slots=True, kw_only=True)
class ObservationForm:
    """A set as it was sent. `form_id` makes a resend the same set; `opened_at` is when the form was.

    `written` are the fields as they were typed, in `units`; `values` are what they mean, in stored units. `local` is
    the time as it was written. `confirmed`: the unusual values that were looked at again, as "vital=typed" words.
    """

    form_id: UUID
    opened_at: datetime
    units: Units
    measured_at: datetime
    local: str
    written: dict[str, str] = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    confirmed: frozenset[str] = frozenset()
    next: str = ""

    def word(self, vital: str) -> str:
        """How a value is named among those that were confirmed."""
        return f"{vital}={self.written.get(vital, '').strip()}"


def empty(chosen: Units, *, now: datetime, back: str) -> ObservationForm:
    """A form for what is measured now."""
    return ObservationForm(
        form_id=clock.new_id(),
        opened_at=now,
        units=chosen,
        measured_at=now,
        local=filters.local_minute(now),
        next=back,
    )


def read(sent: MultiDict[str, str], *, now: datetime, back: str) -> ObservationForm:
    """What was sent; `errors` say what to do about what cannot be understood."""
    opened_at = _opened_at(sent, now)
    form = ObservationForm(
        form_id=_form_id(sent),
        opened_at=opened_at,
        units=units.from_code(sent.get("units", "")),
        measured_at=opened_at,
        local=sent.get("local", "") or filters.local_minute(opened_at),
        written={
            name: sent.get(name, "").replace("\0", "") for name in (*FIRST, *THEN, CONSCIOUSNESS, "air")
        },
        confirmed=frozenset([*sent.get("confirmed", "").split(), *sent.getlist("right")]),
        next=back,
    )
    for name in (*FIRST, *THEN):
        _read_number(form, name)
    _read_oxygen(form)
    level = form.written[CONSCIOUSNESS]
    if level in ACVPU:
        form.values[CONSCIOUSNESS] = level
    elif level:
        form.errors[CONSCIOUSNESS] = "Choose one of the five levels."
    _read_time(form, now)
    return form


def _read_number(form: ObservationForm, name: str) -> None:
    typed = form.written[name].strip()
    if not typed:
        return
    if NUMBER.fullmatch(typed) is None:
        sample = SAMPLES.get(name, "72")
        form.errors[name] = f"Enter a number for {BY_NAME[name].label}, such as {sample}."
        return
    if name == PAIN and not float(typed.replace(",", ".")).is_integer():
        # It would be shown as another one.
        form.errors[name] = "Pain: enter a whole number from 0 to 10."
        return
    form.values[name] = units.to_stored(name, float(typed.replace(",", ".")), form.units)


def _read_oxygen(form: ObservationForm) -> None:
    """Air is 0 L/min, as a choice of its own: it is what nearly everybody breathes."""
    flow = form.values.get(OXYGEN)
    if form.written["air"] == "air":
        if isinstance(flow, float) and flow > 0:
            form.errors[OXYGEN] = "Choose air, or oxygen with its L/min."
        form.values[OXYGEN] = 0.0
    elif form.written["air"] == "oxygen" and OXYGEN not in form.errors and not flow:
        form.errors[OXYGEN] = "Enter how much oxygen is given in L/min, such as 2."


def _read_time(form: ObservationForm, now: datetime) -> None:
    """The minute that the form says, or the very moment it was opened where nobody changed it."""
    if form.local != filters.local_minute(form.opened_at):
        try:
            form.measured_at = filters.from_local_minute(form.local)
        except ValueError:
            form.errors["local"] = "Enter the day and time of the measurement."
            return
    if form.measured_at > now + timedelta(minutes=1):
        form.errors["local"] = f"This time has not come yet. Enter one before {filters.clock_time(now)}."
    elif form.measured_at != form.opened_at and form.measured_at < now - LATE:
        form.errors["local"] = "This is more than 24 hours ago. Write a note about what was measured then."


def _form_id(sent: MultiDict[str, str]) -> UUID:
    try:
        return UUID(sent.get("form_id", ""))
    except ValueError:
        return clock.new_id()


def _opened_at(sent: MultiDict[str, str], now: datetime) -> datetime:
    """The moment that the form carries, so that a resend is the same set; a person's form has none at first."""
    try:
        at = datetime.fromisoformat(sent.get("measured_at", ""))
        return at.astimezone(UTC) if at.tzinfo is not None else now
    except (ValueError, OverflowError):
        return now
