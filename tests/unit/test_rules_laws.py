"""Laws of the alarm rules that hold for any readings, and what they find in a recorded patient."""

import csv
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from silverwatch.domain.alerts.rules import SENSOR_OFF, SITE_DEFAULTS, Checkpoint, Reading, evaluate
from silverwatch.domain.readings.vitals import BIT

START = datetime(2026, 3, 1, tzinfo=UTC)
LATER = START + timedelta(days=30)
EDGES = {
    "heart_rate": [30, 39.9, 40, 43, 49, 50, 53, 80, 117, 120, 121, 140, 141],
    "oxygen_saturation": [75, 79.9, 80, 81, 85, 89, 90, 90.5, 91, 97],
    "respiratory_rate": [0, 5, 6, 7, 8, 9, 16, 29, 30, 31, 35],
    "systolic_bp": [70, 80, 85, 90, 94, 95, 120, 155, 156, 161, 201],
    "temperature": [34.9, 35.2, 35.9, 36.1, 36.2, 37, 38.3, 38.4, 38.6, 39.6],
    "pulse_rate": [20, 80, 250],
}
CALM = {
    "heart_rate": st.floats(50, 120),
    "oxygen_saturation": st.floats(90, 100),
    "respiratory_rate": st.floats(8, 30),
    "systolic_bp": st.floats(90, 160),
    "diastolic_bp": st.floats(50, 90),
    "mean_bp": st.floats(60, 110),
    "temperature": st.floats(36, 38.5),
}
SOURCES = st.sampled_from([(False, 1.0), (False, 10.0), (False, 60.0), (True, 3600.0), (True, 0.0)])
VALUES = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in EDGES.items()})
MASKS = st.sampled_from([0, 0, 0, BIT["oxygen_saturation"], BIT["oxygen_saturation"] | BIT["heart_rate"]])


@st.composite
def histories(draw, values=VALUES, masks=MASKS, sources=SOURCES):
    """Readings in order of time, sometimes two of one moment, with gaps short and long."""
    second, readings = 0, []
    spot, interval_s = draw(sources)
    for pause, found, mask in draw(
        st.lists(
            st.tuples(st.sampled_from([0, 1, 1, 5, 10, 10, 15, 16, 31, 200]), values, masks), max_size=25
        )
    ):
        second += pause
        if draw(st.integers(0, 9)) == 0:
            spot, interval_s = draw(sources)
        readings.append(
            Reading(
                event_at=START + timedelta(seconds=second),
                values=found,
                sensor_off=mask,
                spot=spot,
                interval_s=interval_s,
            )
        )
    return readings


def fold(readings, checkpoint=None):
    after, verdicts = evaluate(checkpoint or Checkpoint.empty(), readings, limits=SITE_DEFAULTS, now=LATER)
    return after, [verdict.episode for verdict in verdicts]


def in_order(readings):
    """The canonical order of readings of one moment."""
    return sorted(
        readings, key=lambda r: (r.event_at, r.interval_s, r.spot, r.sensor_off, sorted(r.values.items()))
    )


def between_moments(readings, cut):
    """The next place where a fold may stop: readings of one moment are always folded together (decision 0016)."""
    cut = min(cut, len(readings))
    while 0 < cut < len(readings) and readings[cut].event_at == readings[cut - 1].event_at:
        cut += 1
    return cut


@settings(max_examples=1000, deadline=None)
@given(histories(), st.lists(st.integers(0, 25), max_size=4))
def test_folding_in_parts_is_folding_at_once(history, cuts):
    readings = in_order(history)
    at_once, expected = fold(readings)
    checkpoint, told = Checkpoint.empty(), []
    edges = [0, *sorted(between_moments(readings, cut) for cut in cuts), len(readings)]
    for start, stop in pairwise(edges):
        stored = msgspec.json.decode(msgspec.json.encode(checkpoint), type=Checkpoint)
        was_open = {(e.kind, e.raised_at) for e in told if not e.contradicted}
        told = [e for e in told if e.contradicted]
        checkpoint, found = fold(readings[start:stop], stored)
        assert was_open <= {(e.kind, e.raised_at) for e in found}
        told += found
    assert checkpoint == at_once
    assert sorted(told, key=lambda e: (e.raised_at, e.kind, e.ended_at or LATER)) == sorted(
        expected, key=lambda e: (e.raised_at, e.kind, e.ended_at or LATER)
    )


@settings(max_examples=150, deadline=None)
@given(histories().flatmap(lambda h: st.tuples(st.just(h), st.permutations(h))))
def test_the_order_of_coming_does_not_matter(pair):
    history, shuffled = pair
    assert fold(shuffled) == fold(history)


@settings(max_examples=150, deadline=None)
@given(histories(), st.data())
def test_duplicates_change_nothing(history, data):
    repeated = data.draw(st.lists(st.sampled_from(history), max_size=5)) if history else []
    assert fold(history + repeated) == fold(history)


