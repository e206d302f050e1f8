"""Conditions of alarm rules: a small typed tree that is data, never code. Stored as JSON through msgspec.

A condition is true, false, or not known (None): a value that is missing or too old says nothing. AND and OR
follow Kleene. Nothing here negates, so that more evidence of trouble never makes a condition less true.
"""

import operator
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, Literal, Protocol

from msgspec import Struct

from silverwatch.domain.readings.news2 import PARTS

Operator = Literal[">", ">=", "<", "<="]

COMPARE: Final[dict[Operator, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
ANY_PART: Final = "any"
NEWS_VITALS: Final = frozenset({*PARTS, "pulse_rate"})
"""The vitals of which NEWS2 is made; the pulse stands in for the heart rate."""


class Value(Struct, frozen=True, kw_only=True, tag="value", omit_defaults=True):
    """A vital beyond a bound, in its unit. Once raised it counts until it is `hysteresis` back past the bound."""

    vital: str
    operator: Operator
    bound: float
    hysteresis: float = 0.0


class Score(Struct, frozen=True, kw_only=True, tag="news2"):
    """The NEWS2 total, or what it is at least, of `at_least` or more."""

    at_least: int


class Points(Struct, frozen=True, kw_only=True, tag="points"):
    """One part of NEWS2 (a name of PARTS, or "any") with `at_least` points or more."""

    part: str
    at_least: int


class Rise(Struct, frozen=True, kw_only=True, tag="rise"):
    """The complete NEWS2 is `at_least` higher than it was before the newest set of observations."""

    at_least: int


class Slope(Struct, frozen=True, kw_only=True, tag="slope"):
    """A vital has risen or fallen by at least `by`, in its unit, against `minutes` ago."""

    vital: str
    direction: Literal["rises", "falls"]
    by: float
    minutes: int


class NoData(Struct, frozen=True, kw_only=True, tag="no_data"):
    """A vital has had no value for `minutes`. Only the clock finds it."""

    vital: str
    minutes: int


class All(Struct, frozen=True, kw_only=True, tag="and"):
    """Every one of them."""

    of: tuple["Condition", ...]


class AnyOf(Struct, frozen=True, kw_only=True, tag="or"):
    """At least one of them."""

    of: tuple["Condition", ...]


Leaf = Value | Score | Points | Rise | Slope | NoData
Condition = Value | Score | Points | Rise | Slope | NoData | All | AnyOf


class News(Protocol):
    """NEWS2 at the moment of a reading, as `news_fold` sums it up."""

    applies: bool
    points: dict[str, int]
    total: int
    complete: bool
    present: int

    @property
    def rise(self) -> int | None: ...


class Facts(Protocol):
    """What is known about a patient at the moment of a reading."""

    @property
    def news(self) -> News: ...

    def value(self, vital: str, at: datetime) -> float | None:
        """The newest value, None when there is none that is fresh."""

    def change(self, slope: Slope, at: datetime) -> float | None:
        """By how much the vital has changed; None when that is not known."""


def leaves(condition: Condition) -> Iterator[Leaf]:
    """All leaves, first to last."""
    if isinstance(condition, All | AnyOf):
        for each in condition.of:
            yield from leaves(each)
    else:
        yield condition


def watched(condition: Condition) -> frozenset[str]:
    """The vitals whose readings may change what the condition says."""
    found: set[str] = set()
    for leaf in leaves(condition):
        found |= {leaf.vital} if isinstance(leaf, Value | Slope | NoData) else NEWS_VITALS
    return frozenset(found)


def truth(condition: Condition, facts: Facts, at: datetime, *, raised: bool, basis: int) -> bool | None:
    """What the condition says at the moment `at` of a reading.

    `raised`: its alarm stands, so that hysteresis counts. `basis`: mask of the NEWS2 parts that were scored
    while it was true: a set that lacks one of them cannot say that it is over.
    """
    if isinstance(condition, All | AnyOf):
        decides = isinstance(condition, AnyOf)
        found = [truth(each, facts, at, raised=raised, basis=basis) for each in condition.of]
        if decides in found:
            return decides
        return None if None in found else not decides
    return _leaf(condition, facts, at, raised=raised, basis=basis)


def _leaf(leaf: Leaf, facts: Facts, at: datetime, *, raised: bool, basis: int) -> bool | None:
    if isinstance(leaf, Value):
        value = facts.value(leaf.vital, at)
        return None if value is None else holds(leaf, value, raised=raised)
    if isinstance(leaf, Slope):
        change = facts.change(leaf, at)
        return None if change is None else (change if leaf.direction == "rises" else -change) >= leaf.by
    if isinstance(leaf, NoData):
        return None
    return _news(leaf, facts.news, basis=basis)


def holds(leaf: Value, value: float, *, raised: bool) -> bool:
    """Is the value beyond the bound, or, once the alarm stands, not yet back past the hysteresis?"""
    back = leaf.hysteresis if raised else 0.0
    bound = leaf.bound - back if leaf.operator[0] == ">" else leaf.bound + back
    return COMPARE[leaf.operator](value, bound)


def _news(leaf: Score | Points | Rise, news: News, *, basis: int) -> bool | None:
    if not news.applies:
        return False
    if isinstance(leaf, Score):
        return True if news.total >= leaf.at_least else _below(news, basis)
    if isinstance(leaf, Rise):
        rise = news.rise
        return None if rise is None else rise >= leaf.at_least
    if leaf.part == ANY_PART:
        return True if max(news.points.values(), default=0) >= leaf.at_least else _below(news, basis)
    earned = news.points.get(leaf.part)
    return None if earned is None else earned >= leaf.at_least


def _below(news: News, basis: int) -> bool | None:
    """Sums that are low: they say so only with every part that made them high, or with all parts."""
    if news.complete:
        return False
    return False if basis and news.present & basis == basis else None
