"""The alarm rules, each by its name in the clinical facts: sensors, freshness, and the fold from its checkpoint."""

import math

import msgspec
import pytest

from silverwatch.domain.alerts.rules import (
    SITE_DEFAULTS,
    Checkpoint,
    Limit,
    Limits,
    evaluate,
    is_live,
)
from silverwatch.domain.readings.vitals import silent_after_s
from tests.unit.rule_steps import SPO2, at, episodes, fold, only, reading, series

# Sensors


def test_sensor_off_neither_breaks_nor_makes_a_breach_run():
    between = reading(10, off=[SPO2], interval_s=10.0)
    found = only([*series(SPO2, (0, 85)), between, *series(SPO2, (20, 85))])
    assert (found.run_from, found.raised_at) == (at(0), at(20))
    assert episodes([*series(SPO2, (0, 85)), between, reading(20, off=[SPO2], interval_s=10.0)]) == []


def test_mask_wins_over_a_zero():
    zeros = [
        reading(s, off=[SPO2, "heart_rate"], oxygen_saturation=0, heart_rate=0, interval_s=10.0)
        for s in range(0, 90, 10)
    ]
    assert [e.kind for e in episodes(zeros)] == ["sensor_off"]


def offs(*seconds, vitals=(SPO2,)):
    return [reading(second, off=vitals, interval_s=10.0, temperature=37.0) for second in seconds]


@pytest.mark.parametrize(("second", "raises"), [(10, False), (29, False), (30, True), (3600, True)])
def test_sensor_off_raises_after_30_s(second, raises):
    assert [e.kind for e in episodes(offs(0, second))] == ["sensor_off"] * raises


def test_sensor_off_tells_which_and_is_low():
    found = only(offs(0, 10, 20, 30, vitals=("heart_rate", SPO2)))
    assert (found.priority, found.off_vitals, found.vital) == ("low", ("heart_rate", SPO2), None)
    assert (found.run_from, found.raised_at) == (at(0), at(30))


def test_sensor_off_counts_from_the_first_sensor():
    found = only([*offs(0), *offs(20, 30, vitals=("heart_rate", SPO2))])
    assert (found.run_from, found.raised_at, found.off_vitals) == (at(0), at(30), ("heart_rate", SPO2))


def test_a_valid_value_ends_the_off_time():
    assert episodes([*offs(0, 20), *series(SPO2, (25, 97)), *offs(30, 50)]) == []


def test_a_spot_source_says_off_twice():
    hourly = [reading(s, off=[SPO2], spot=True, interval_s=3600.0) for s in (0, 20)]
    assert episodes(hourly[:1]) == []
    assert only(hourly).raised_at == at(20)
    assert only([*hourly, reading(40, spot=True, oxygen_saturation=97)]).ended_at == at(40)


@pytest.mark.parametrize(
    ("pairs", "ended"), [([(40, 97)], None), ([(40, 97), (54, 70)], None), ([(40, 97), (55, 97)], 55)]
)
def test_sensor_is_back_after_15_s_of_values(pairs, ended):
    found = [e for e in episodes(offs(0, 30) + series(SPO2, *pairs)) if e.kind == "sensor_off"]
    assert [e.ended_at for e in found] == [None if ended is None else at(ended)]


def test_one_alarm_until_all_sensors_are_back():
    both = offs(0, 30, vitals=("heart_rate", SPO2))
    one_back = [reading(s, off=[SPO2], heart_rate=70, interval_s=10.0) for s in (40, 50, 60)]
    found = only(both + one_back)
    assert (found.off_vitals, found.contradicted) == ((SPO2,), False)
    assert only(both + one_back + series(SPO2, (70, 97), (85, 97))).ended_at == at(85)


# Freshness


@pytest.mark.parametrize(("interval_s", "seconds"), [(1, 30), (10, 30), (10.5, 31.5), (60, 180)])
def test_silent_after_s(interval_s, seconds):
    assert silent_after_s(interval_s) == seconds


def test_live_while_the_newest_supporting_reading_is_fresh():
    found = only(series(SPO2, (0, 85), (20, 85), interval_s=10.0))
    assert is_live(found, at(49.9))
    assert not is_live(found, at(50))
    assert is_live(found, at(50), fresh_for_s=31)


def test_spot_alarm_is_live_until_due_and_30_min():
    found = only([reading(0, spot=True, interval_s=3600.0, heart_rate=130)])
    assert is_live(found, at(5399))
    assert not is_live(found, at(5400))


def test_ended_is_not_live():
    ended = only(series(SPO2, (0, 85), (20, 85), (30, 95), (45, 95)))
    assert ended.contradicted
    assert not is_live(ended, at(45))


def test_late_readings_are_judged_in_retrospect():
    readings = series(SPO2, (0, 85), (20, 85))
    for now, live in ((at(20), True), (at(600), False)):
        _, verdicts = evaluate(Checkpoint.empty(), readings, limits=SITE_DEFAULTS, now=now)
        assert [verdict.live for verdict in verdicts] == [live]


# The fold


def test_open_episode_is_told_again_without_news():
    checkpoint, first = fold(series(SPO2, (0, 85), (20, 85)))
    _, verdicts = evaluate(checkpoint, [], limits=SITE_DEFAULTS, now=at(30))
    assert [verdict.episode for verdict in verdicts] == first


def test_an_ended_episode_is_told_once():
    checkpoint, found = fold(series(SPO2, (0, 85), (20, 85), (30, 95), (45, 95)))
    assert found[0].contradicted
    assert fold(series(SPO2, (55, 96)), checkpoint=checkpoint)[1] == []


def test_a_quiet_patient_leaves_nothing_in_the_checkpoint():
    checkpoint, _ = fold([reading(s, heart_rate=70, oxygen_saturation=97) for s in range(60)])
    assert msgspec.to_builtins(checkpoint).keys() == {"at", "said"}


def test_checkpoint_keeps_its_meaning_as_json_and_as_builtins():
    checkpoint, _ = fold(offs(0, 30) + series("heart_rate", (35, 130), (55, 150)))
    assert msgspec.json.decode(msgspec.json.encode(checkpoint), type=Checkpoint) == checkpoint
    stored = msgspec.json.decode(msgspec.json.encode(checkpoint))
    assert msgspec.convert(stored, Checkpoint) == checkpoint


def test_a_new_limit_applies_from_the_next_reading():
    checkpoint, found = fold(series(SPO2, (0, 88), (20, 88)))
    assert found[0].priority == "medium"
    looser = Limits({SPO2: Limit(low=85, low_critical=80, hysteresis=1, delay_s=15, extreme_low=True)})
    _, found = fold(series(SPO2, (30, 88), (45, 88)), checkpoint=checkpoint, limits=looser)
    assert found[0].ended_at == at(45)


@pytest.mark.parametrize("limits", [Limits({}), Limits({SPO2: Limit()})])
def test_an_alarm_on_a_limit_that_was_taken_away_ends(limits):
    checkpoint, _ = fold(series(SPO2, (0, 70), (20, 70)))
    _, found = fold(series(SPO2, (30, 70), (45, 70)), checkpoint=checkpoint, limits=limits)
    assert found[0].ended_at == at(45)


@pytest.mark.parametrize("vital", [SPO2, "steps"])
def test_nan_is_refused(vital):
    with pytest.raises(ValueError, match="NaN"):
        fold([reading(0, **{vital: math.nan})])


def test_a_reading_older_than_the_checkpoint_is_refused():
    checkpoint, _ = fold(series(SPO2, (10, 97)))
    with pytest.raises(ValueError, match="older"):
        fold(series(SPO2, (9, 97)), checkpoint=checkpoint)
