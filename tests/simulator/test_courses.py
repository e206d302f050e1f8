"""Each course does what docs/simulator.md says, in the order it says."""

import itertools

import pytest

from silverwatch.simulator.devices import BedStream, DeviceReading
from silverwatch.simulator.ward import BedCast, cast

SEEDS = (1, 2, 3, 4)
HOUR = 3600.0


def bed_of(course: str) -> BedCast:
    return next(b for ward in cast() for b in ward.beds if b.device and b.device.course == course)


def readings(course: str, *, seed: int, until_s: float, since_s: float = 0) -> list[DeviceReading]:
    return list(BedStream(bed_of(course), seed=seed).readings(since_s, until_s))


def held(
    found: list[DeviceReading], vital: str, *, above: float | None = None, below: float | None = None
) -> float:
    """The moment at which the value has been beyond the bound for 15 s without a break; inf if never."""
    begin = None
    for reading in found:
        value = reading.values.get(vital)
        if value is None:
            continue
        beyond = value != 0 and (
            (above is not None and value > above) or (below is not None and value < below)
        )
        begin = (reading.offset_s if begin is None else begin) if beyond else None
        if begin is not None and reading.offset_s - begin >= 15:
            return reading.offset_s
    return float("inf")


def first(found: list[DeviceReading], vital: str, *, below: float) -> float:
    return next((r.offset_s for r in found if 0 < r.values.get(vital, below) < below), float("inf"))


@pytest.mark.parametrize("seed", SEEDS)
def test_sepsis_is_medium_then_high_within_ninety_seconds(seed: int) -> None:
    found = readings("sepsis", seed=seed, until_s=150)
    medium, high = held(found, "oxygen_saturation", below=90), first(found, "oxygen_saturation", below=80)
    assert 15 < medium < high < 90
    assert held(found, "heart_rate", above=120) < 120


@pytest.mark.parametrize("seed", SEEDS)
def test_sepsis_recovers_and_comes_again(seed: int) -> None:
    found = readings("sepsis", seed=seed, until_s=1.75 * HOUR)
    quiet = [r.values["oxygen_saturation"] for r in found if 600 < r.offset_s < 1000]
    assert min(quiet) >= 90
    later = [r for r in found if r.offset_s > 1000]
    assert first(later, "oxygen_saturation", below=80) < 1.5 * HOUR
    assert first(later, "systolic_bp", below=90) < 1.5 * HOUR


@pytest.mark.parametrize("seed", SEEDS)
def test_chest_infection_gives_a_medium_and_no_high(seed: int) -> None:
    found = readings("chest_infection", seed=seed, until_s=360)
    assert 20 < held(found, "respiratory_rate", above=30) < 75
    assert held(found, "respiratory_rate", above=34) == float("inf")


@pytest.mark.parametrize("seed", SEEDS)
def test_probe_off_gives_exact_zeros_and_its_events(seed: int) -> None:
    found = readings("probe_off", seed=seed, until_s=300)
    zeros = [r for r in found if r.values["oxygen_saturation"] == 0]
    assert 14 <= zeros[0].offset_s < 19
    assert zeros[-1].offset_s - zeros[0].offset_s == pytest.approx(150, abs=8)
    assert len(zeros) == sum(zeros[0].offset_s <= r.offset_s <= zeros[-1].offset_s for r in found)
    assert all(r.values["heart_rate"] > 0 for r in found)
    assert [e for r in found for e in r.events] == ["sensor_off", "sensor_on"]


@pytest.mark.parametrize("seed", SEEDS)
def test_silent_device_stops_and_comes_back(seed: int) -> None:
    found = readings("silent", seed=seed, until_s=400)
    gaps = [b.offset_s - a.offset_s for a, b in itertools.pairwise(found)]
    assert max(gaps) > 235
    assert sorted(gaps)[-2] < 5
    assert found[gaps.index(max(gaps))].offset_s < 15


@pytest.mark.parametrize("seed", SEEDS)
def test_battery_runs_low_once_is_charged_and_runs_low_again(seed: int) -> None:
    bed = next(b for ward in cast() for b in ward.beds if b.device and b.device.drain > 10)
    model = BedStream(bed, seed=seed)
    found = list(model.readings(0, 120))
    assert found[0].battery == 20
    assert found[-1].battery < 20
    assert [e for r in found for e in r.events] == ["low_battery"]
    levels = [model.battery(60.0 * minute) for minute in range(480)]
    assert min(levels) >= 12
    assert max(levels) >= 99
    assert sum(a >= 20 > b for a, b in itertools.pairwise(levels)) == 3


@pytest.mark.parametrize("seed", SEEDS)
def test_motion_disturbs_but_never_holds(seed: int) -> None:
    found = readings("motion", seed=seed, until_s=3 * HOUR)
    assert max(r.values["heart_rate"] for r in found) > 120
    assert held(found, "heart_rate", above=120) == float("inf")
    assert held(found, "oxygen_saturation", below=90) == float("inf")
    assert first(found, "oxygen_saturation", below=80) == float("inf")


@pytest.mark.parametrize("seed", SEEDS)
def test_fever_is_there_with_the_first_temperature(seed: int) -> None:
    values = [
        r.values["temperature"] for r in readings("fever", seed=seed, until_s=30) if "temperature" in r.values
    ]
    assert len(values) == 1
    assert 38.5 < values[0] <= 39.5


@pytest.mark.parametrize("seed", SEEDS)
def test_slow_courses_cross_their_limits(seed: int) -> None:
    slow = readings("bradycardia_asleep", seed=seed, until_s=HOUR)
    assert held(slow, "heart_rate", below=50) < 20 * 60
    assert held(slow, "heart_rate", below=40) == float("inf")
    bleeding = readings("bleeding", seed=seed, until_s=1.3 * HOUR)
    assert held(bleeding, "heart_rate", above=120) < 30 * 60
    assert held(bleeding, "heart_rate", above=140) < 1.2 * HOUR
    assert first(bleeding, "systolic_bp", below=80) < 1.2 * HOUR
    fast = readings("fast_rhythm", seed=seed, until_s=0.5 * HOUR)
    assert held(fast, "heart_rate", above=140) < 0.5 * HOUR
    copd = readings("copd", seed=seed, until_s=0.5 * HOUR)
    assert held(copd, "oxygen_saturation", below=86) < 0.5 * HOUR
    assert first(copd, "oxygen_saturation", below=80) == float("inf")


@pytest.mark.parametrize("seed", SEEDS)
def test_calm_patients_stay_calm(seed: int) -> None:
    for ward in cast():
        for bed in ward.beds:
            if bed.device is None or bed.device.course != "calm":
                continue
            found = list(BedStream(bed, seed=seed).readings(0, HOUR))
            assert held(found, "heart_rate", above=120) == held(found, "heart_rate", below=50) == float("inf")
            assert held(found, "oxygen_saturation", below=90) == float("inf")
            assert held(found, "respiratory_rate", above=30) == float("inf")


def test_help_is_called() -> None:
    found = readings("calls", seed=1, until_s=HOUR)
    assert [e for r in found for e in r.events] == ["help"]
