"""The rules that apply to one patient, prepared for the fold."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from math import inf, nextafter
from typing import Final

from msgspec import Struct

from silverwatch.domain.alerts.conditions import Slope, Value, leaves, watched
from silverwatch.domain.alerts.house_rule import Rule
from silverwatch.domain.alerts.limits import Limits

Range = tuple[float, float]
_ANYTHING: Final[Range] = (-inf, inf)
_NOTHING: Final[Range] = (inf, -inf)


class Applied(Struct, frozen=True):
    """A rule by its key, which is the text of its id, and the vitals that it watches."""

    key: str
    rule: Rule
    watches: frozenset[str]


class RuleSet:
    """Keep and reuse an instance. `groups`: kind to its rules; `ranges`: vital to the values that no rule minds.

    `by_time`: some rule may become true with no value changing, because its hours begin.
    """

    def __init__(self, rules: Mapping[str, Rule], zone: tzinfo = UTC) -> None:
        self.zone = zone
        self._calm: tuple[Limits, Mapping[str, Range]] | None = None
        self.groups: dict[str, tuple[Applied, ...]] = {}
        self.ranges: dict[str, Range] = {}
        slopes: dict[tuple[str, int], Slope] = {}
        for key, rule in rules.items():
            if not rule.enabled or rule.by_clock:
                continue
            kind = rule.kind(key)
            applied = Applied(key, rule, watched(rule.condition))
            self.groups[kind] = (*self.groups.get(kind, ()), applied)
            self._narrow(rule)
            slopes |= {(s.vital, s.minutes): s for s in leaves(rule.condition) if isinstance(s, Slope)}
        self.slopes = tuple(slopes.values())
        self.by_time = any(a.rule.schedule for group in self.groups.values() for a in group)
        self.tracked = frozenset(name for group in self.groups.values() for a in group for name in a.watches)

    def calm(self, limits: Limits) -> Mapping[str, Range]:
        """Vital to the values that pass no limit and that no rule minds; worked out once for each limits."""
        if self._calm is None or self._calm[0] is not limits:
            names = limits.calm.keys() | self.ranges.keys()
            both = {n: meet(limits.calm.get(n, _ANYTHING), self.ranges.get(n, _ANYTHING)) for n in names}
            self._calm = limits, both
        return self._calm[1]

    def _narrow(self, rule: Rule) -> None:
        for leaf in leaves(rule.condition):
            if isinstance(leaf, Value):
                self.ranges[leaf.vital] = meet(self.ranges.get(leaf.vital, _ANYTHING), quiet(leaf))
            elif isinstance(leaf, Slope):
                self.ranges[leaf.vital] = _NOTHING


def quiet(leaf: Value) -> Range:
    """The values, both ends included, for which the leaf is false."""
    bound = leaf.bound
    if leaf.operator[0] == ">":
        return -inf, bound if leaf.operator == ">" else nextafter(bound, -inf)
    return bound if leaf.operator == "<" else nextafter(bound, inf), inf


def meet(one: Range, other: Range) -> Range:
    """What is in both."""
    return max(one[0], other[0]), min(one[1], other[1])


NO_RULES: Final = RuleSet({})
