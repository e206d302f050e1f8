"""From what a source said to a set that may be stored: pure, and the same for every way in.

A client's bug (an unknown field, a wrong type) refuses the whole item loudly. A value that no patient can
have is refused alone, and its sensor counts as off: a broken thermometer must not hide a falling saturation.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from silverwatch.domain.readings import vitals

AHEAD: Final = timedelta(minutes=10)
"""How far ahead of ours a clock may be."""

EVENT_KINDS: Final = frozenset({"fall", "help", "sensor_off", "sensor_on", "low_battery", "moved"})

Values = dict[str, float | str]
"""Vital to value; consciousness is its letter."""

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_PRESSURES: Final = ("systolic_bp", "diastolic_bp", "mean_bp")
_RULES: Final = {name: (vital.low, vital.high, vital) for name, vital in vitals.BY_NAME.items()}


class Refusal(NamedTuple):
    """Why an item, or one field of it, was refused. `field` is empty where it is about the whole item."""

    code: str
    field: str
    detail: str


class RefusedError(Exception):
    """The whole item is refused."""

    def __init__(self, code: str, field: str, detail: str) -> None:
        super().__init__(detail)
        self.refusal = Refusal(code, field, detail)


class Span(NamedTuple):
    """The times that can be stored: from the oldest partition to a little ahead of now."""

    oldest: datetime
    newest: datetime


@dataclass(slots=True)
class Taken:
    """A set that may be stored. `zeros` are the `vitals.BIT`s of values that said "sensor off" themselves,
    `off` those and the bits of refused values."""

    device: str | None
    measured_at: datetime
    values: Values
    zeros: int
    off: int
    refusals: list[Refusal]


class TakenEvent(NamedTuple):
    """Something that a device reports besides readings."""

    device: str | None
    at: datetime
    kind: str


def moment(text: Any) -> datetime:
    """An aware UTC datetime from RFC 3339 with an offset; raises ValueError."""
    if type(text) is not str or _RFC3339.fullmatch(text) is None:
        raise ValueError("a time like 2026-11-22T10:00:00Z, with its offset")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError("a time of these centuries") from None


def take(item: Any, span: Span) -> Taken:
    """A reading as it was sent; raises RefusedError if nothing of it can be stored for its form or time."""
    if type(item) is not dict:
        raise RefusedError("wrong_type", "", "a reading is an object")
    taken = Taken(None, span.oldest, {}, 0, 0, [])
    values = taken.values
    said = False
    for name, value in item.items():
        rule = _RULES.get(name)
        if rule is None:
            said |= _take_other(taken, name, value)
        elif (type(value) is float or type(value) is int) and rule[0] < value <= rule[1] and name != "steps":
            values[name] = float(value)
            said = True
        elif value is not None:
            _take_odd(taken, rule[2], value)
            said = True
    taken.measured_at = _time(item, "measured_at", span)
    if not said:
        raise RefusedError("wrong_type", "", "no vital")
    if "diastolic_bp" in values or "mean_bp" in values:
        for refusal in check_pressures(values):
            refuse_value(taken, refusal)
    return taken


def take_event(item: Any, span: Span) -> TakenEvent:
    """An event as it was sent; raises RefusedError."""
    if type(item) is not dict:
        raise RefusedError("wrong_type", "", "an event is an object")
    for name in item:
        if name not in {"at", "kind", "device"}:
            raise RefusedError("unknown_field", name, "an event has at, kind and device")
    kind = item.get("kind")
    if type(kind) is not str or kind not in EVENT_KINDS:
        raise RefusedError("wrong_type", "kind", "one of " + ", ".join(sorted(EVENT_KINDS)))
    return TakenEvent(_serial(item.get("device")), _time(item, "at", span), kind)


def check_pressures(values: Mapping[str, float | str]) -> list[Refusal]:
    """The blood pressures of a set that contradict each other."""
    systolic, diastolic, mean = (values.get(name) for name in _PRESSURES)
    if isinstance(systolic, float) and isinstance(diastolic, float) and systolic <= diastolic:
        return [
            Refusal("implausible", name, "systolic is not above diastolic")
            for name in _PRESSURES
            if name in values
        ]
    above = isinstance(mean, float) and isinstance(systolic, float) and mean > systolic
    below = isinstance(mean, float) and isinstance(diastolic, float) and mean < diastolic
    if above or below:
        return [Refusal("implausible", "mean_bp", "mean is not between diastolic and systolic")]
    return []


def refuse_value(taken: Taken, refusal: Refusal) -> None:
    """Take this value out of the set: its sensor counts as off."""
    taken.values.pop(refusal.field, None)
    taken.off |= vitals.BIT[refusal.field]
    taken.refusals.append(refusal)


def _take_other(taken: Taken, name: str, value: Any) -> bool:
    """A field that is not a number; tells whether it is a vital that was given."""
    if name == "measured_at":
        return False
    if name == "device":
        taken.device = _serial(value)
        return False
    if name != vitals.CONSCIOUSNESS:
        raise RefusedError("unknown_field", name, "not a field of a reading")
    if value is None:
        return False
    if type(value) is not str or value not in vitals.ACVPU:
        raise RefusedError("wrong_type", name, "one of A, C, V, P, U")
    taken.values[name] = value
    return True


def _take_odd(taken: Taken, vital: vitals.Vital, value: Any) -> None:
    """What is not plainly inside the range: 0, a bound, steps, a value of no patient, no number at all."""
    if type(value) is not float and type(value) is not int:
        raise RefusedError("wrong_type", vital.name, "a number")
    if vital.zero_is_off and value == 0:
        taken.zeros |= vitals.BIT[vital.name]
        taken.off |= vitals.BIT[vital.name]
    elif not vitals.is_plausible(vital, value):
        detail = f"outside {vital.low:g} to {vital.high:g} {vital.unit}"
        refuse_value(taken, Refusal("implausible", vital.name, detail))
    elif vital.name == "steps" and value != int(value):
        raise RefusedError("wrong_type", vital.name, "a whole number")
    else:
        taken.values[vital.name] = float(value)


def _serial(value: Any) -> str | None:
    if value is not None and type(value) is not str:
        raise RefusedError("wrong_type", "device", "the device's serial")
    return value


def _time(item: dict[str, Any], field: str, span: Span) -> datetime:
    try:
        found = moment(item.get(field))
    except ValueError as error:
        raise RefusedError("wrong_type", field, str(error)) from None
    if found > span.newest:
        raise RefusedError("future", field, "more than 10 minutes ahead")
    if found < span.oldest:
        raise RefusedError("too_old", field, f"before {span.oldest:%Y-%m-%d}")
    return found
