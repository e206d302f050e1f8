"""The alarm rules, each by its name in the clinical facts: raising, clearing, priority."""

import pytest

from silverwatch.domain.alerts.rules import Limit, Limits
from tests.unit.rule_steps import SPO2, at, episodes, only, reading, series

# Raising


@pytest.mark.parametrize(
    ("pairs", "raised"),
    [
        ([(0, 85)], None),
        ([(0, 85), (14, 85)], None),
        ([(0, 85), (15, 85)], 15),
        ([(0, 85), (10, 86), (20, 84)], 20),
        ([(0, 85), (10, 95), (20, 85), (30, 85)], None),
        ([(0, 85), (10, 90), (20, 85), (30, 85), (35, 85)], 35),
    ],
)
def test_delay_needs_a_second_reading_with_none_in_range_between(pairs, raised):
    found = episodes(series(SPO2, *pairs))
    assert [e.raised_at for e in found] == ([] if raised is None else [at(raised)])


def test_episode_tells_what_decided():
    found = only(series(SPO2, (0, 88), (10, 83), (20, 86), (30, 87)))
    assert (found.kind, found.vital, found.side) == ("oxygen_saturation_low", SPO2, "low")
    assert (found.run_from, found.raised_at, found.last_at) == (at(0), at(20), at(30))
    assert (found.value, found.limit, found.worst, found.latest) == (86, 90, 83, 87)
    assert (found.priority, found.ended_at) == ("medium", None)


@pytest.mark.parametrize(("second", "raises"), [(29, True), (30, True), (31, False), (60, False)])
def test_gap_longer_than_3_intervals_ends_the_run(second, raises):
    assert bool(episodes(series(SPO2, (0, 85), (second, 85)))) is raises


def test_a_run_reaches_over_lost_readings_of_a_quick_device():
    """Four of five readings lost on the way: still below the limit in each that came, and not silent."""
    assert only(series(SPO2, (0, 85), (10, 85), (20, 85), interval_s=2.0)).raised_at == at(20)


def test_after_a_gap_the_run_starts_anew_with_its_own_worst():
    found = only(series(SPO2, (0, 82), (40, 88), (60, 87)))
    assert (found.run_from, found.raised_at, found.worst) == (at(40), at(60), 87)


def test_gap_does_not_end_an_open_alarm():
    found = only(series(SPO2, (0, 85), (20, 85), (500, 85)))
    assert (found.raised_at, found.last_at, found.contradicted) == (at(20), at(500), False)


@pytest.mark.parametrize(
    ("vital", "inside", "outside"),
    [
        ("heart_rate", (50, 120), (49.9, 120.1)),
        ("respiratory_rate", (8, 30), (7.9, 30.1)),
        (SPO2, (90, 100), (89.9,)),
        ("systolic_bp", (90, 160), (89, 161)),
        ("diastolic_bp", (50, 90), (49, 91)),
        ("mean_bp", (60, 110), (59, 111)),
        ("temperature", (36.0, 38.5), (35.9, 38.6)),
    ],
)
def test_bounds_are_in_range(vital, inside, outside):
    for value in inside:
        assert episodes(series(vital, (0, value), (20, value))) == []
    for value in outside:
        priority = "low" if vital in ("diastolic_bp", "mean_bp") else "medium"
        assert only(series(vital, (0, value), (20, value))).priority == priority


@pytest.mark.parametrize(
    ("vital", "medium", "high"),
    [
        ("heart_rate", (40, 140), (39, 141)),
        ("respiratory_rate", (6, 34), (5, 35)),
        (SPO2, (80,), (79,)),
        ("systolic_bp", (80, 200), (79, 201)),
        ("temperature", (35.0, 39.5), (34.9, 39.6)),
    ],
)
def test_critical_bounds_are_not_critical_themselves(vital, medium, high):
    for values, priority in ((medium, "medium"), (high, "high")):
        for value in values:
            found = only(series(vital, (0, value), (20, value)))
            assert (found.priority, found.peak_priority) == (priority, priority)


def test_extreme_limit_decides_at_once():
    found = only(series(SPO2, (0, 79)))
    assert (found.priority, found.raised_at, found.run_from, found.limit) == ("high", at(0), at(0), 80)


