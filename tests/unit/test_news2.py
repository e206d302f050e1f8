"""NEWS2: the chart, its edges, what may be scored now, and agreement with published scores."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silverwatch.domain.readings.news2 import (
    PARTS,
    Measured,
    assess,
    observation_interval_s,
    points,
    risk_of,
    score,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEALTHY = {
    "respiratory_rate": 16,
    "oxygen_saturation": 97,
    "supplemental_oxygen": 0,
    "systolic_bp": 120,
    "heart_rate": 70,
    "consciousness": "A",
    "temperature": 36.8,
}

CHART = [
    (
        "respiratory_rate",
        [(0, 3), (8, 3), (9, 1), (11, 1), (12, 0), (20, 0), (21, 2), (24, 2), (25, 3), (60, 3)],
    ),
    ("oxygen_saturation", [(70, 3), (91, 3), (92, 2), (93, 2), (94, 1), (95, 1), (96, 0), (100, 0)]),
    ("supplemental_oxygen", [(0, 0), (0.5, 2), (15, 2)]),
    ("systolic_bp", [(60, 3), (90, 3), (91, 2), (100, 2), (101, 1), (110, 1), (111, 0), (219, 0), (220, 3)]),
    (
        "heart_rate",
        [(40, 3), (41, 1), (50, 1), (51, 0), (90, 0), (91, 1), (110, 1), (111, 2), (130, 2), (131, 3)],
    ),
    ("consciousness", [("A", 0), ("C", 3), ("V", 3), ("P", 3), ("U", 3)]),
    ("temperature", [(35.0, 3), (35.1, 1), (36.0, 1), (36.1, 0), (38.0, 0), (38.1, 1), (39.0, 1), (39.1, 2)]),
]


@pytest.mark.parametrize(
    ("name", "value", "expected"), [(name, value, earned) for name, row in CHART for value, earned in row]
)
def test_chart(name, value, expected):
    assert points(name, value) == expected


def test_pulse_scores_as_heart_rate():
    assert [points("pulse_rate", v) for v in range(20, 200)] == [
        points("heart_rate", v) for v in range(20, 200)
    ]


@pytest.mark.parametrize(
    ("value", "on_air", "on_oxygen"),
    [
        (83, 3, 3),
        (84, 2, 2),
        (85, 2, 2),
        (86, 1, 1),
        (87, 1, 1),
        (88, 0, 0),
        (92, 0, 0),
        (93, 0, 1),
        (94, 0, 1),
        (95, 0, 2),
        (96, 0, 2),
        (97, 0, 3),
        (100, 0, 3),
    ],
)
def test_scale_2(value, on_air, on_oxygen):
    assert points("oxygen_saturation", value, scale=2) == on_air
    assert points("oxygen_saturation", value, scale=2, on_oxygen=True) == on_oxygen


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("temperature", 38.05, 1),
        ("temperature", 38.04, 0),
        ("temperature", 36.05, 0),
        ("temperature", 36.04, 1),
        ("temperature", 35.05, 1),
        ("temperature", 39.05, 2),
        ("oxygen_saturation", 91.5, 2),
        ("oxygen_saturation", 91.49, 3),
        ("oxygen_saturation", 95.5, 0),
        ("respiratory_rate", 8.5, 1),
        ("respiratory_rate", 20.5, 2),
        ("respiratory_rate", 24.5, 3),
        ("systolic_bp", 90.5, 2),
        ("systolic_bp", 219.5, 3),
        ("heart_rate", 40.5, 1),
        ("heart_rate", 130.5, 3),
    ],
)
def test_fractions_between_the_bands_round_half_up(name, value, expected):
    assert points(name, value) == expected


@pytest.mark.parametrize("value", ["", "a", "X", 0, None])
def test_no_level_of_consciousness(value):
    with pytest.raises(ValueError, match="consciousness"):
        points("consciousness", value)


@pytest.mark.parametrize("value", [None, "36", float("nan"), float("inf")])
def test_what_is_no_number_is_never_scored(value):
    with pytest.raises(ValueError, match="temperature"):
        points("temperature", value)


@pytest.mark.parametrize(
    ("total", "single_three", "risk"),
    [
        (0, False, "none"),
        (1, False, "low"),
        (4, False, "low"),
        (3, True, "low-medium"),
        (4, True, "low-medium"),
        (5, False, "medium"),
        (5, True, "medium"),
        (6, True, "medium"),
        (7, False, "high"),
        (20, True, "high"),
    ],
)
def test_risk_in_the_order_of_the_chart(total, single_three, risk):
    assert risk_of(total, single_three=single_three) == risk


def test_score_of_complete_sets():
    healthy = score(HEALTHY)
    assert (healthy.total, healthy.risk, healthy.single_three) == (0, "none", False)
    assert set(healthy.points) == set(PARTS)
    sickest = {
        "respiratory_rate": 30,
        "oxygen_saturation": 80,
        "supplemental_oxygen": 15,
        "systolic_bp": 70,
        "heart_rate": 150,
        "consciousness": "U",
        "temperature": 34,
    }
    assert score(sickest).total == 20
    assert score(HEALTHY | {"consciousness": "C"}).risk == "low-medium"


def test_score_refuses_an_incomplete_set():
    for name in PARTS:
        with pytest.raises(KeyError):
            score({part: value for part, value in HEALTHY.items() if part != name})


def test_oxygen_adds_two_on_both_scales():
    assert score(HEALTHY | {"supplemental_oxygen": 2}).total == 2
    on_scale_2 = score(HEALTHY | {"supplemental_oxygen": 2, "oxygen_saturation": 90}, scale=2)
    assert on_scale_2.total == 2
    assert score(HEALTHY | {"supplemental_oxygen": 2}, scale=2).total == 5


@pytest.mark.parametrize(
    ("risk", "hours"), [("none", 12), ("low", 4), ("low-medium", 1), ("medium", 1), ("high", 0.5)]
)
def test_minimum_monitoring(risk, hours):
    assert observation_interval_s(risk) == hours * 3600


def measured(age_s=0, **changes):
    values = {name: value for name, value in (HEALTHY | changes).items() if value is not None}
    return {name: Measured(value, NOW - timedelta(seconds=age_s)) for name, value in values.items()}


def judge(latest, *, interval_s=4 * 3600, scale=1):
    return assess(latest, now=NOW, observation_interval_s=interval_s, scale=scale)


def points_of(assessment):
    return {part.name: part.points for part in assessment.parts}


def test_a_complete_young_set_has_a_score():
    found = judge(measured(heart_rate=125, age_s=60))
    assert found.score is not None
    assert found.score.total == found.at_least == 2
    assert found.oldest_at == NOW - timedelta(seconds=60)


@pytest.mark.parametrize("name", PARTS)
def test_a_missing_part_is_never_zero(name):
    found = judge(measured(**{name: None}))
    assert found.score is None
    assert points_of(found)[name] is None
    assert found.at_least == 0


def test_at_least_counts_the_parts_that_are_present():
    found = judge(measured(temperature=None, respiratory_rate=28, systolic_bp=95))
    assert (found.score, found.at_least, found.single_three) == (None, 5, True)


@pytest.mark.parametrize(
    ("name", "interval_s", "oldest_s"),
    [(name, 4 * 3600, 900) for name in ("heart_rate", "respiratory_rate", "oxygen_saturation")]
    + [(name, 3600, 5400) for name in ("temperature", "systolic_bp", "supplemental_oxygen", "consciousness")]
    + [("temperature", 12 * 3600, 45_000), ("temperature", 48 * 3600, 45_000)],
)
def test_each_part_has_its_age_limit(name, interval_s, oldest_s):
    latest = measured()
    latest[name] = Measured(HEALTHY[name], NOW - timedelta(seconds=oldest_s))
    assert judge(latest, interval_s=interval_s).score is not None
    latest[name] = Measured(HEALTHY[name], NOW - timedelta(seconds=oldest_s + 1))
    found = judge(latest, interval_s=interval_s)
    assert found.score is None
    assert found.oldest_at == NOW
    old = next(part for part in found.parts if part.name == name)
    assert (old.points, old.value, old.at) == (None, HEALTHY[name], latest[name].at)


def test_pulse_stands_in_for_an_absent_or_old_heart_rate():
    pulse = {"pulse_rate": Measured(120, NOW)}
    assert points_of(judge(measured(heart_rate=None) | pulse))["heart_rate"] == 2
    old = {"heart_rate": Measured(70, NOW - timedelta(minutes=16))}
    assert points_of(judge(measured() | old | pulse))["heart_rate"] == 2
    assert points_of(judge(measured() | pulse))["heart_rate"] == 0


def test_scale_2_waits_for_the_oxygen_where_it_matters():
    unknown = {"supplemental_oxygen": None}
    assert points_of(judge(measured(oxygen_saturation=97, **unknown), scale=2))["oxygen_saturation"] is None
    assert points_of(judge(measured(oxygen_saturation=92.4, **unknown), scale=2))["oxygen_saturation"] == 0
    assert points_of(judge(measured(oxygen_saturation=85, **unknown), scale=2))["oxygen_saturation"] == 2
    assert points_of(judge(measured(oxygen_saturation=97), scale=2))["oxygen_saturation"] == 0


VALUES = {
    "respiratory_rate": st.floats(0, 100),
    "oxygen_saturation": st.floats(1, 100),
    "supplemental_oxygen": st.floats(0, 60),
    "systolic_bp": st.floats(20, 300),
    "heart_rate": st.floats(1, 300),
    "consciousness": st.sampled_from("ACVPU"),
    "temperature": st.floats(26, 45),
}


@given(st.fixed_dictionaries(VALUES), st.sets(st.sampled_from(PARTS)), st.sampled_from([1, 2]))
def test_at_least_is_never_above_the_true_score(values, missing, scale):
    true = score(values, scale=scale)
    assert 0 <= true.total <= 20
    partial = judge({n: Measured(v, NOW) for n, v in values.items() if n not in missing}, scale=scale)
    assert partial.at_least <= true.total
    assert (partial.score == true) if not missing else partial.score is None


def test_published_scores(recorded: Path):
    with (recorded / "news2_expected.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3035
    names = {
        "rr": "respiratory_rate",
        "spo2": "oxygen_saturation",
        "sbp": "systolic_bp",
        "hr": "heart_rate",
        "temp": "temperature",
    }
    air_and_alert = {"supplemental_oxygen": 0, "consciousness": "A"}
    for row in rows:
        found = score({name: float(row[column]) for column, name in names.items()} | air_and_alert)
        risk = "none" if row["band"] == "routine" else row["band"]
        expected = (int(row["news2_air_alert_scale1"]), row["single3"] == "True", risk)
        assert (found.total, found.single_three, found.risk) == expected, row
