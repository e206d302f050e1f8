"""Patients drawn from the model vary as the recorded ones; the figures are those of docs/simulator.md."""

import statistics

import pytest

from silverwatch.simulator.patients import PatientModel, sample_baseline

COUNT, HOURS = 60, 48

RECORDED = {  # median of all hourly values, pooled SD inside a patient, r(1 h)
    "heart_rate": (88.0, 9.76, 0.74),
    "respiratory_rate": (18.0, 3.71, 0.53),
    "oxygen_saturation": (98.0, 2.22, 0.47),
    "systolic_bp": (120.0, 15.64, 0.50),
    "temperature": (37.1, 0.57, 0.90),
}


@pytest.fixture(scope="module")
def models() -> list[PatientModel]:
    return [PatientModel(sample_baseline("test", n), "test", n) for n in range(COUNT)]


@pytest.mark.parametrize("vital", RECORDED)
def test_hours_are_like_the_recorded_ones(vital: str, models: list[PatientModel]) -> None:
    median, spread, likeness = RECORDED[vital]
    series = [[m.value(vital, 3600.0 * hour) for hour in range(HOURS)] for m in models]
    assert statistics.median(v for s in series for v in s) == pytest.approx(median, rel=0.05)
    centred = [[v - statistics.fmean(s) for v in s] for s in series]
    assert statistics.pstdev([v for s in centred for v in s]) == pytest.approx(spread, rel=0.15)
    before, after = [v for s in centred for v in s[:-1]], [v for s in centred for v in s[1:]]
    assert statistics.correlation(before, after) == pytest.approx(likeness, abs=0.10)


def test_heart_and_breath_move_together_inside_minutes(models: list[PatientModel]) -> None:
    pairs = []
    for model in models[:10]:
        heart, breath = (
            [model.value(vital, 60.0 * m) - model.value(vital, 60.0 * (m - 3)) for m in range(200)]
            for vital in ("heart_rate", "respiratory_rate")
        )
        pairs.append(statistics.correlation(heart, breath))
    assert statistics.fmean(pairs) == pytest.approx(0.4, abs=0.12)


def test_sensors_come_off_as_often_as_recorded(models: list[PatientModel]) -> None:
    minutes = 2880
    off = [[m.sensor_off("oxygen_saturation", 60.0 * k) for k in range(minutes)] for m in models[:20]]
    assert sum(map(sum, off)) / (20 * minutes) == pytest.approx(0.17, abs=0.06)
