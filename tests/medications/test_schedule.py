"""When doses are due: no dose twice, none missed, across changes of the clocks and of the plan."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from silverwatch.domain.records.medication_schedule import (
    EVERY_DAY,
    Plan,
    Span,
    Version,
    due,
    end_of,
    version_at,
)

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = (
    BERLIN,
    ZoneInfo("Africa/Nairobi"),
    ZoneInfo("Australia/Lord_Howe"),
    ZoneInfo("America/Santiago"),
    ZoneInfo("America/Nuuk"),
)
MINUTE = timedelta(minutes=1)
ALWAYS = (Span(start=datetime(2026, 1, 1, tzinfo=UTC)),)
BEGINS = (
    datetime(2026, 3, 28, 12, tzinfo=UTC),  # Berlin goes forward on the 29th
    datetime(2026, 10, 24, 12, tzinfo=UTC),  # and back on the 25th
    datetime(2026, 9, 5, 12, tzinfo=UTC),  # Santiago skips midnight on the 6th
    datetime(2026, 4, 4, 8, tzinfo=UTC),  # Lord Howe goes back by half an hour
)


def at(written: str, zone: ZoneInfo = BERLIN) -> datetime:
    """A moment as a clock of the zone says it."""
    return datetime.fromisoformat(written).replace(tzinfo=zone).astimezone(UTC)


def daily(*times: str, days: Sequence[int] = EVERY_DAY) -> Plan:
    """At these times of the day."""
    parsed = tuple(time.fromisoformat(item) for item in times)
    return Plan(kind="times", dose="1", route="oral", times=parsed, weekdays=tuple(days))


def every(hours: int, first: datetime) -> Plan:
    """Every so many hours."""
    return Plan(kind="interval", dose="1", route="oral", every_h=hours, first_at=first)


def version(number: int, from_at: datetime, plan: Plan) -> Version:
    """A version that was entered when it began."""
    return Version(number=number, from_at=from_at, plan=plan, at=from_at)


def moments(plan: Plan, since: datetime, until: datetime, zone: ZoneInfo = BERLIN) -> list[datetime]:
    """When doses of a plan are due that holds all the time."""
    held = [version(1, since, plan)]
    return [item.at for item in due(held, since=since, until=until, zone=zone, present=ALWAYS)]


def walked(plan: Plan, begin: datetime, end: datetime, zone: ZoneInfo) -> set[datetime]:
    """The same by looking at the clock on the wall every minute, and at what it skipped."""
    found, step = set(), begin - timedelta(hours=3)
    while step < end:
        here, before = step.astimezone(zone), (step - MINUTE).astimezone(zone)
        wall, earlier = here.replace(tzinfo=None), before.replace(tzinfo=None)
        if here.fold == 0 and wall.time() in plan.times and wall.weekday() in plan.weekdays:
            found.add(step)
        skipped = wall - earlier - MINUTE
        missing = earlier + MINUTE
        while skipped > timedelta(0) and missing < wall:
            if missing.time() in plan.times and missing.weekday() in plan.weekdays:
                found.add(step + (missing - earlier - MINUTE))
            missing += MINUTE
        step += MINUTE
    return {item for item in found if begin <= item < end}


def test_a_time_that_the_clock_skips_is_due_an_hour_later() -> None:
    found = moments(daily("02:30", "08:00"), at("2026-03-28 12:00"), at("2026-03-30 00:00"))
    assert found == [at("2026-03-29 03:30"), at("2026-03-29 08:00")]


def test_two_times_that_become_the_same_moment_are_one_dose() -> None:
    found = moments(daily("02:30", "03:30"), at("2026-03-28 12:00"), at("2026-03-29 12:00"))
    assert found == [at("2026-03-29 03:30")]


def test_a_time_that_is_skipped_before_midnight_is_due_on_the_next_day() -> None:
    """In Nuuk it is 00:00 after 22:59 on 28 March 2026."""
    nuuk = ZoneInfo("America/Nuuk")
    found = moments(daily("23:30"), at("2026-03-29 00:10", nuuk), at("2026-03-29 12:00", nuuk), zone=nuuk)
    assert found == [at("2026-03-29 00:30", nuuk)]


def test_a_time_that_the_clock_shows_twice_is_due_once() -> None:
    found = moments(daily("02:30"), at("2026-10-24 12:00"), at("2026-10-26 00:00"))
    assert found == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


def test_eight_hours_are_eight_hours_whatever_the_clock_shows() -> None:
    found = moments(
        every(8, at("2026-03-28 20:00")),
        at("2026-03-28 12:00"),
        at("2026-03-28 20:00") + 3 * timedelta(hours=8),
    )
    assert [b - a for a, b in pairwise(found)] == [timedelta(hours=8)] * 2
    assert found[1] == at("2026-03-29 05:00")


def test_chosen_days_of_the_week() -> None:
    found = moments(daily("08:00", days=(0, 4)), at("2026-11-23 00:00"), at("2026-11-30 00:00"))
    assert found == [at("2026-11-23 08:00"), at("2026-11-27 08:00")]  # a Monday and a Friday


def test_nothing_is_due_as_needed_while_away_after_the_end_or_after_a_stop() -> None:
    begin, end = at("2026-11-23 00:00"), at("2026-11-24 00:00")
    as_needed = Plan(kind="as_needed", dose="1", route="oral", least_min=60, most_24h=4)
    assert moments(as_needed, begin, end) == []
    held = [version(1, begin, daily("08:00", "14:00", "20:00"))]
    here = (Span(start=begin, end=at("2026-11-23 14:00")), Span(start=at("2026-11-23 20:00")))
    found = due(held, since=begin, until=end, zone=BERLIN, present=here)
    assert [item.at for item in found] == [at("2026-11-23 08:00"), at("2026-11-23 20:00")]
    found = due(held, since=begin, until=end, zone=BERLIN, present=ALWAYS, stopped_at=at("2026-11-23 14:00"))
    assert [item.at for item in found] == [at("2026-11-23 08:00")]


def test_what_was_entered_last_holds() -> None:
    noon = at("2026-11-23 12:00")
    first, planned = version(1, noon, daily("08:00")), version(2, noon + timedelta(days=2), daily("09:00"))
    sooner = version(3, noon + timedelta(days=1), daily("10:00"))
    assert version_at([first, planned], noon + timedelta(days=3)) == planned
    # A change from tomorrow on ends what was planned for the day after.
    assert version_at([first, planned, sooner], noon + timedelta(days=3)) == sooner
    assert end_of([first, planned, sooner], first) == sooner.from_at
    assert version_at([planned], noon) is None


times_of_day = st.builds(
    time, st.one_of(st.integers(0, 4), st.integers(0, 23)), st.sampled_from([0, 15, 30, 45])
)
plans = st.builds(
    lambda times, days: Plan(
        kind="times", dose="1", route="oral", times=tuple(sorted(times)), weekdays=tuple(days)
    ),
    st.sets(times_of_day, min_size=1, max_size=6),
    st.sets(st.integers(0, 6), min_size=1),
)


@settings(max_examples=60, deadline=None)
@given(plan=plans, begin=st.sampled_from(BEGINS), zone=st.sampled_from(ZONES), hours=st.integers(1, 60))
def test_times_of_the_day_are_those_of_the_clock_on_the_wall(
    plan: Plan, begin: datetime, zone: ZoneInfo, hours: int
) -> None:
    end = begin + timedelta(hours=hours)
    assert moments(plan, begin, end, zone) == sorted(walked(plan, begin, end, zone))


changes = st.lists(
    st.tuples(
        st.integers(0, 70), st.one_of(plans, st.integers(1, 12).map(lambda hours: every(hours, BEGINS[0])))
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=200, deadline=None)
@given(
    changes=changes,
    cut=st.integers(0, 72),
    zone=st.sampled_from(ZONES),
    away=st.tuples(st.integers(0, 72), st.integers(0, 72)),
)
def test_no_dose_twice_and_none_missed_over_changes_of_the_plan(
    changes: list[tuple[int, Plan]], cut: int, zone: ZoneInfo, away: tuple[int, int]
) -> None:
    begin, hour = BEGINS[0], timedelta(hours=1)
    end = begin + 72 * hour
    versions = [version(number, begin + h * hour, plan) for number, (h, plan) in enumerate(changes, start=1)]
    gone, back = sorted(away)
    present = (Span(start=ALWAYS[0].start, end=begin + gone * hour), Span(start=begin + back * hour))

    def asked(since: datetime, until: datetime) -> list[tuple[datetime, int]]:
        found = due(versions, since=since, until=until, zone=zone, present=present)
        return [(item.at, item.number) for item in found]

    whole = asked(begin, end)
    assert len({at for at, _ in whole}) == len(whole)
    # Asked in two pieces it is the same, wherever they meet.
    middle = begin + cut * hour
    assert asked(begin, middle) + asked(middle, end) == whole
    # Each is due by what holds then, and what holds then misses none.
    for held in versions:
        alone = {
            at
            for at in moments(held.plan, max(begin, held.from_at), end, zone)
            if version_at(versions, at) == held and any(span.holds(at) for span in present)
        }
        assert alone == {at for at, number in whole if number == held.number}
