"""A rule in plain words, and what one version changed against the one before. English; templates translate."""

from collections.abc import Mapping
from typing import Final

from silverwatch.domain.alerts.conditions import (
    ANY_PART,
    All,
    AnyOf,
    Condition,
    NoData,
    Operator,
    Points,
    Score,
    Slope,
    Value,
)
from silverwatch.domain.alerts.house_rule import Action, Rule, Schedule
from silverwatch.domain.readings.vitals import BY_NAME, CONSCIOUSNESS

OPERATORS: Final[Mapping[Operator, str]] = {
    ">": "above",
    ">=": "at least",
    "<": "below",
    "<=": "at most",
}
ACTIONS: Final[Mapping[Action, str]] = {
    "notify": "sounds and calls by the escalation chain",
    "alarm": "sounds, without the escalation chain",
    "show": "is only shown",
}


def sentence(rule: Rule) -> str:
    """What the rule does: "RR above 24 /min for 60 s, 21:00 to 07:00: medium, sounds ..."."""
    return f"{condition_words(rule)}: {rule.priority} priority, {ACTIONS[rule.action]}"


def condition_words(rule: Rule) -> str:
    """When it raises: "RR above 24 /min for 60 s, 21:00 to 07:00"."""
    lasting = f" for {rule.hold_s:g} s" if rule.hold_s and not rule.by_clock else ""
    hours = f", {schedule_words(rule.schedule)}" if rule.schedule else ""
    return f"{_words(rule.condition)}{lasting}{hours}"


def schedule_words(schedule: Schedule) -> str:
    """21:00 to 07:00."""
    return f"{clock_words(schedule.start)} to {clock_words(schedule.end)}"


def clock_words(minute: int) -> str:
    """21:00 for minute 1260 of the day."""
    return f"{minute // 60:02}:{minute % 60:02}"


def differences(before: Rule, after: Rule) -> list[str]:
    """What has changed, each as "from -> to"; empty when nothing has."""
    pairs = [
        ("", condition_words(before), condition_words(after)),
        ("Name: ", before.name, after.name),
        ("Priority: ", before.priority, after.priority),
        ("It ", ACTIONS[before.action], ACTIONS[after.action]),
        ("", "on" if before.enabled else "off", "on" if after.enabled else "off"),
    ]
    return [f"{what}{old} -> {new}" for what, old, new in pairs if old != new]


def label(vital: str) -> str:
    """HR, SpO₂ and so on."""
    return BY_NAME[vital].label if vital in BY_NAME else "Consciousness" if vital == CONSCIOUSNESS else vital


def _words(condition: Condition, *, inside: bool = False) -> str:
    if isinstance(condition, All | AnyOf):
        joiner = " and " if isinstance(condition, All) else " or "
        words = joiner.join(_words(each, inside=True) for each in condition.of)
        return f"({words})" if inside and len(condition.of) > 1 else words
    return _leaf(condition)


def _leaf(leaf: Condition) -> str:
    if isinstance(leaf, Value):
        unit = BY_NAME[leaf.vital].unit if leaf.vital in BY_NAME else ""
        gap = "" if unit == "%" else " "
        until = f" (until {leaf.hysteresis:g} back)" if leaf.hysteresis else ""
        return f"{label(leaf.vital)} {OPERATORS[leaf.operator]} {leaf.bound:g}{gap}{unit}{until}"
    if isinstance(leaf, Slope):
        return f"{label(leaf.vital)} {leaf.direction} by {leaf.by:g} or more in {leaf.minutes} min"
    if isinstance(leaf, NoData):
        return f"No value of {label(leaf.vital)} for {leaf.minutes} min"
    if isinstance(leaf, Score):
        return f"NEWS2 {leaf.at_least} or more"
    if isinstance(leaf, Points):
        part = "One part of NEWS2" if leaf.part == ANY_PART else f"NEWS2 part {label(leaf.part)}"
        return f"{part} with {leaf.at_least} points or more"
    if isinstance(leaf, All | AnyOf):
        return _words(leaf)
    return f"NEWS2 risen by {leaf.at_least} or more since the set before"
