"""What is said before a dose as needed: too soon, too many, also for a late entry. It decides nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from silverwatch.domain.records.as_needed import Warned, warned
from silverwatch.domain.records.medication_schedule import Plan

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PLAN = Plan(kind="as_needed", dose="5 mg", route="iv", reason="pain", least_min=240, most_24h=3)


def hours(*numbers: float) -> list[datetime]:
    """So many hours from noon on."""
    return [NOON + timedelta(hours=number) for number in numbers]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([], Warned()),
        (hours(-4), Warned()),
        (hours(-3.99), Warned(near=NOON - timedelta(hours=3.99))),
        (hours(2), Warned(near=NOON + timedelta(hours=2))),  # a late entry before another dose
        (hours(-8, -4), Warned()),
        (hours(-12, -8, -4), Warned(count=4)),
        (hours(-24, -8, -4), Warned()),  # 24 h ago is over
        (hours(-20, 4, 8), Warned()),
        (hours(4, 8, 20), Warned(count=4)),
        (hours(4, 8, 24), Warned()),
        (hours(-9, -5, -1), Warned(near=NOON - timedelta(hours=1), count=4)),
    ],
)
def test_what_is_warned_of(given: list[datetime], found: Warned) -> None:
    assert warned(PLAN, given, NOON) == found
    assert bool(found) == (found != Warned())
