"""Shifts of a day by the clock of the site, and who may take which duty."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from silverwatch.domain.wards.shifts import PATTERNS, DutyRole, choices, may_serve, pattern_at, span

NAIROBI = ZoneInfo("Africa/Nairobi")
BERLIN = ZoneInfo("Europe/Berlin")


def test_a_night_ends_on_the_next_morning() -> None:
    begin, end = span(date(2026, 3, 4), "night", zone=NAIROBI)
    assert (begin, end) == (datetime(2026, 3, 4, 19, tzinfo=UTC), datetime(2026, 3, 5, 4, tzinfo=UTC))


@pytest.mark.parametrize("zone", [NAIROBI, BERLIN])
def test_the_shifts_of_a_year_meet_without_a_gap(zone: ZoneInfo) -> None:
    """Also where the clocks change: the night of that day is an hour longer or shorter."""
    day, last = date(2026, 1, 1), None
    while day.year == 2026:
        for pattern in PATTERNS:
            begin, end = span(day, pattern, zone=zone)
            assert last in (None, begin)
            last = end
        day += timedelta(days=1)


def test_after_midnight_it_is_still_the_night_of_the_day_before() -> None:
    assert pattern_at(datetime(2026, 3, 5, 1, tzinfo=UTC), zone=NAIROBI) == (date(2026, 3, 4), "night")
    assert pattern_at(datetime(2026, 3, 5, 4, tzinfo=UTC), zone=NAIROBI) == (date(2026, 3, 5), "early")


def test_nobody_becomes_a_doctor_by_choosing_it() -> None:
    assert not may_serve(DutyRole.NURSE, DutyRole.DOCTOR)
    assert not may_serve(DutyRole.DOCTOR, DutyRole.NURSE)
    assert may_serve(DutyRole.NURSE, DutyRole.CHARGE_NURSE)
    assert choices(DutyRole.DOCTOR) == [DutyRole.DOCTOR, DutyRole.BACKUP]
    assert choices(DutyRole.CHARGE_NURSE)[0] is DutyRole.CHARGE_NURSE
