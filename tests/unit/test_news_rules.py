"""NEWS2 within the fold: against the chart's own module, against the slow recomputation, and its laws."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.found import Found
from benchmarks.recompute_news import Set, news_alarms, score
from silverwatch.domain.alerts.conditions import ANY_PART, All, AnyOf, Points, Rise, Score, Slope, Value
from silverwatch.domain.alerts.house_rule import NEWS_KIND, Rule, Schedule
from silverwatch.domain.alerts.news_fold import NewsFold
from silverwatch.domain.alerts.rule_book import SITE_RULES
from silverwatch.domain.alerts.rule_set import RuleSet
from silverwatch.domain.alerts.rules import SITE_DEFAULTS, Checkpoint, Limits, Reading, evaluate
from silverwatch.domain.readings import news2
from silverwatch.domain.readings.vitals import BY_NAME

START = datetime(2026, 3, 1, tzinfo=UTC)
LATER = START + timedelta(days=60)
NO_LIMITS = Limits({})
SITE = RuleSet(SITE_RULES)
MINUTE, HOUR = 60, 3600
NEWS = {
    "respiratory_rate": [7, 9, 11.6, 16, 20.5, 22, 25],
    "oxygen_saturation": [88, 91.5, 92, 94, 97],
    "systolic_bp": [85, 95, 105, 120, 221],
    "heart_rate": [38, 45, 70, 90.5, 100, 120, 135],
    "temperature": [34.9, 36.05, 37, 38.05, 38.5, 39.2],
    "pulse_rate": [38, 70, 120],
    "supplemental_oxygen": [0, 2],
    "consciousness": ["A", "A", "C"],
}
WATCHED = RuleSet(
    {
        **SITE_RULES,
        "any": Rule(name="any", condition=Points(part=ANY_PART, at_least=3), hold_s=60),
        "rise": Rule(name="rise", condition=Rise(at_least=2), priority="low"),
        "both": Rule(
            name="both",
            condition=All(
                of=(
                    Value(vital="heart_rate", operator=">", bound=95, hysteresis=6),
                    AnyOf(
                        of=(
                            Value(vital="respiratory_rate", operator=">=", bound=22),
                            Value(vital="oxygen_saturation", operator="<", bound=93),
                        )
                    ),
                )
            ),
            hold_s=30,
            priority="high",
        ),
        "slope": Rule(
            name="slope", condition=Slope(vital="heart_rate", direction="rises", by=20, minutes=10)
        ),
        "night": Rule(
            name="night",
            condition=Value(vital="oxygen_saturation", operator="<=", bound=94),
            schedule=Schedule(21 * 60, 7 * 60),
        ),
    }
)


@st.composite
def histories(draw):
    """A monitor each second to each minute, and sets by hand between, over minutes to days."""
    second, found = 0, []
    interval_s = draw(st.sampled_from([1.0, 10.0, 60.0]))
    pauses = st.sampled_from([1, 5, 15, 30, 60, 60, 200, 901, 2 * HOUR, 5 * HOUR])
    for pause, by_hand, values in draw(
        st.lists(
            st.tuples(
                pauses,
                st.integers(0, 3).map(lambda n: n == 0),
                st.fixed_dictionaries(
                    {}, optional={name: st.sampled_from(values) for name, values in NEWS.items()}
                ),
            ),
            max_size=30,
        )
    ):
        second += pause
        if not by_hand:
            values = {k: v for k, v in values.items() if k not in ("consciousness", "supplemental_oxygen")}
        found.append(Set(float(second), values, by_hand, 4.0 * HOUR if by_hand else interval_s))
    return found


def readings_of(sets):
    return [
        Reading(
            event_at=START + timedelta(seconds=one.at),
            values={k: v for k, v in one.values.items() if k != "consciousness"},
            consciousness=one.values.get("consciousness"),
            spot=one.spot,
            interval_s=one.interval_s,
        )
        for one in sets
    ]


def fold(readings, *, checkpoint=None, rules=SITE, limits=NO_LIMITS, scale=1):
    after, verdicts = evaluate(
        checkpoint or Checkpoint.empty(), readings, limits=limits, now=LATER, rules=rules, scale=scale
    )
    return after, [verdict.episode for verdict in verdicts]


def seconds(at):
    return None if at is None else (at - START).total_seconds()


@settings(max_examples=1000, deadline=None)
@given(histories())
def test_the_alarms_are_those_of_the_slow_recomputation(history):
    _, found = fold(readings_of(history))
    told = [
        Found(
            e.kind,
            seconds(e.run_from),
            seconds(e.raised_at),
            seconds(e.ended_at),
            e.priority,
            e.peak_priority,
        )
        for e in found
    ]
    assert told == news_alarms(history)


@settings(max_examples=300, deadline=None)
@given(histories(), st.sampled_from([1, 2]))
def test_the_score_is_that_of_the_chart_at_each_reading(history, scale):
    """Bands and ages kept between readings give what asking for everything again gives."""
    checkpoint, latest, last, risk = Checkpoint.empty(), {}, None, "none"
    for reading in readings_of(history):
        checkpoint, _ = fold([reading], checkpoint=checkpoint, scale=scale)
        given_now = dict(reading.values) | (
            {"consciousness": reading.consciousness} if reading.consciousness else {}
        )
        latest |= {name: news2.Measured(value, reading.event_at) for name, value in given_now.items()}
        expected = news2.assess(
            latest,
            now=reading.event_at,
            observation_interval_s=news2.observation_interval_s(risk),
            scale=scale,
        )
        if expected.score is not None:
            risk = expected.score.risk
            last = (expected.score.total, risk, int(expected.oldest_at.timestamp() * 1000))
        stored = checkpoint.news
        assert (stored and (stored.score, stored.risk, stored.at)) == last


@settings(max_examples=1000, deadline=None)
@given(histories(), st.lists(st.integers(0, 30), max_size=5), st.sampled_from([1, 2]))
def test_folding_in_parts_is_folding_at_once(history, cuts, scale):
    readings = readings_of(history)
    at_once, expected = fold(readings, rules=WATCHED, limits=SITE_DEFAULTS, scale=scale)
    checkpoint, told = Checkpoint.empty(), []
    for start, stop in pairwise([0, *sorted(min(c, len(readings)) for c in cuts), len(readings)]):
        stored = msgspec.json.decode(msgspec.json.encode(checkpoint), type=Checkpoint)
        told = [e for e in told if e.contradicted]
        checkpoint, found = fold(
            readings[start:stop], checkpoint=stored, rules=WATCHED, limits=SITE_DEFAULTS, scale=scale
        )
        told += found
    assert checkpoint == at_once
    key = lambda e: (e.raised_at, e.kind, e.ended_at or LATER)  # noqa: E731
    assert sorted(told, key=key) == sorted(expected, key=key)


@settings(max_examples=1000, deadline=None)
@given(histories().flatmap(lambda h: st.tuples(st.just(h), st.permutations(h))), st.data())
def test_neither_order_nor_repetition_matters(pair, data):
    history, shuffled = pair
    again = data.draw(st.lists(st.sampled_from(history), max_size=5)) if history else []
    expected = fold(readings_of(history), rules=WATCHED, limits=SITE_DEFAULTS)
    assert fold(readings_of(shuffled + again), rules=WATCHED, limits=SITE_DEFAULTS) == expected


def test_a_score_that_rose_makes_nothing_too_old_when_its_reading_is_repeated():
    """Found by the property: the oxygen of two hours ago fits the low risk of before, not the high one of now."""
    low = {
        "respiratory_rate": 7,
        "pulse_rate": 38,
        "temperature": 34.9,
        "oxygen_saturation": 88,
        "systolic_bp": 85,
    }
    history = [
        Set(1.0, {"respiratory_rate": 7, "consciousness": "A", "supplemental_oxygen": 2}, True, 4.0 * HOUR),
        Set(7202.0, low, False, 1.0),
    ]
    once = fold(readings_of(history), rules=WATCHED, limits=SITE_DEFAULTS)
    assert fold(readings_of([*history, history[-1]]), rules=WATCHED, limits=SITE_DEFAULTS) == once


@settings(max_examples=1000, deadline=None)
@given(histories(), st.data())
def test_a_delay_changes_only_live_into_retrospective(history, data):
    """Judged later, the same alarms with the same times; only whether they still stand may differ, one way."""
    readings = readings_of(history)
    early = START + timedelta(seconds=history[-1].at if history else 0)
    late = early + timedelta(seconds=data.draw(st.integers(0, 2 * 86400)))
    one, other = (
        evaluate(Checkpoint.empty(), readings, limits=SITE_DEFAULTS, now=now, rules=WATCHED)
        for now in (early, late)
    )
    assert one[0] == other[0]
    assert [v.episode for v in one[1]] == [v.episode for v in other[1]]
    for before, after in zip(one[1], other[1], strict=True):
        assert before.live or not after.live
        fresh = not before.episode.contradicted and (
            (late - before.episode.last_at).total_seconds() < before.episode.fresh_for_s
        )
        assert after.live == fresh


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("on_oxygen", [False, True])
def test_the_kept_bands_are_those_of_the_chart(scale, on_oxygen):
    at = START
    for name in ("respiratory_rate", "oxygen_saturation", "systolic_bp", "heart_rate", "temperature"):
        step = 0.05 if name == "temperature" else 0.25
        vital = BY_NAME[name]
        for number in range(int((vital.high - vital.low) / step) + 1):
            value = round(vital.low + number * step, 2)
            news = NewsFold(None, scale=scale)
            oxygen = Reading(event_at=at, values={"supplemental_oxygen": 2.0 if on_oxygen else 0.0})
            news.sum_up(at, {name: Reading(event_at=at, values={name: value}), "supplemental_oxygen": oxygen})
            expected = news2.points(name, value, scale=scale, on_oxygen=on_oxygen)
            assert news.points[name] == expected, (name, value)
            if scale == 1:
                assert score(name, value) == expected, (name, value)
            low, high = news.ranges[name]
            assert low <= value <= high


# By hand, in the words of the clinical facts


def monitor(second, **values):
    return Reading(event_at=START + timedelta(seconds=second), values=values, interval_s=10.0)


def by_hand(second, consciousness="A", **values):
    calm = {
        "respiratory_rate": 16,
        "oxygen_saturation": 97,
        "supplemental_oxygen": 0,
        "systolic_bp": 120,
        "heart_rate": 70,
        "temperature": 37.0,
    }
    return Reading(
        event_at=START + timedelta(seconds=second),
        values=calm | values,
        spot=True,
        interval_s=4.0 * HOUR,
        consciousness=consciousness,
    )


def news_of(readings, **kwargs):
    return [e for e in fold(readings, **kwargs)[1] if e.kind == NEWS_KIND]


def test_a_set_by_hand_raises_at_once_and_the_next_one_ends_it():
    (found,) = news_of([by_hand(0, respiratory_rate=26, heart_rate=120), by_hand(HOUR)])
    assert (found.priority, found.value, found.limit, found.partial) == ("medium", 5, 5, False)
    assert (found.raised_at, seconds(found.ended_at)) == (START, HOUR)


def test_seven_is_high_and_the_same_alarm():
    worse = by_hand(HOUR, respiratory_rate=26, heart_rate=120, consciousness="V")
    (found,) = news_of([by_hand(0, respiratory_rate=26, heart_rate=120), worse])
    assert (found.priority, found.peak_priority, found.value, found.limit) == ("high", "high", 8, 7)
    better = by_hand(2 * HOUR, respiratory_rate=26, heart_rate=120)
    (found,) = news_of([by_hand(0, respiratory_rate=26, heart_rate=120), worse, better])
    assert (found.priority, found.peak_priority, found.worst) == ("medium", "high", 8)


def test_at_least_raises_like_a_score_but_must_last():
    bad = {"respiratory_rate": 26, "oxygen_saturation": 93}
    (found,) = news_of([monitor(second, **bad) for second in range(0, 70, 10)])
    assert (found.partial, found.value, seconds(found.raised_at)) == (True, 5, 60)
    assert news_of([monitor(second, **bad) for second in range(0, 60, 10)]) == []


def test_a_partial_set_never_lowers_it():
    """The level of consciousness has become too old: that the rest is fine does not end what it was part of."""
    bad = by_hand(0, respiratory_rate=26, consciousness="V")
    fine = [
        monitor(s, respiratory_rate=16, oxygen_saturation=97, heart_rate=70)
        for s in range(2 * HOUR, 3 * HOUR, 10)
    ]
    (found,) = news_of([bad, *fine])
    assert found.ended_at is None
    (found,) = news_of([bad, *fine, by_hand(3 * HOUR)])
    assert seconds(found.ended_at) == 3 * HOUR


def test_what_was_high_without_a_part_ends_without_it():
    bad = [monitor(s, respiratory_rate=26, oxygen_saturation=93) for s in range(0, 70, 10)]
    only_one = [monitor(s, respiratory_rate=16) for s in range(70, 17 * MINUTE, 10)]
    (found,) = news_of([*bad, *only_one[:-8]])
    assert seconds(found.ended_at) == 90
    silent = [monitor(s, respiratory_rate=16) for s in range(60 + 15 * MINUTE + 10, 30 * MINUTE, 10)]
    (found,) = news_of([*bad, *silent])
    assert found.ended_at is None


def test_the_rise_since_the_set_before():
    rules = RuleSet({"up": Rule(name="up", condition=Rise(at_least=2), priority="low")})
    sets = [by_hand(0), by_hand(HOUR, heart_rate=95), by_hand(2 * HOUR, heart_rate=95, respiratory_rate=22)]
    (found,) = fold(sets, rules=rules)[1]
    assert (found.kind, found.value, seconds(found.raised_at)) == ("rule_up", 2, 2 * HOUR)
    assert fold(sets[:2], rules=rules)[1] == []


def test_rules_on_the_total_are_one_alarm():
    rules = RuleSet({"a": Rule(name="a", condition=Score(at_least=3), priority="low"), **SITE_RULES})
    (found,) = fold([by_hand(0, respiratory_rate=26, heart_rate=120)], rules=rules)[1]
    assert (found.kind, found.priority, found.rule) == (
        "news2",
        "medium",
        "01980000-0000-7000-8000-000000000501",
    )
