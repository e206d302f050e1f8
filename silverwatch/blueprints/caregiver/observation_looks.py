"""What is to be said at once of each value of a set that is being typed: plausible, unusual, impossible."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from silverwatch.blueprints.caregiver import observation_form as forms
from silverwatch.blueprints.caregiver.observation_form import ObservationForm
from silverwatch.domain.alerts.limits import Limits
from silverwatch.domain.alerts.unusual import Unusual, unusual
from silverwatch.domain.readings.accept import Refusal
from silverwatch.domain.readings.units import Units, shown
from silverwatch.domain.readings.vitals import BY_NAME, is_plausible

FIELDS: Final = (*forms.FIRST, *forms.THEN)
Values = Mapping[str, float | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the server says of one field. `word` names the value where it is unusual, for the tick that confirms it."""

    kind: Literal["plausible", "unusual", "impossible"]
    item: Unusual | None = None
    word: str = ""
    advice: str = ""


def looks_of(
    form: ObservationForm, *, limits: Limits, latest: Mapping[str, Any], now: datetime
) -> dict[str, Look]:
    """By field; nothing of a field that is empty."""
    wrong = {**impossible(form), **{name: said for name, said in form.errors.items() if name in FIELDS}}
    found = {name: Look(kind="impossible", advice=said) for name, said in wrong.items()}
    strange = {item.vital: item for item in unusual(form.values, limits=limits, latest=latest, now=now)}
    for name in FIELDS:
        if name in found or name not in form.values or not form.written.get(name, "").strip():
            continue
        item = strange.get(name)
        kind: Literal["plausible", "unusual"] = "unusual" if item else "plausible"
        found[name] = Look(kind=kind, item=item, word=form.word(name))
    return found


def impossible(form: ObservationForm) -> dict[str, str]:
    """What is to be said of values that no patient can have: a second look makes them no better."""
    found = {}
    for name, value in form.values.items():
        vital = BY_NAME.get(name)
        if vital and isinstance(value, float) and not is_plausible(vital, value):
            found[name] = advice(Refusal("implausible", name, "outside"), form.units)
    return found


def possible(values: Values) -> dict[str, float | str]:
    """Those that a patient can have."""
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, str) or is_plausible(BY_NAME[name], value)
    }


def unconfirmed(form: ObservationForm, looked: Sequence[Unusual]) -> bool:
    """Is one of the unusual values still to be looked at?"""
    return any(form.word(item.vital) not in form.confirmed for item in looked)


def advice(refusal: Refusal, units: Units) -> str:
    """What to do about a value that was refused, in the units of the form."""
    vital = BY_NAME.get(refusal.field)
    if vital is None:
        return f"This set: {refusal.detail}. Go back to the patient and look before you save it again."
    if refusal.code == "implausible" and refusal.detail.startswith(("outside", "not 0")):
        low, high = (shown(vital.name, bound, units) for bound in (vital.low, vital.high))
        unit = "" if vital.name == "pain" else f" {units.of(vital.name)}"
        more_than = "more than " if vital.above_zero else ""
        return f"{vital.label}: enter a number from {more_than}{low} to {high}{unit}. Look at it again."
    return f"{vital.label}: {refusal.detail}. Check the value and enter it again."
