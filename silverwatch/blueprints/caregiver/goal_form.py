"""A goal of the care plan as it is sent, and as it is read out of a goal that stands."""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from silverwatch import clock
from silverwatch.blueprints.caregiver.record import day_of, today
from silverwatch.domain.readings.units import Units, from_code, shown, to_stored
from silverwatch.domain.readings.vitals import BY_NAME, is_plausible
from silverwatch.domain.records import goals
from silverwatch.domain.records.goals import GoalText, GoalView
from silverwatch.web import fields

NUMBER: Final = re.compile(r"\d{1,7}([.,]\d{1,6})?", re.ASCII)
VITALS: Final = (
    "heart_rate", "respiratory_rate", "oxygen_saturation", "systolic_bp", "temperature", "supplemental_oxygen",
    "weight", "glucose", "pain", "steps",
)  # fmt: skip
"""What a goal can be measured by, besides words."""
BY: Final = ("", "vital", "words")
FURTHEST: Final = timedelta(days=730)


@dataclass(slots=True, kw_only=True)
class GoalForm:
    """A goal as it was sent, its target in `units`. `by` is one of `BY`; `seen`: the version read."""

    form_id: UUID
    units: Units
    seen: int = 0
    what: str = ""
    by: str = ""
    vital: str = ""
    sign: str = ">="
    target: str = ""
    measure: str = ""
    wanted: str = ""
    target_on: str = ""
    says: GoalText | None = None
    errors: dict[str, str] = field(default_factory=dict)


def of_goal(goal: GoalView, units: Units) -> GoalForm:
    """The form of a goal as it stands."""
    says = goal.says
    target = shown(says.vital, says.target, units) if says.vital and says.target is not None else ""
    return GoalForm(
        form_id=goal.id,
        units=units,
        seen=goal.latest.number,
        what=says.what,
        by="vital" if says.vital else "words" if says.measure else "",
        vital=says.vital or "",
        sign=says.sign or ">=",
        target=target,
        measure=says.measure,
        wanted=says.wanted,
        target_on=says.target_on.isoformat() if says.target_on else "",
    )


def read(sent: fields.Sent, *, stands: GoalText | None = None) -> GoalForm:
    """The form, with the goal in `says` where nothing is wrong. A date that stood already may be over."""
    form = GoalForm(
        form_id=fields.identity(sent.get("form_id")) or clock.new_id(),
        units=from_code(sent.get("units", "")),
        seen=fields.whole(sent.get("seen"), most=999_999) or 0,
        what=fields.line(sent, "what", most=goals.MOST_TEXT),
        by=sent.get("by", ""),
        vital=sent.get("vital", ""),
        sign=sent.get("sign", ""),
        target=fields.line(sent, "target", most=14),
        measure=fields.line(sent, "measure", most=goals.MOST_TEXT),
        wanted=fields.line(sent, "wanted", most=goals.MOST_TEXT),
        target_on=fields.line(sent, "target_on", most=10),
    )
    _check_text(form, "what", "Say what is to be reached, in one sentence.")
    on = _day(form, stands)
    if form.by not in BY:
        form.errors["by"] = "Choose how it is measured."
    if form.by == "words":
        _check_text(form, "measure", "Say by what you see how far it is.")
        _check_text(form, "wanted", "Say what is to be reached, such as 10 m.")
        says = GoalText(what=form.what, measure=form.measure, wanted=form.wanted, target_on=on)
    elif form.by == "vital":
        says = _by_vital(form, on, stands)
    else:
        says = GoalText(what=form.what, target_on=on)
    form.says = says if not form.errors else None
    return form


def _check_text(form: GoalForm, name: str, missing: str) -> None:
    written = getattr(form, name)
    if not written:
        form.errors[name] = missing
    elif len(written) > goals.MOST_TEXT:
        form.errors[name] = f"Say it in {goals.MOST_TEXT} characters."


def _by_vital(form: GoalForm, on: date | None, stands: GoalText | None) -> GoalText:
    if form.vital not in VITALS:
        form.errors["vital"] = "Choose a value from the list."
        return GoalText(what=form.what, target_on=on)
    vital = BY_NAME[form.vital]
    if form.sign not in goals.SIGNS:
        form.errors["sign"] = "Choose at least or at most."
    value = None
    if NUMBER.fullmatch(form.target) is None:
        form.errors["target"] = "Enter the target as a number, such as 92."
    else:
        value = to_stored(vital.name, float(form.target.replace(",", ".")), form.units)
        if stands and stands.vital == vital.name and stands.target is not None:
            # What nobody touched is what was stored, not what its unit rounds it to.
            value = stands.target if form.target == shown(vital.name, stands.target, form.units) else value
        if not is_plausible(vital, value):
            low, high = (shown(vital.name, bound, form.units) for bound in (vital.low, vital.high))
            form.errors["target"] = f"Enter a target from {low} to {high} {form.units.of(vital.name)}."
    return GoalText(what=form.what, vital=vital.name, sign=form.sign, target=value, target_on=on)


def _day(form: GoalForm, stands: GoalText | None) -> date | None:
    if not form.target_on:
        return None
    on = day_of(form.target_on)
    if on is not None and stands is not None and on == stands.target_on:
        return on
    if on is None or not today() <= on <= today() + FURTHEST:
        form.errors["target_on"] = "Enter a day from today on, within two years, or leave it empty."
        return None
    return on
