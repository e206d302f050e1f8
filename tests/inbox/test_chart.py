"""The trend of an alarm: the line is where the values are, the ground is on the side of the alarm."""

from datetime import UTC, datetime, timedelta

import pytest

from silverwatch.domain.alerts.inbox import AlarmTrend
from silverwatch.web.alarm_chart import BOTTOM, LEFT, RIGHT, TOP, draw_alarm

UNTIL = datetime(2026, 11, 22, 11, 32, tzinfo=UTC)


def trend(*values: float | None, limit: float | None = 88, relation: str | None = "below") -> AlarmTrend:
    points = tuple(
        None if value is None else (i / max(1, len(values) - 1), value) for i, value in enumerate(values)
    )
    return AlarmTrend(
        vital="oxygen_saturation", since=UNTIL - timedelta(hours=2), until=UNTIL, points=points, limit=limit,
        relation=relation,  # type: ignore[arg-type]
    )  # fmt: skip


def test_everything_is_inside_and_the_ground_is_below() -> None:
    drawn = draw_alarm(trend(95, 94, 92, 84))
    assert drawn.last is not None
    assert drawn.limit_y is not None
    assert drawn.last[0] == RIGHT
    assert drawn.limit_y < drawn.last[1] <= BOTTOM
    assert (drawn.zone_y, drawn.zone_y + drawn.zone_height) == (drawn.limit_y, BOTTOM)
    assert all(TOP - 1 <= tick.at <= BOTTOM + 1 for tick in drawn.values)
    assert max(float(tick.label) for tick in drawn.values) <= 100
    assert drawn.limit_y < drawn.label_y <= BOTTOM + 6


def test_above_is_on_top() -> None:
    drawn = draw_alarm(trend(80, 90, 95, relation="above"))
    assert drawn.zone_y == TOP
    assert TOP + drawn.zone_height == pytest.approx(drawn.limit_y)


def test_a_gap_breaks_the_line_and_nothing_draws_nothing() -> None:
    assert draw_alarm(trend(95, 94, None, 92, 93)).line.count("M") == 2
    empty = draw_alarm(trend())
    assert (empty.line, empty.dots, empty.last) == ("", "", None)
    assert draw_alarm(trend(95, limit=None)).limit_y is None


def test_times_stand_at_half_hours() -> None:
    drawn = draw_alarm(trend(95, 94))
    assert [tick.label for tick in drawn.times] == ["13:00", "13:30", "14:00", "14:30"]
    assert all(LEFT <= tick.at <= RIGHT for tick in drawn.times)
