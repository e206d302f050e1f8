"""The course of a patient: what the chart, its table and its file say."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from silverwatch import clock, db
from silverwatch.domain.alerts.course import Course, Line, course
from silverwatch.domain.readings import history
from silverwatch.jobs.roll_up import roll_up
from tests.cast import Cast
from tests.conftest import Site
from tests.jobs.posting import Steps, judge, post

FULL = {
    "respiratory_rate": 16, "oxygen_saturation": 97, "supplemental_oxygen": 0, "systolic_bp": 120, "diastolic_bp": 70,
    "heart_rate": 72, "consciousness": "A", "temperature": 37.0,
}  # fmt: skip


def read(site: Site, cast: Cast, hours: int = 24, now: datetime | None = None) -> Course:
    """The course of Achieng."""
    with db.transaction(read_only=True) as session:
        return course(session, cast.achieng.patient_id, hours=hours, now=now or clock.now())


def line(found: Course, name: str) -> Line:
    """One of its lines."""
    return next(item for item in found.lines if item.name == name)


def every(minutes: float, hours: float, **values: Any) -> Steps:
    """The same values again and again."""
    return [(60 * minutes * n, values) for n in range(int(hours * 60 / minutes) + 1)]


@pytest.mark.parametrize("hours", history.SPANS)
def test_the_same_lines_before_and_after_the_roll_up(site: Site, cast: Cast, hours: int) -> None:
    """A reading is in the chart at once, and the roll-up changes nothing of it."""
    now = clock.now()
    steps: Steps = [(60 * n, {"heart_rate": 60 + n % 40, "oxygen_saturation": 97}) for n in range(300)]
    post(site, cast.achieng.key, steps, until=now)
    before = read(site, cast, hours, now)
    judge()
    judged = read(site, cast, hours, now)
    roll_up()
    after = read(site, cast, hours, now)
    assert before == judged == after, hours
    assert {point.mean for point in line(after, "oxygen_saturation").points} == {97.0}
    assert max(point.high for point in line(after, "heart_rate").points) == 99.0
    assert len(line(after, "heart_rate").points) > 1


def test_a_late_reading_is_in_the_chart_at_once(site: Site, cast: Cast) -> None:
    now = clock.now()
    post(site, cast.achieng.key, every(1, 5, heart_rate=70), until=now)
    judge()
    roll_up()
    post(site, cast.achieng.key, [(7230, {"heart_rate": 190})], until=now)
    assert max(point.high for point in line(read(site, cast, 4, now), "heart_rate").points) == 190.0


def test_lines_are_never_joined_over_a_gap(site: Site, cast: Cast) -> None:
    now = clock.now()
    steps = [step for step in every(1, 6, heart_rate=70) if not 3600 <= step[0] <= 6000]
    post(site, cast.achieng.key, steps, until=now)
    found = line(read(site, cast, 4, now), "heart_rate")
    assert not found.dotted
    assert len(found.runs) == 2
    [gap] = found.gaps
    assert timedelta(minutes=39) < gap.end - gap.start < timedelta(minutes=44)
    assert [gap.start > point.at or gap.end < point.at for point in found.points].count(False) == 0


def test_silence_until_now_and_since_the_beginning_is_a_gap_too(site: Site, cast: Cast) -> None:
    now = clock.now()
    steps = [step for step in every(1, 3, oxygen_saturation=96) if step[0] >= 3600]
    post(site, cast.achieng.key, steps, until=now)
    found = line(read(site, cast, 4, now), "oxygen_saturation")
    assert [gap.end == now for gap in found.gaps] == [False, True]
    assert found.gaps[0].start == read(site, cast, 4, now).since


def test_single_measurements_are_dots_that_may_be_joined(site: Site, cast: Cast) -> None:
    now = clock.now()
    post(site, cast.achieng.key, every(240, 20, systolic_bp=130, diastolic_bp=80), until=now)
    judge()
    roll_up()
    found = line(read(site, cast, 24, now), "blood_pressure")
    assert found.dotted
    assert not found.gaps
    assert [len(run) for run in found.runs] == [6]
    assert found.points[0].second == 80


def test_each_set_has_the_score_of_its_time(site: Site, cast: Cast) -> None:
    now = clock.now()
    sick = FULL | {"respiratory_rate": 25, "oxygen_saturation": 91, "supplemental_oxygen": 2}
    post(site, cast.achieng.key, [(7200, FULL), (3600, {"consciousness": "A"}), (600, sick)], until=now)
    scores = read(site, cast, 4, now).sets
    # After an hour the breathing of the first set is too old: the score is not complete, and not lower.
    assert [(item.total, item.at_least, item.risk) for item in scores] == [
        (0, 0, "none"), (None, 0, "none"), (8, 8, "high"),
    ]  # fmt: skip
    assert [item.oxygen_l_min for item in scores] == [0, None, 2]
    assert read(site, cast, 4, now).on_oxygen


def test_a_late_reading_changes_the_score_of_its_time(site: Site, cast: Cast) -> None:
    now = clock.now()
    part = {name: value for name, value in FULL.items() if name != "heart_rate"}
    post(site, cast.achieng.key, [(3600, part)], until=now)
    assert [item.total for item in read(site, cast, 4, now).sets] == [None]
    post(site, cast.achieng.key, [(3660, {"heart_rate": 135})], until=now)
    assert [(item.total, item.single_three) for item in read(site, cast, 4, now).sets] == [(3, True)]


def test_somebody_of_whom_nothing_is_known_has_an_empty_course(site: Site, cast: Cast) -> None:
    for hours in history.SPANS:
        found = read(site, cast, hours)
        assert [item.points for item in found.lines] == [[]] * 5
        assert found.sets == ()
