"""A rule in plain words, and what one version changed against the one before.

`say` puts values into the numbered holes of an English sentence, and may say it in another language.
"""

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
from silverwatch.domain.language import Say, english, marked
from silverwatch.domain.readings.vitals import BY_NAME, CONSCIOUSNESS

OPERATORS: Final[Mapping[Operator, str]] = {
    ">": marked("above"),
    ">=": marked("at least"),
    "<": marked("below"),
    "<=": marked("at most"),
}
ACTIONS: Final[Mapping[Action, str]] = {
    "notify": marked("sounds and calls by the escalation chain"),
    "alarm": marked("sounds, without the escalation chain"),
    "show": marked("is only shown"),
}
PRIORITIES: Final[Mapping[str, str]] = {
    "high": marked("high priority"),
    "medium": marked("medium priority"),
    "low": marked("low priority"),
}


def sentence(rule: Rule, say: Say = english) -> str:
    """What the rule does: "RR above 24 /min for 60 s, 21:00 to 07:00: medium priority, sounds ..."."""
    return f"{condition_words(rule, say)}: {say(PRIORITIES[rule.priority])}, {say(ACTIONS[rule.action])}"


def condition_words(rule: Rule, say: Say = english) -> str:
    """When it raises: "RR above 24 /min for 60 s, 21:00 to 07:00"."""
    lasting = say(" for {0} s", f"{rule.hold_s:g}") if rule.hold_s and not rule.by_clock else ""
    hours = f", {schedule_words(rule.schedule, say)}" if rule.schedule else ""
    return f"{_words(rule.condition, say)}{lasting}{hours}"


def schedule_words(schedule: Schedule, say: Say = english) -> str:
    """21:00 to 07:00."""
    return say("{0} to {1}", clock_words(schedule.start), clock_words(schedule.end))


def clock_words(minute: int) -> str:
    """21:00 for minute 1260 of the day."""
    return f"{minute // 60:02}:{minute % 60:02}"


def differences(before: Rule, after: Rule, say: Say = english) -> list[str]:
    """What has changed, each as "from -> to"; empty when nothing has."""
    pairs = [
        ("{0}", condition_words(before, say), condition_words(after, say)),
        (marked("Name: {0}"), before.name, after.name),
        (marked("Priority: {0}"), say(PRIORITIES[before.priority]), say(PRIORITIES[after.priority])),
        (marked("It {0}"), say(ACTIONS[before.action]), say(ACTIONS[after.action])),
        ("{0}", _switched(before, say), _switched(after, say)),
    ]
    return [say(what, f"{old} -> {new}") for what, old, new in pairs if old != new]


def _switched(rule: Rule, say: Say) -> str:
    return say("on") if rule.enabled else say("off")


def label(vital: str, say: Say = english) -> str:
    """HR, SpO₂ and so on."""
    if vital in BY_NAME:
        return say(BY_NAME[vital].label)
    return say("Consciousness") if vital == CONSCIOUSNESS else vital


def _words(condition: Condition, say: Say, *, inside: bool = False) -> str:
    if isinstance(condition, All | AnyOf):
        joiner = say(" and ") if isinstance(condition, All) else say(" or ")
        words = joiner.join(_words(each, say, inside=True) for each in condition.of)
        return f"({words})" if inside and len(condition.of) > 1 else words
    return _leaf(condition, say)


def _leaf(leaf: Condition, say: Say) -> str:
    if isinstance(leaf, Value):
        unit = BY_NAME[leaf.vital].unit if leaf.vital in BY_NAME else ""
        gap = "" if unit == "%" else " "
        until = say(" (until {0} back)", f"{leaf.hysteresis:g}") if leaf.hysteresis else ""
        return f"{label(leaf.vital, say)} {say(OPERATORS[leaf.operator])} {leaf.bound:g}{gap}{unit}{until}"
    if isinstance(leaf, Slope):
        values = label(leaf.vital, say), f"{leaf.by:g}", leaf.minutes
        if leaf.direction == "rises":
            return say("{0} rises by {1} or more in {2} min", *values)
        return say("{0} falls by {1} or more in {2} min", *values)
    if isinstance(leaf, NoData):
        return say("No value of {0} for {1} min", label(leaf.vital, say), leaf.minutes)
    if isinstance(leaf, Score):
        return say("NEWS2 {0} or more", leaf.at_least)
    if isinstance(leaf, Points):
        if leaf.part == ANY_PART:
            return say("One part of NEWS2 with {0} points or more", leaf.at_least)
        return say("NEWS2 part {0} with {1} points or more", label(leaf.part, say), leaf.at_least)
    if isinstance(leaf, All | AnyOf):
        return _words(leaf, say)
    return say("NEWS2 risen by {0} or more since the set before", leaf.at_least)
