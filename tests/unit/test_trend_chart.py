"""The geometry of the trend chart: what is drawn lies where its value is, and nothing is joined over a gap."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from silverwatch.domain.alerts.course import Course, Gap, Line, Point
from silverwatch.domain.alerts.limits import Limit
from silverwatch.domain.alerts.scores import Score
from silverwatch.domain.readings import news2
from silverwatch.domain.readings.history import SPANS
from silverwatch.web import filters, trend_chart, trend_table
from silverwatch.web.trend_chart import HEIGHT, Mark, Plot

NOW = datetime(2026, 11, 22, 11, 32, tzinfo=UTC)
SINCE = datetime(2026, 11, 21, 11, 35, tzinfo=UTC)
VITALS = {"blood_pressure": "systolic_bp"}


def line(
    name: str,
    values: dict[float, float],
    *,
    dotted: bool = False,
    gaps: tuple[Gap, ...] = (),
    limit: Limit | None = None,
) -> Line:
    """A line with a value so many minutes before now; runs are cut at the gaps."""
    ordered = sorted(values.items(), reverse=True)
    points = [Point(at=NOW - timedelta(minutes=m), mean=v, low=v, high=v) for m, v in ordered]
    runs: list[list[Point]] = [[]]
    for point in points:
        if runs[-1] and any(runs[-1][-1].at < gap.end <= point.at + timedelta(minutes=1) for gap in gaps):
            runs.append([])
        runs[-1].append(point)
    return Line(
        name=name, vital=VITALS.get(name, name), runs=tuple(tuple(run) for run in runs if run), gaps=gaps,
        dotted=dotted, limit=limit or Limit(),
    )  # fmt: skip


def score(minutes: float, total: int | None, *, oxygen: float | None = 0, risk: news2.Risk = "none") -> Score:
    """A set so many minutes before now."""
    return Score(
        id=UUID(int=int(minutes) + 1), at=NOW - timedelta(minutes=minutes), by_hand=True, by=None, total=total,
        at_least=3, risk=risk, single_three=False, oxygen_l_min=oxygen, oxygen_before=None,
        consciousness="A", values={},
    )  # fmt: skip


def course(*lines: Line, sets: tuple[Score, ...] = (), scale: int = 1, hours: int = 24) -> Course:
    """A course of these lines."""
    span = SPANS[hours]
    until = SINCE + timedelta(hours=24)
    return Course(
        patient_id=UUID(int=7), span=span, since=until - timedelta(hours=hours), until=until, now=NOW,
        spo2_scale=scale, lines=lines, sets=sets,
    )  # fmt: skip


def plot(found: Line, **more: int) -> Plot:
    """The plot of one line."""
    return trend_chart.draw(course(found, **more), banded=True).plots[0]


def points_at(drawn: Plot, y: float) -> int:
    """The points of the band that lies at this height; 0 where there is none."""
    return next((band.points for band in drawn.bands if band.y <= y < band.y + band.height), 0)


@pytest.mark.parametrize(
    ("name", "vital", "values"),
    [
        ("respiratory_rate", "respiratory_rate", (7, 8, 9, 11, 12, 20, 21, 24, 25)),
        ("oxygen_saturation", "oxygen_saturation", (88, 91, 92, 93, 94, 95, 96, 99)),
        ("heart_rate", "heart_rate", (48, 50, 51, 90, 91, 110, 111, 130, 131)),
        ("blood_pressure", "systolic_bp", (85, 90, 91, 100, 101, 110, 111, 160)),
        ("temperature", "temperature", (35.5, 36.0, 36.1, 38.0, 38.1, 39.0, 39.1)),
    ],
)
def test_a_value_lies_in_the_band_of_its_score(name: str, vital: str, values: tuple[float, ...]) -> None:
    for value in values:
        drawn = plot(line(name, {5: value}))
        assert drawn.last is not None
        assert points_at(drawn, drawn.last[1]) == news2.points(vital, value), (name, value)


def test_scale_2_has_its_own_bands() -> None:
    for value, on_oxygen, expected in ((90, True, 0), (95, True, 2), (86, False, 1), (97, False, 0)):
        found = course(
            line("oxygen_saturation", {5: value}), sets=(score(60, 0, oxygen=2 if on_oxygen else 0),), scale=2
        )
        drawn = trend_chart.draw(found, banded=True).plots[0]
        assert drawn.last is not None
        assert points_at(drawn, drawn.last[1]) == expected, (value, on_oxygen)


@pytest.mark.parametrize("value", [0.5, 3, 60, 350])
def test_nothing_leaves_the_picture(value: float) -> None:
    drawn = plot(line("heart_rate", {5: value, 10: 70}, limit=Limit(low=50, high=120)))
    heights = [y for _, y in drawn.dots] + [y for y, _ in drawn.ticks] + list(drawn.limits)
    assert all(0 <= y <= HEIGHT for y in heights)
    assert all(band.y >= 0 and band.y + band.height <= HEIGHT + 0.1 for band in drawn.bands)


def test_a_gap_breaks_the_line_and_a_single_value_is_a_dot() -> None:
    gap = Gap(start=NOW - timedelta(minutes=60), end=NOW - timedelta(minutes=20))
    drawn = plot(line("heart_rate", {90: 70, 80: 71, 70: 72, 15: 80}, gaps=(gap,)))
    assert drawn.path.count("M") == 1
    assert len(drawn.dots) == 1
    [(x, width)] = drawn.gaps
    assert 0 < x < x + width < drawn.dots[0][0]


def test_a_short_dip_is_seen_behind_the_mean() -> None:
    at = [NOW - timedelta(minutes=m) for m in (20, 15, 10)]
    points = tuple(Point(at=a, mean=96, low=96 if a != at[1] else 79, high=97) for a in at)
    found = Line(
        name="oxygen_saturation",
        vital="oxygen_saturation",
        runs=(points,),
        gaps=(),
        dotted=False,
        limit=Limit(),
    )
    assert plot(found).area.endswith("Z")
    assert plot(line("oxygen_saturation", {20: 96, 15: 96})).area == ""


def test_bands_can_be_left_out_and_limits_stay() -> None:
    found = course(line("heart_rate", {5: 70}, limit=Limit(low=50, high=120)))
    drawn = trend_chart.draw(found, banded=False).plots[0]
    assert drawn.bands == ()
    assert len(drawn.limits) == 2


def test_where_there_is_no_room_the_newest_and_the_highest_score_stay() -> None:
    sets = tuple(score(5 * n, 9 if n == 30 else n % 3) for n in range(100))
    drawn = trend_chart.draw(course(sets=sets), banded=True)
    assert drawn.scores[-1].text == "0"
    assert "9" in [sign.text for sign in drawn.scores]
    across = [sign.x for sign in drawn.scores]
    assert all(b - a >= trend_chart.APART for a, b in pairwise(across))
    narrow = [sign.x for sign in drawn.scores if sign.narrow]
    assert all(b - a >= trend_chart.APART_NARROW for a, b in pairwise(narrow))


def test_an_incomplete_score_says_at_least() -> None:
    [sign] = trend_chart.draw(course(sets=(score(5, None),)), banded=True).scores
    assert (sign.text, sign.look) == ("≥3", "partial")


def test_only_marks_of_the_span_are_drawn() -> None:
    marks = [Mark(number=1, at=SINCE - timedelta(hours=1)), Mark(number=2, at=NOW - timedelta(hours=1))]
    assert [sign.text for sign in trend_chart.draw(course(), banded=True, marks=marks).marks] == ["2"]


def test_numbers_of_the_same_minute_stand_side_by_side() -> None:
    marks = [Mark(number=n, at=NOW - timedelta(seconds=9 - n)) for n in range(1, 5)]
    drawn = trend_chart.draw(course(), banded=True, marks=marks).marks
    assert [sign.text for sign in drawn] == ["1", "2", "3", "4"]
    assert all(b.y - a.y >= trend_chart.MARKS_APART for a, b in pairwise(drawn))
    assert drawn[-1].y == drawn[-1].x


@pytest.mark.parametrize("hours", SPANS)
def test_times_stand_on_whole_hours_of_the_site(hours: int) -> None:
    drawn = trend_chart.draw(course(hours=hours), banded=True)
    words = [sign.text for sign in drawn.times if sign.look != "now"]
    assert len(words) >= 3
    assert all(word.endswith(":00") or word[2] == "-" for word in words), words
    assert drawn.times[-1].text == filters.clock_time(NOW)


def test_a_day_of_bins_stays_small() -> None:
    found = course(line("heart_rate", {m: 60 + m % 40 for m in range(1, 1400, 5)}))
    assert len(plot(found.lines[0]).path) < 6_000


def test_the_table_has_every_bin_every_set_and_the_silence() -> None:
    gap = Gap(start=NOW - timedelta(minutes=60), end=NOW - timedelta(minutes=20))
    found = course(
        line("heart_rate", {70: 72, 15: 80}, gaps=(gap,)),
        line("temperature", {65: 37.04}, dotted=True),
        sets=(score(30, 4),),
    )
    rows = list(trend_table.rows(found))
    assert [row.at for row in rows] == sorted((row.at for row in rows), reverse=True)
    assert [row.cells.get("heart_rate") for row in rows if row.cells] == ["80", None, "72"]
    assert [row.score.total for row in rows if row.score] == [4]
    assert [row.until for row in rows if row.until] == [gap.end]
    lines = list(trend_table.lines(found))
    assert {len(row) for row in lines} == {len(lines[0])}
    assert len(lines) == 1 + 3 + 1