def test_critical_limit_that_is_not_extreme_waits():
    assert episodes(series("heart_rate", (0, 30), (10, 30))) == []
    assert only(series("heart_rate", (0, 30), (10, 30), (20, 30))).priority == "high"


@pytest.mark.parametrize("vital", ["systolic_bp", "diastolic_bp", "mean_bp", "temperature"])
def test_spot_vital_decides_alone(vital):
    assert only(series(vital, (0, 30))).raised_at == at(0)


def test_every_vital_of_a_spot_reading_decides_alone():
    found = episodes([reading(0, spot=True, interval_s=14_400, heart_rate=130, oxygen_saturation=88)])
    assert {e.kind for e in found} == {"heart_rate_high", "oxygen_saturation_low"}
    assert all(e.spot and e.raised_at == at(0) for e in found)


def test_both_sides_are_kinds_of_their_own():
    hot_then_cold = series("temperature", (0, 39.0), (10, 35.5))
    assert [(e.kind, e.ended_at) for e in episodes(hot_then_cold)] == [
        ("temperature_high", at(10)),
        ("temperature_low", None),
    ]


def test_a_measured_zero_is_a_value():
    assert only(series("respiratory_rate", (0, 0), (20, 0))).priority == "high"


# Clearing


@pytest.mark.parametrize(
    ("pairs", "ended"),
    [
        ([(30, 91)], None),
        ([(30, 91), (44, 91)], None),
        ([(30, 91), (45, 91)], 45),
        ([(30, 95), (40, 95), (50, 95)], 50),
        ([(30, 90), (45, 90), (60, 90)], None),
        ([(30, 95), (40, 90.5), (50, 95), (60, 95)], None),
        ([(30, 95), (40, 85), (50, 95), (60, 95)], None),
        ([(30, 95), (61, 95)], None),
        ([(30, 95), (61, 95), (76, 95)], 76),
    ],
    ids=["one", "14 s", "15 s", "three", "band only", "band between", "breach between", "gap", "after gap"],
)
def test_clears_after_15_s_past_the_hysteresis(pairs, ended):
    found = only(series(SPO2, (0, 85), (20, 85), *pairs))
    assert found.ended_at == (None if ended is None else at(ended))


@pytest.mark.parametrize(
    ("vital", "breach", "band", "back"),
    [
        ("temperature", 38.6, 38.4, 38.3),
        ("temperature", 35.9, 36.1, 36.2),
        ("systolic_bp", 161, 156, 155),
        ("diastolic_bp", 49, 54, 55),
    ],
)
def test_spot_value_clears_alone_but_only_past_the_hysteresis(vital, breach, band, back):
    assert not only(series(vital, (0, breach), (600, band))).contradicted
    assert only(series(vital, (0, breach), (600, band), (1200, back))).ended_at == at(1200)


def test_hysteresis_is_exact_in_decimals():
    limits = Limits({"temperature": Limit(low=35.1, hysteresis=0.2)})
    assert only(series("temperature", (0, 35.0), (60, 35.3)), limits=limits).contradicted


def test_manual_set_in_range_ends_a_continuous_alarm():
    by_hand = reading(30, spot=True, interval_s=14_400, oxygen_saturation=97)
    assert only([*series(SPO2, (0, 85), (20, 85)), by_hand]).ended_at == at(30)


# Priority


def test_priority_rises_and_falls_in_one_alarm():
    steps = series(
        SPO2, (0, 88), (20, 88), (30, 75), (40, 85), (50, 85), (60, 85), (70, 95), (80, 95), (90, 95)
    )
    seen = []
    for last in range(2, len(steps) + 1):
        found = only(steps[:last])
        assert found.raised_at == at(20)
        seen.append((found.priority, found.peak_priority, found.contradicted))
        assert (found.value, found.limit) == {3: (75, 80), 4: (75, 80), 5: (75, 80)}.get(
            last, (found.value, 90)
        )
    medium, risen, fallen = ("medium", "medium", False), ("high", "high", False), ("medium", "high", False)
    assert seen == [medium, risen, risen, risen, fallen, fallen, fallen, ("medium", "high", True)]
    assert (found.worst, found.latest, found.value, found.limit) == (75, 85, 85, 90)


def test_short_extreme_dip_is_over_when_it_is_over():
    found = only(series(SPO2, (0, 79), (10, 95), (20, 95), (25, 95)))
    assert (found.peak_priority, found.ended_at) == ("high", at(25))
