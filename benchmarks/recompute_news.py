"""The NEWS2 alarms of one recording worked out again: slow, plain, and from the clinical facts alone.

It shares no line with the rules that it checks. For each set the score is worked out from all sets before it, and
for each level every moment at which its run may have begun is tried. Source: clinical facts 1 and 7.
"""

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, NamedTuple

from benchmarks.found import Found


class Set(NamedTuple):
    """What one source said at one moment, in seconds; `spot`: by hand, or from a device that sends seldom."""

    at: float
    values: dict[str, Any]
    spot: bool
    interval_s: float


class Scored(NamedTuple):
    """A set and the score after it: the sum of the parts that are known, and which those are."""

    of: Set
    total: int
    parts: frozenset[str]


PARTS: Final = (
    "respiratory_rate", "oxygen_saturation", "supplemental_oxygen", "systolic_bp", "heart_rate", "consciousness",
    "temperature",
)  # fmt: skip
OFTEN: Final = ("respiratory_rate", "oxygen_saturation", "heart_rate", "pulse_rate")
LEVELS: Final = ((5, "medium"), (7, "high"))
HOLD_S: Final = 60.0
CLEAR_S: Final = 15.0
MINUTES: Final = 60.0


def news_alarms(sets: Sequence[Set]) -> list[Found]:
    """The alarms on a score of 5 or 7 and more, of sets in order of time, no two of one moment."""
    scored = [one for one in _scores(sets) if any(name in one.of.values for name in (*PARTS, "pulse_rate"))]
    on = [_times_on(scored, least) for least, _ in LEVELS]
    return list(_alarms(scored, on))


def _alarms(scored: Sequence[Scored], on: Sequence[Sequence[float | None]]) -> Iterator[Found]:
    first = 0
    while first < len(scored):
        if on[0][first] is None and on[1][first] is None:
            first += 1
            continue
        end = first
        while end < len(scored) and (on[0][end] is not None or on[1][end] is not None):
            end += 1
        priorities = ["high" if on[1][i] is not None else "medium" for i in range(first, end)]
        yield Found(
            kind="news2",
            run_from=min(since for level in on if (since := level[first]) is not None),
            event_at=scored[first].of.at,
            ended_at=scored[end].of.at if end < len(scored) else None,
            priority=priorities[-1],
            peak_priority="high" if "high" in priorities else "medium",
        )
        first = end


def _scores(sets: Sequence[Set]) -> Iterator[Scored]:
    """A seldom part counts for the time until the next set is due and half an hour, which hangs on the last score."""
    due_s = 12 * 60 * MINUTES
    for i, one in enumerate(sets):
        points = _points(sets[: i + 1], due_s=due_s)
        total = sum(points.values())
        if len(points) == len(PARTS):
            due_s = _due_s(total, 3 in points.values())
        yield Scored(one, total, frozenset(points))


def _points(sets: Sequence[Set], *, due_s: float) -> dict[str, int]:
    known = {}
    for part in PARTS:
        value = _young(sets, part, due_s=due_s)
        if value is None and part == "heart_rate":
            value = _young(sets, "pulse_rate", due_s=due_s)
        if value is not None:
            known[part] = score(part, value)
    return known


def _young(sets: Sequence[Set], name: str, *, due_s: float) -> Any:
    for one in reversed(sets):
        if name in one.values:
            oldest = 15 * MINUTES if name in OFTEN else min(due_s + 30 * MINUTES, 12.5 * 60 * MINUTES)
            return one.values[name] if sets[-1].at - one.at <= oldest else None
    return None


def _due_s(total: int, single_three: bool) -> float:
    if total >= 7:
        return 30 * MINUTES
    if total >= 5 or single_three:
        return 60 * MINUTES
    return (4 if total >= 1 else 12) * 60 * MINUTES


def score(part: str, value: Any) -> int:
    """Points of one part, on scale 1, as the chart has them."""
    if part == "consciousness":
        return 0 if value == "A" else 3
    if part == "supplemental_oxygen":
        return 2 if value > 0 else 0
    step = Decimal("0.1") if part == "temperature" else Decimal("1")
    whole = float(Decimal(str(value)).quantize(step, ROUND_HALF_UP))
    if part == "respiratory_rate":
        if whole <= 8 or whole >= 25:
            return 3
        return 2 if whole >= 21 else 1 if whole <= 11 else 0
    if part == "oxygen_saturation":
        return 3 if whole <= 91 else 2 if whole <= 93 else 1 if whole <= 95 else 0
    if part == "systolic_bp":
        if whole <= 90 or whole >= 220:
            return 3
        return 2 if whole <= 100 else 1 if whole <= 110 else 0
    if part == "temperature":
        if whole <= 35.0:
            return 3
        return 2 if whole >= 39.1 else 1 if whole <= 36.0 or whole >= 38.1 else 0
    if whole <= 40 or whole >= 131:
        return 3
    return 2 if whole >= 111 else 1 if whole <= 50 or whole >= 91 else 0


def _times_on(scored: Sequence[Scored], least: int) -> list[float | None]:
    """For each set: since when does the level stand after it, None if it does not?"""
    since: float | None = None
    begun = 0
    found: list[float | None] = []
    for i, one in enumerate(scored):
        if since is None and one.total >= least:
            start = _start(scored, i, least)
            lasts = one.of.at - scored[start].of.at >= HOLD_S
            if _decides_alone(one.of) or lasts:
                since, begun = scored[start].of.at, start
        elif since is not None and _is_over(scored, i, least, begun=begun):
            since = None
        found.append(since)
    return found


def _start(scored: Sequence[Scored], i: int, least: int) -> int:
    """The first set of the run that set i belongs to: the earliest from which nothing breaks it."""
    return next(s for s in range(i + 1) if scored[s].total >= least and _is_whole(scored, s, i, least))


def _is_whole(scored: Sequence[Scored], start: int, end: int, least: int) -> bool:
    last = scored[start]
    for one in scored[start + 1 : end + 1]:
        if one.total >= least:
            if one.of.at - last.of.at > _longest_gap_s(one.of):
                return False
            last = one
        elif _says_low(scored[start : scored.index(one)], one, least):
            return False
    return True


def _says_low(before: Sequence[Scored], one: Scored, least: int) -> bool:
    """A low sum says something only with all parts, or with each that was known while it was high."""
    if len(one.parts) == len(PARTS):
        return True
    counted = frozenset().union(*(each.parts for each in before if each.total >= least))
    return counted <= one.parts


def _is_over(scored: Sequence[Scored], i: int, least: int, *, begun: int) -> bool:
    """Is it low after set i, and has it been for long enough?"""

    def is_low(k: int) -> bool:
        return scored[k].total < least and _says_low(scored[begun:k], scored[k], least)

    if not is_low(i):
        return False
    calm = scored[i].of.at
    last = calm
    for k in range(i - 1, begun, -1):
        if scored[k].total >= least:
            break
        if is_low(k):
            if last - scored[k].of.at > _longest_gap_s(scored[_next_low(k, i, is_low)].of):
                break
            calm = last = scored[k].of.at
    return _decides_alone(scored[i].of) or scored[i].of.at - calm >= CLEAR_S


def _next_low(k: int, i: int, is_low: Any) -> int:
    return next(n for n in range(k + 1, i + 1) if is_low(n))


def _longest_gap_s(one: Set) -> float:
    return max(3 * one.interval_s, 30.0)


def _decides_alone(one: Set) -> bool:
    """By hand, or only of parts that are measured seldom."""
    return one.spot or not any(name in one.values for name in OFTEN)
