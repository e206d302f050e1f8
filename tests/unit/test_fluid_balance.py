"""Adding fluids up: by the day of a hospital, by the hour, across a change of the clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from silverwatch.domain.readings.fluid_balance import NOTHING, HourSum, Sum, balance, day_begin
from silverwatch.web import fluid_chart

NAIROBI = ZoneInfo("Africa/Nairobi")
KOLKATA = ZoneInfo("Asia/Kolkata")
BERLIN = ZoneInfo("Europe/Berlin")


def at(written: str, zone: ZoneInfo = NAIROBI) -> datetime:
    """A moment as a clock of the zone says it."""
    return datetime.fromisoformat(written).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize("zone", [NAIROBI, KOLKATA, BERLIN])
def test_a_day_begins_with_the_early_shift(zone: ZoneInfo) -> None:
    assert day_begin(at("2026-11-25 07:00", zone), zone=zone) == at("2026-11-25 07:00", zone)
    assert day_begin(at("2026-11-25 06:59", zone), zone=zone) == at("2026-11-24 07:00", zone)
    assert day_begin(at("2026-11-25 12:00", zone), zone=zone, back=2) == at("2026-11-23 07:00", zone)


def test_a_day_with_another_hour_is_whole() -> None:
    """The night of 25 October has 25 hours in Berlin."""
    now = at("2026-10-25 12:00", BERLIN)
    assert day_begin(now, zone=BERLIN) - day_begin(now, zone=BERLIN, back=1) == timedelta(hours=25)
    hour = HourSum(at=at("2026-10-25 06:00", BERLIN), whole=Sum(taken=100), recent=Sum(taken=100))
    found = balance([hour], now=now, zone=BERLIN)
    assert found.today == NOTHING
    assert found.days[1][1] == Sum(taken=100)


def test_the_bars_end_at_the_balance_of_the_last_24_h() -> None:
    now = at("2026-11-25 09:30")
    hours = [
        # The first hour lies in the last 24 h with a part of it only.
        HourSum(at=at("2026-11-24 09:00"), whole=Sum(taken=500, lost=50), recent=Sum(taken=200)),
        HourSum(at=at("2026-11-25 06:00"), whole=Sum(lost=300), recent=Sum(lost=300)),
        HourSum(at=at("2026-11-25 07:00"), whole=Sum(taken=150), recent=Sum(taken=150)),
        HourSum(at=at("2026-11-22 08:00"), whole=Sum(taken=70), recent=NOTHING),
    ]
    found = balance(hours, now=now, zone=NAIROBI)
    assert found.since == at("2026-11-25 07:00")
    assert found.today == Sum(taken=150)
    assert found.last_24_h == Sum(taken=350, lost=300)
    assert [bar.at for bar in (found.bars[0], found.bars[-1])] == [
        at("2026-11-24 09:00"), at("2026-11-25 09:00"),
    ]  # fmt: skip
    assert len(found.bars) == 25
    assert found.bars[-1].running == found.last_24_h.balance == 50
    assert found.days[0] == (found.since, Sum(taken=150))
    assert found.days[1][1] == Sum(taken=500, lost=350)
    assert found.days[3][1] == Sum(taken=70)


@pytest.mark.parametrize("ml", [0, 1, 10, 249, 250, 9999, 60_000])
def test_the_picture_stays_in_its_frame(ml: int) -> None:
    now = at("2026-11-25 09:30")
    hours = [
        HourSum(at=at("2026-11-25 06:00"), whole=Sum(taken=ml), recent=Sum(taken=ml)),
        HourSum(at=at("2026-11-25 08:00"), whole=Sum(lost=2 * ml), recent=Sum(lost=2 * ml)),
    ]
    drawing = fluid_chart.draw(balance(hours, now=now, zone=NAIROBI))
    for bar in (*drawing.taken, *drawing.lost):
        assert 0 <= bar.x < bar.x + bar.width <= 100
        assert 0 < bar.y <= bar.y + bar.height <= fluid_chart.HEIGHT
    assert len(drawing.taken) == len(drawing.lost) == (1 if ml else 0)
    for y, _ in drawing.ticks:
        assert 0 <= y <= fluid_chart.HEIGHT
    for y, _ in drawing.running_ticks:
        assert 0 <= y <= fluid_chart.RUNNING_HEIGHT
    for point in drawing.path.split("L"):
        assert 0 <= float(point.split()[-1]) <= fluid_chart.RUNNING_HEIGHT
