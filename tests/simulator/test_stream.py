"""The same seed gives the same patients, whenever and in whatever portions they are asked."""

import itertools
import statistics
from datetime import UTC, datetime, timedelta

import pytest

from silverwatch.domain.readings.vitals import BY_NAME, is_plausible
from silverwatch.simulator.devices import BedStream, DeviceReading
from silverwatch.simulator.history import history, observations, stream
from silverwatch.simulator.noise import OrnsteinUhlenbeck
from silverwatch.simulator.patients import CONTINUOUS
from silverwatch.simulator.ward import BedCast, cast, crowd

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def beds() -> list[BedCast]:
    return [bed for ward in cast() for bed in ward.beds if bed.device]


def told(readings: list[DeviceReading]) -> bytes:
    return repr(readings).encode()


@pytest.mark.parametrize("bed", beds(), ids=lambda bed: bed.device.serial)
def test_same_seed_gives_the_same_bytes_in_any_portions(bed: BedCast) -> None:
    whole = list(BedStream(bed, seed=7).readings(0, 600))
    other = BedStream(bed, seed=7)
    late = list(other.readings(333.3, 600))
    parts = list(other.readings(0, 100)) + list(other.readings(100, 333.3)) + late
    assert told(whole) == told(parts)
    assert told(whole) != told(list(BedStream(bed, seed=8).readings(0, 600)))


def test_seed_1_tells_the_story_that_it_always_told() -> None:
    """Guards against a change of the process or the scripts that nobody meant; a meant one changes these numbers."""
    hughes = cast()[0].beds[6]
    found = list(stream(hughes, seed=1, start=START).readings(0, 90))
    vitals = [[int(found[n].values[v]) for v in CONTINUOUS] for n in (0, 20, 40)]
    assert vitals == [[112, 24, 92], [119, 25, 84], [128, 27, 74]]


def test_noise_has_the_stated_sd_and_autocorrelation() -> None:
    noise = OrnsteinUhlenbeck("test", tau_s=60)
    values = [noise.at(20.0 * step) for step in range(20_000)]
    assert statistics.fmean(values) == pytest.approx(0, abs=0.06)
    assert statistics.stdev(values) == pytest.approx(1, abs=0.05)
    for lag, expected in ((1, 0.7165), (3, 0.3679), (9, 0.0498)):
        assert statistics.correlation(values[:-lag], values[lag:]) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("bed", beds(), ids=lambda bed: bed.device.serial)
def test_readings_are_what_a_device_can_send(bed: BedCast) -> None:
    previous = -1.0
    for reading in BedStream(bed, seed=3).readings(0, 3600):
        assert reading.offset_s > previous
        previous = reading.offset_s
        assert 0 <= reading.battery <= 100
        assert -95 <= reading.signal_dbm <= -35
        for vital, value in reading.values.items():
            assert value == round(value, 1 if vital == "temperature" else 0)
            assert is_plausible(BY_NAME[vital], value) or (value == 0 and BY_NAME[vital].zero_is_off)
        if "systolic_bp" in reading.values:
            values = reading.values
            assert values["systolic_bp"] > values["mean_bp"] > values["diastolic_bp"]


def test_cuff_and_thermometer_come_soon_and_then_in_rounds() -> None:
    readings = list(BedStream(beds()[0], seed=3).readings(0, 3700))
    cuffs = [r.offset_s for r in readings if "systolic_bp" in r.values]
    temperatures = [r.offset_s for r in readings if "temperature" in r.values]
    assert cuffs[0] < 30
    assert temperatures[0] < 30
    assert [b - a for a, b in itertools.pairwise(cuffs)] == pytest.approx([900] * 4, abs=5)
    assert all(895 <= b - a <= 1805 for a, b in itertools.pairwise(temperatures))


def test_clock_of_a_device_is_never_ahead() -> None:
    assert all(0 <= BedStream(bed, seed=5).skew_s < 2 for bed in beds())


def test_history_is_alive_and_joins_the_live_stream() -> None:
    for bed in beds():
        past = history(bed, until=START, seed=2)
        assert all(r.at < START for r in past)
        assert [r.at for r in past] == sorted(r.at for r in past)
        minutes = [r for r in past if "heart_rate" in r.values]
        assert sum(START - r.at <= timedelta(hours=1) for r in minutes) == 60 + 1
        assert len(minutes) == 60 + 1 + 23 * 12
        # A device whose last word is a minute old would be called silent before the live stream comes.
        assert START - minutes[-1].at < timedelta(seconds=1)
        assert len({r.values["heart_rate"] for r in minutes}) > 3
        assert 11 <= sum("systolic_bp" in r.values for r in past) <= 25
        model = stream(bed, seed=2, start=START)
        at_s = (minutes[-1].at - START).total_seconds()
        assert model.value("heart_rate", at_s) == minutes[-1].values["heart_rate"]


def test_manual_sets_come_in_rounds_and_one_bed_has_none() -> None:
    without = [
        bed for bed in beds() if not observations(bed, START - timedelta(days=1), START, seed=2, start=START)
    ]
    assert [bed.label for bed in without] == ["12"]
    for bed in beds():
        whole = observations(bed, START - timedelta(hours=6), START + timedelta(hours=6), seed=2, start=START)
        before = observations(bed, START - timedelta(hours=6), START, seed=2, start=START)
        after = observations(bed, START, START + timedelta(hours=6), seed=2, start=START)
        assert whole == before + after
        for each in whole:
            assert each.values["consciousness"] in {"A", "C", "V", "P", "U"}
            assert each.values.keys() >= {"supplemental_oxygen", "systolic_bp", "diastolic_bp", "temperature"}


def test_cast_is_the_documented_ward() -> None:
    elderly, surgery = cast()
    assert [len(elderly.beds), len(surgery.beds)] == [12, 4]
    assert surgery.beds[3].patient is None
    serials = [bed.device.serial for bed in beds() if bed.device]
    assert len(set(serials)) == 15
    assert all(bed.device and 2 <= bed.device.interval_s <= 5 for bed in beds())
    with pytest.raises(ValueError, match="no patient"):
        BedStream(surgery.beds[3], seed=1)
    assert crowd(3, seed=1) == crowd(3, seed=1) != crowd(3, seed=2)
