"""Laws of limits, rules and a scale that change while a patient is watched."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from silverwatch.domain.alerts.conditions import Value
from silverwatch.domain.alerts.house_rule import Rule
from silverwatch.domain.alerts.limit_cells import Key, Setting, applied
from silverwatch.domain.alerts.relimit import Span, pieces, relimit, together
from silverwatch.domain.alerts.rule_book import SITE_RULES
from silverwatch.domain.alerts.rule_set import NO_RULES, RuleSet
from silverwatch.domain.alerts.rules import SITE_DEFAULTS, Checkpoint, Reading, Verdict, evaluate
from tests.unit.test_rules_laws import between_moments, histories, in_order

PULSE = Rule(name="x", condition=Value(vital="heart_rate", operator=">", bound=100), hold_s=10)
SLOW_PULSE = Rule(name="x", condition=Value(vital="heart_rate", operator="<", bound=60), hold_s=10)
START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = START + timedelta(days=1)


def at(seconds):
    return START + timedelta(seconds=seconds)


def under(**cells):
    """The site's limits with cells set otherwise: spo2_low=86."""
    short = {"spo2": "oxygen_saturation", "hr": "heart_rate", "temp": "temperature"}
    wanted = {}
    for name, value in cells.items():
        vital, _, cell = name.partition("_")
        wanted[Key(short[vital], cell)] = Setting(value, off=value is None)
    return applied(SITE_DEFAULTS, wanted)


def run(readings, spans, *, now=NOW, size=500, checkpoint=None):
    """What the fold over stored readings does."""
    checkpoint, found, before = checkpoint or Checkpoint.empty(), {}, spans[0].limits
    for piece in pieces(readings, spans, size=size):
        if piece.moved_at is not None and piece.by.limits is not before:
            checkpoint, ended = relimit(checkpoint, before=before, after=piece.by.limits, at=piece.moved_at)
            found |= {(e.kind, e.raised_at): Verdict(e, live=False) for e in ended}
            before = piece.by.limits
        by = piece.by
        checkpoint, verdicts = evaluate(
            checkpoint, piece.readings, limits=by.limits, now=now, rules=by.rules, scale=by.scale
        )
        found |= {(v.episode.kind, v.episode.raised_at): v for v in verdicts}
    return checkpoint, [verdict.episode for verdict in found.values()]


def spot(seconds, **values):
    return Reading(event_at=at(seconds), values=values, spot=True, interval_s=4 * 3600)


def wave(vital, value, *, seconds):
    return [Reading(event_at=at(s), values={vital: value}) for s in seconds]


def test_an_old_spot_value_beyond_the_new_limit_alarms_at_the_change():
    spans = [Span(START, SITE_DEFAULTS), Span(at(3600), under(temp_high=37.5))]
    _, found = run([spot(0, temperature=38.0)], spans, now=at(3601))
    assert [(e.kind, e.raised_at, e.value, e.limit) for e in found] == [
        ("temperature_high", at(3600), 38.0, 37.5)
    ]
    assert found[0].fresh_for_s == 4 * 3600 + 1800 - 3600


def test_an_alarm_that_is_none_under_the_new_limits_ends_at_the_change_and_was_true():
    """38.6 is between the new limit and its hysteresis: no alarm all the same, it never passed that limit."""
    spans = [Span(START, SITE_DEFAULTS), Span(at(3600), under(temp_high=38.7))]
    checkpoint, found = run([spot(0, temperature=38.6)], spans)
    assert [(e.kind, e.raised_at, e.ended_at) for e in found] == [("temperature_high", at(0), at(3600))]
    assert checkpoint.vitals == {}


def test_a_continuous_one_ends_with_the_next_value_and_goes_on_while_it_is_beyond():
    readings = wave("oxygen_saturation", 88.0, seconds=range(60))
    ended = [Span(START, SITE_DEFAULTS), Span(at(40), under(spo2_low=88.0))]
    _, found = run(readings, ended)
    assert [(e.raised_at, e.ended_at) for e in found] == [(at(15), at(40))]
    goes_on = [Span(START, SITE_DEFAULTS), Span(at(40), under(spo2_low=89.0))]
    _, found = run(readings, goes_on)
    assert [(e.raised_at, e.ended_at, e.last_at) for e in found] == [(at(15), None, at(59))]


def test_a_limit_that_is_switched_off_ends_its_alarm():
    spans = [Span(START, SITE_DEFAULTS), Span(at(40), under(hr_high=None, hr_high_critical=None))]
    _, found = run(wave("heart_rate", 180.0, seconds=range(60)), spans)
    assert [(e.kind, e.ended_at) for e in found] == [("heart_rate_high", at(40))]


def test_a_new_limit_needs_its_delay_from_the_change_on():
    """Time beyond another limit says nothing about how long this one has been passed."""
    spans = [Span(START, SITE_DEFAULTS), Span(at(10), under(spo2_low=89.0))]
    _, found = run(wave("oxygen_saturation", 88.0, seconds=range(60)), spans)
    assert [e.raised_at for e in found] == [at(25)]


SETS = st.sampled_from(
    [SITE_DEFAULTS, under(spo2_low=86.0), under(spo2_low=94.0, hr_high=100.0), under(temp_high=None)]
)


RULE_SETS = st.sampled_from(
    [NO_RULES, RuleSet(SITE_RULES), RuleSet({"pulse": PULSE}), RuleSet({"pulse": SLOW_PULSE})]
)
SCALES = st.sampled_from([1, 2, None])


@st.composite
def changing(draw):
    """A history, and limits, rules and a scale that change in it."""
    readings = in_order(draw(histories()))
    seconds = sorted(draw(st.sets(st.integers(0, 400), max_size=3)))
    limits, rules, scales = ([(START, draw(values))] for values in (SETS, RULE_SETS, SCALES))
    for second in seconds:
        for course, values in ((limits, SETS), (rules, RULE_SETS), (scales, SCALES)):
            value = draw(values)
            if value is not course[-1][1]:
                course.append((at(second + 0.5), value))
    return readings, list(together(limits, rules, scales))


@settings(max_examples=400, deadline=None)
@given(changing(), st.lists(st.integers(0, 25), max_size=3))
def test_folding_in_parts_is_folding_at_once_also_across_changes(found, cuts):
    readings, spans = found
    once, expected = run(readings, spans)
    checkpoint, told = Checkpoint.empty(), {}
    edges = [0, *sorted(between_moments(readings, cut) for cut in cuts), len(readings)]
    for start, stop in pairwise(edges):
        # Each go knows the limits from its checkpoint on, as stored ones are asked for.
        until = readings[stop].event_at if stop < len(readings) else NOW
        since = checkpoint.at or START
        begin = [span for span in spans if span.since <= since][-1:]
        mine = [*begin, *(span for span in spans if since < span.since < until)]
        stored = msgspec.json.decode(msgspec.json.encode(checkpoint), type=Checkpoint)
        checkpoint, episodes = run(readings[start:stop], mine, checkpoint=stored)
        told |= {(e.kind, e.raised_at): e for e in episodes}
    assert checkpoint == once
    assert sorted(told.values(), key=lambda e: (e.raised_at, e.kind)) == sorted(
        expected, key=lambda e: (e.raised_at, e.kind)
    )


@settings(max_examples=200, deadline=None)
@given(changing())
def test_limits_that_stay_the_same_change_nothing(found):
    readings, spans = found
    same = [Span(span.since, SITE_DEFAULTS) for span in spans]
    _, plain = run(readings, spans[:1][:0] or [Span(START, SITE_DEFAULTS)])
    _, cut = run(readings, same)
    assert cut == plain
