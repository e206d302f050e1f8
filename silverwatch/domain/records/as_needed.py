"""What is said before a dose is given as needed. Pure: it warns and decides nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from silverwatch.domain.records.medication_schedule import Plan

DAY: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """`near`: another dose is nearer than the least time between two. `count`: so many are in 24 h, over the most."""

    near: datetime | None = None
    count: int | None = None

    def __bool__(self) -> bool:
        return self.near is not None or self.count is not None


def warned(plan: Plan, given: Iterable[datetime], at: datetime) -> Warned:
    """What to say about a dose at `at` beside those that were `given`, earlier ones and later ones.

    A late entry is judged like any other: what lies after it counts as well.
    """
    others = sorted(given)
    nearest = min(others, key=lambda other: abs(other - at), default=None)
    near = None
    if nearest is not None and plan.least_min and abs(nearest - at) < timedelta(minutes=plan.least_min):
        near = nearest
    whole = sorted([*others, at])
    # Each 24 h that end with a dose and hold this one.
    counts = [sum(end - DAY < other <= end for other in whole) for end in whole if at <= end < at + DAY]
    most = max(counts)
    over = plan.most_24h is not None and most > plan.most_24h
    return Warned(near=near, count=most if over else None)
