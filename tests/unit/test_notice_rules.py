"""When somebody is told, and over which channel."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from silverwatch.domain.notices.rules import ONE_IN, Quiet, Told, back_off, channels_of, held, next_channel

NAIROBI = ZoneInfo("Africa/Nairobi")
NIGHT = Quiet(begin=time(22), end=time(7))
NOW = datetime(2026, 3, 4, 20, tzinfo=UTC)  # 23:00 in Nairobi


@pytest.mark.parametrize(("hour", "quiet"), [(18, False), (19, True), (23, True), (3, True), (4, False)])
def test_quiet_hours_go_over_midnight_by_the_clock_of_the_site(hour: int, quiet: bool) -> None:
    assert NIGHT.holds(datetime(2026, 3, 4, hour, tzinfo=UTC), zone=NAIROBI) is quiet


@pytest.mark.parametrize(
    ("channel", "priority", "told", "quiet", "expected"),
    [
        ("sms", "high", Told(), NIGHT, None),
        ("sms", "medium", Told(), NIGHT, "quiet"),
        ("web", "low", Told(), NIGHT, None),
        ("sms", "medium", Told(in_hour=30), None, "throttled"),
        ("sms", "high", Told(in_hour=900), None, None),
        ("sms", "high", Told(last_at=NOW - timedelta(seconds=299), last_priority="high"), None, "throttled"),
        ("sms", "high", Told(last_at=NOW - timedelta(seconds=299), last_priority="medium"), None, None),
        ("sms", "high", Told(last_at=NOW - ONE_IN, last_priority="high"), None, None),
    ],
)
def test_what_holds_a_notice_back(
    channel: str, priority: str, told: Told, quiet: Quiet | None, expected: str | None
) -> None:
    assert held(channel, priority, told=told, quiet=quiet, now=NOW, zone=NAIROBI) == expected


def test_a_step_reaches_people_where_they_can_be_reached() -> None:
    assert channels_of(("web", "push", "sms"), {"sms", "email"}) == ["web", "sms"]
    assert channels_of(("web", "push"), {"email"}) == ["web", "email"]
    assert channels_of(("web",), {"email", "sms"}) == ["web"]
    assert channels_of(("push",), set()) == ["web"]


def test_after_a_failure_another_channel_is_tried() -> None:
    assert next_channel({"web", "push"}, {"email", "sms", "push"}) == "sms"
    assert next_channel({"web", "push", "sms", "email"}, {"email", "sms", "push"}) is None
    assert [back_off(n).total_seconds() for n in (1, 2, 3, 4, 9)] == [5, 15, 60, 300, 300]
