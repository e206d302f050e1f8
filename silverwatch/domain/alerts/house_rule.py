"""An alarm rule as people write it: a condition, how long, when, how urgent, and what is done about it."""

from datetime import datetime, tzinfo
from typing import Final, Literal

from msgspec import Struct

from silverwatch.domain.alerts.board import Priority
from silverwatch.domain.alerts.conditions import (
    ANY_PART,
    COMPARE,
    All,
    AnyOf,
    Condition,
    NoData,
    Points,
    Rise,
    Score,
    Slope,
    Value,
    leaves,
)
from silverwatch.domain.readings.news2 import PARTS
from silverwatch.domain.readings.vitals import BY_NAME

Action = Literal["notify", "alarm", "show"]

NEWS_KIND: Final = "news2"
NO_DATA: Final = "no_data_"
OWN: Final = "rule_"

MOST_DEPTH: Final = 3
MOST_LEAVES: Final = 8
"""A rule that nobody can read aloud is a rule that nobody can check (proposal)."""
MOST_HOLD_S: Final = 3600
MOST_MINUTES: Final = 24 * 60
MOST_SLOPE_MINUTES: Final = 120
MOST_NAME: Final = 60
MOST_NEWS: Final = 20
DAY_MINUTES: Final = 24 * 60


class Schedule(Struct, frozen=True, array_like=True):
    """Minutes of the day on the clock of the site; `start` > `end` goes over midnight, such as (1260, 420)."""

    start: int
    end: int

    def holds(self, at: datetime, zone: tzinfo) -> bool:
        """Is this moment within? By the clock on the wall, so that a night is a night when the clocks change."""
        local = at.astimezone(zone)
        minute = local.hour * 60 + local.minute
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


class Rule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of a rule.

    `hold_s`: how long the condition must last where values come continuously; a spot value decides alone.
    `action`: "notify" sounds and goes through the escalation chain, "alarm" sounds, "show" is a silent
    advisory. `enabled`: one that is off stays in the list, with who put it off.
    """

    name: str
    condition: Condition
    hold_s: float = 0.0
    priority: Priority = "medium"
    technical: bool = False
    action: Action = "notify"
    schedule: Schedule | None = None
    enabled: bool = True

    @property
    def by_clock(self) -> bool:
        """Is it about missing values, which no reading can show?"""
        return any(isinstance(leaf, NoData) for leaf in leaves(self.condition))

    def kind(self, key: str) -> str:
        """The kind of its alerts; `key` is the id of the rule. All rules on the NEWS2 total are one alarm."""
        if isinstance(self.condition, Score):
            return NEWS_KIND
        return f"{NO_DATA if self.by_clock else OWN}{key}"


def problems(rule: Rule) -> dict[str, str]:
    """What is wrong with a rule, by field, as advice; empty for a good one."""
    found: dict[str, str] = {}
    if not 1 <= len(rule.name.strip()) <= MOST_NAME:
        found["name"] = f"Give the rule a name of 1 to {MOST_NAME} characters."
    if not 0 <= rule.hold_s <= MOST_HOLD_S:
        found["hold_s"] = f"Enter a duration of 0 to {MOST_HOLD_S} seconds."
    if rule.action == "show" and rule.priority != "low":
        found["priority"] = "A rule that only shows has low priority: choose low, or let it sound."
    if rule.schedule and rule.schedule.start == rule.schedule.end:
        found["schedule"] = "Enter an end that differs from the begin, or leave both empty for day and night."
    elif rule.schedule and not all(0 <= m < DAY_MINUTES for m in (rule.schedule.start, rule.schedule.end)):
        found["schedule"] = "Enter times of 00:00 to 23:59."
    about = _tree(rule.condition) or next(filter(None, map(_leaf, leaves(rule.condition))), None)
    if about:
        found["condition"] = about
    return found


def _tree(condition: Condition) -> str | None:
    if _depth(condition) > MOST_DEPTH:
        return f"Nest conditions at most {MOST_DEPTH} deep."
    each = list(leaves(condition))
    if not 1 <= len(each) <= MOST_LEAVES:
        return f"Give the rule 1 to {MOST_LEAVES} conditions."
    if len({isinstance(leaf, NoData) for leaf in each}) > 1:
        return "Put “no value” into a rule of its own: only the clock finds it, the others are found by readings."
    return None


def _depth(condition: Condition) -> int:
    if isinstance(condition, All | AnyOf):
        return 1 + max(map(_depth, condition.of), default=0)
    return 1


def _leaf(leaf: Condition) -> str | None:
    if isinstance(leaf, Value | Slope | NoData) and leaf.vital not in BY_NAME:
        return "Choose a vital of the list."
    if isinstance(leaf, Value):
        return _value(leaf)
    if isinstance(leaf, Slope):
        if not 1 <= leaf.minutes <= MOST_SLOPE_MINUTES:
            return f"Compare with 1 to {MOST_SLOPE_MINUTES} minutes ago."
        return None if 0 < leaf.by <= BY_NAME[leaf.vital].high else "Enter a change above 0 that is possible."
    if isinstance(leaf, NoData):
        ok = 1 <= leaf.minutes <= MOST_MINUTES
        return None if ok else f"Enter 1 to {MOST_MINUTES} minutes without a value."
    if isinstance(leaf, Points):
        if leaf.part != ANY_PART and leaf.part not in PARTS:
            return "Choose a part of NEWS2, or any."
        return None if 1 <= leaf.at_least <= 3 else "A part of NEWS2 has 1 to 3 points: enter one of these."
    if isinstance(leaf, Score | Rise):
        return None if 1 <= leaf.at_least <= MOST_NEWS else f"Enter a NEWS2 of 1 to {MOST_NEWS}."
    return None


def _value(leaf: Value) -> str | None:
    vital = BY_NAME[leaf.vital]
    if leaf.operator not in COMPARE:
        return "Choose above, at least, below or at most."
    if not vital.low <= leaf.bound <= vital.high:
        return f"Enter a bound for {vital.label} of {vital.low:g} to {vital.high:g} {vital.unit}."
    if not 0 <= leaf.hysteresis <= (vital.high - vital.low) / 2:
        return f"Enter how far {vital.label} must be back: 0 or more, and less than half of its range."
    return None