@settings(max_examples=100, deadline=None)
@given(histories(), histories())
def test_evaluating_leaves_the_checkpoint_alone(before, after):
    shift = timedelta(days=1)
    after = [msgspec.structs.replace(r, event_at=r.event_at + shift) for r in after]
    checkpoint, _ = fold(before)
    kept = msgspec.json.encode(checkpoint)
    assert fold(after, checkpoint) == fold(after, checkpoint)
    assert msgspec.json.encode(checkpoint) == kept


@settings(max_examples=150, deadline=None)
@given(histories(values=st.fixed_dictionaries({}, optional=CALM), masks=st.just(0)))
def test_values_in_range_never_raise(history):
    checkpoint, found = fold(history)
    assert found == []
    assert (checkpoint.vitals, checkpoint.off) == ({}, {})


@settings(max_examples=150, deadline=None)
@given(histories(values=st.just({"oxygen_saturation": 0.0, "heart_rate": 0.0, "respiratory_rate": 0.0})))
def test_zeros_of_sensors_that_are_off_never_raise_value_alarms(history):
    off = BIT["oxygen_saturation"] | BIT["heart_rate"] | BIT["respiratory_rate"]
    _, found = fold([msgspec.structs.replace(reading, sensor_off=off) for reading in history])
    assert all(episode.kind == SENSOR_OFF for episode in found)


@settings(max_examples=150, deadline=None)
@given(
    history=histories(),
    value=st.floats(1, 89.9),
    interval_s=st.sampled_from([1, 5, 10, 60]),
)
def test_a_held_breach_always_raises(history, value, interval_s):
    checkpoint, _ = fold(history)
    begin = START + timedelta(days=1)
    held = [
        Reading(
            event_at=begin + timedelta(seconds=second),
            values={"oxygen_saturation": value},
            interval_s=interval_s,
        )
        for second in range(0, 16 + 2 * interval_s, interval_s)
    ]
    _, found = fold(held, checkpoint)
    assert any(e.kind == "oxygen_saturation_low" and not e.contradicted for e in found)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([1, 5, 10, 15, 30, 31]), st.sampled_from([85, 88, 89.9, 90, 95])),
        max_size=20,
    )
)
def test_first_raise_is_where_the_definition_says(steps):
    """Two readings, a delay apart, beyond the limit, none in range between them and no gap above 3 intervals."""
    second, points = 0, []
    for pause, value in steps:
        second += pause
        points.append((second, value))
    raises = [
        points[last][0]
        for last in range(len(points))
        for first in range(last)
        if points[last][0] - points[first][0] >= 15
        and all(value < 90 for _, value in points[first : last + 1])
        and all(
            b - a <= 30
            for (a, _), (b, _) in zip(points[first:last], points[first + 1 : last + 1], strict=True)
        )
    ]
    _, found = fold(
        [
            Reading(
                event_at=START + timedelta(seconds=moment),
                values={"oxygen_saturation": value},
                interval_s=10.0,
            )
            for moment, value in points
        ]
    )
    first = [episode.raised_at for episode in found][:1]
    assert first == ([START + timedelta(seconds=min(raises))] if raises else [])


COLUMNS = {
    "HR": "heart_rate",
    "RESP": "respiratory_rate",
    "SpO2": "oxygen_saturation",
    "PULSE": "pulse_rate",
    "NBPSys": "systolic_bp",
    "NBPDias": "diastolic_bp",
    "NBPMean": "mean_bp",
}
ZERO_IS_OFF = ("HR", "RESP", "SpO2", "PULSE")


def recorded_minutes(folder):
    """One reading a minute, as the gateway stores them: a 0 of a sensor is a bit of the mask and no value."""
    (file,) = (folder / "mimic2_minute").glob("*.csv")
    with file.open() as lines:
        for row in csv.DictReader(lines):
            off = [column for column in ZERO_IS_OFF if float(row[column]) == 0]
            yield Reading(
                event_at=START + timedelta(minutes=int(row["minute"])),
                values={n: float(row[c]) for c, n in COLUMNS.items() if row[c] and c not in off},
                sensor_off=sum(BIT[COLUMNS[column]] for column in off),
                interval_s=60.0,
            )


def test_alarms_of_a_recorded_patient(recorded: Path):
    """One value alone would give 41.7 limit alarms a day, 24.5 without the sensors that are off."""
    readings = list(recorded_minutes(recorded))
    assert len(readings) == 1936
    _, found = fold(readings)
    limits = [episode for episode in found if episode.kind != SENSOR_OFF]
    days = len(readings) / 1440
    assert [episode.kind for episode in limits] == [
        "respiratory_rate_low",
        "systolic_bp_high",
        "respiratory_rate_low",
        "systolic_bp_high",
        "heart_rate_low",
        "heart_rate_low",
    ]
    assert 4 <= len(limits) / days <= 5
    assert len(found) - len(limits) == 9
    assert not any(episode.vital == "oxygen_saturation" for episode in limits)
