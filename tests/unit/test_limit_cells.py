"""Laws of the cells of the limits: which layer wins, what may be set, what is looser."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from silverwatch.domain.alerts.limit_cells import (
    APART,
    BOUNDS,
    CELLS,
    SETTABLE,
    VITALS,
    Key,
    Setting,
    applied,
    differences,
    is_looser,
    problems,
    settings_of,
)
from silverwatch.domain.alerts.limit_proposal import LONGEST, Proposal, Scope
from silverwatch.domain.alerts.limits import SITE_DEFAULTS, Limit, Limits

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SOMEBODY = UUID(int=1)
NUMBERS = st.floats(0, 300).map(lambda value: round(value, 1))


@st.composite
def layers(draw):
    """What a layer sets: any cells, any numbers, some of them off."""
    keys = draw(st.sets(st.tuples(st.sampled_from(VITALS), st.sampled_from(CELLS)), max_size=12))
    found = {}
    for vital, cell in sorted(keys):
        if cell == "priority":
            found[Key(vital, cell)] = Setting(draw(st.sampled_from(["high", "medium", "low"])))
        elif cell in {"delay_s", "hysteresis"} or draw(st.booleans()):
            found[Key(vital, cell)] = Setting(draw(NUMBERS))
        else:
            side = "low" if cell.startswith("low") else "high"
            for both in BOUNDS[side]:
                found[Key(vital, both)] = Setting(None, off=True)
    return found


@settings(max_examples=300)
@given(layers(), layers(), layers())
def test_the_nearest_layer_that_sets_a_cell_wins(site, ward, patient):
    found = settings_of(applied(applied(applied(SITE_DEFAULTS, site), ward), patient))
    delivered = settings_of(SITE_DEFAULTS)
    for key in delivered:
        nearest = next((layer[key] for layer in (patient, ward, site) if key in layer), delivered[key])
        assert found[key] == nearest


@settings(max_examples=300)
@given(layers())
def test_setting_all_cells_gives_the_same_limits(layer):
    limits = applied(SITE_DEFAULTS, layer)
    assert settings_of(applied(SITE_DEFAULTS, settings_of(limits))) == settings_of(limits)
    assert differences(settings_of(limits), settings_of(limits)) == []


@settings(max_examples=300)
@given(layers())
def test_what_has_no_problem_keeps_the_rules(layer):
    limits = applied(SITE_DEFAULTS, layer)
    wrong = {key.vital for key in problems(limits)}
    for vital in set(VITALS) - wrong:
        limit = limits.by_vital[vital]
        least, most = SETTABLE[vital]
        bounds = [
            b for b in (limit.low_critical, limit.low, limit.high, limit.high_critical) if b is not None
        ]
        assert all(least <= bound <= most for bound in bounds)
        assert bounds == sorted(bounds)
        if limit.low is not None and limit.high is not None:
            assert limit.high - limit.low >= APART[vital]
        assert 0 <= limit.delay_s <= 30


@pytest.mark.parametrize(
    ("vital", "cells", "at"),
    [
        ("heart_rate", {"low": 100.0, "high": 101.0}, "high"),
        ("systolic_bp", {"low": 100.0, "high": 104.0}, "high"),
        ("oxygen_saturation", {"low_critical": 91.0}, "low_critical"),
        ("heart_rate", {"high_critical": 120.0}, "high_critical"),
        ("heart_rate", {"low": 17.0, "low_critical": None}, "low"),
        ("heart_rate", {"delay_s": 31.0}, "delay_s"),
        ("temperature", {"hysteresis": -0.1}, "hysteresis"),
        ("temperature", {"low": float("nan")}, "low"),
    ],
)
def test_what_cannot_be_set_is_said_at_its_cell(vital, cells, at):
    limits = applied(SITE_DEFAULTS, {Key(vital, cell): Setting(value) for cell, value in cells.items()})
    assert at in {key.cell for key in problems(limits) if key.vital == vital}
    assert not [key for key in problems(limits) if key.vital != vital]


def test_the_delivered_limits_have_no_problem():
    assert problems(SITE_DEFAULTS) == {}


@settings(max_examples=200)
@given(st.sampled_from(["low", "low_critical"]), NUMBERS, NUMBERS)
def test_a_lower_low_limit_is_looser_and_never_both_ways(cell, one, other):
    assert is_looser(cell, Setting(one), Setting(other)) == (one < other)
    assert is_looser(cell, Setting(None, off=True), Setting(other))
    assert not is_looser(cell, Setting(one), Setting(None, off=True))


def proposal(wanted, *, layer="patient", own=None):
    scope = Scope.of_patient(SOMEBODY) if layer == "patient" else Scope.of_ward(SOMEBODY)
    return Proposal(scope=scope, base=SITE_DEFAULTS, own=own or {}, wanted=wanted)


LOOSER = {Key("oxygen_saturation", "low"): Setting(86.0)}
TIGHTER = {Key("oxygen_saturation", "low"): Setting(94.0)}
OFF = {
    Key("heart_rate", "high"): Setting(None, off=True),
    Key("heart_rate", "high_critical"): Setting(None, off=True),
}


@pytest.mark.parametrize("wanted", [LOOSER, OFF])
def test_a_patients_looser_limits_need_a_reason_and_an_end(wanted):
    assert proposal(wanted).errors(reason="", until=None, now=NOW).keys() == {"reason", "until"}
    assert proposal(wanted).errors(reason="COPD", until=NOW + timedelta(hours=4), now=NOW) == {}
    late = proposal(wanted).errors(reason="COPD", until=NOW + LONGEST + timedelta(hours=1), now=NOW)
    assert late.keys() == {"until"}
    assert proposal(wanted).errors(reason="COPD", until=NOW, now=NOW).keys() == {"until"}


def test_tighter_ones_need_a_reason_only_and_a_wards_need_no_end():
    assert proposal(TIGHTER).errors(reason="Sepsis", until=None, now=NOW) == {}
    assert proposal(LOOSER, layer="ward").errors(reason="Ward of COPD", until=None, now=NOW) == {}
    assert proposal(LOOSER, layer="ward").errors(reason=" ", until=None, now=NOW).keys() == {"reason"}


def test_off_is_off_on_both_levels_and_known_as_such():
    after = proposal(OFF).after
    limit = after.by_vital["heart_rate"]
    assert (limit.high, limit.high_critical, limit.low) == (None, None, 50)
    assert after.off == {("heart_rate", "high"), ("heart_rate", "high_critical")}
    assert after.calm["heart_rate"] == (50, float("inf"))
    assert Limits({"heart_rate": Limit(low=50)}).off == frozenset()
    assert [line["after"] for line in proposal(OFF).lines()] == ["off", "off"]
