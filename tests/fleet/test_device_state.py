"""The word for how a device does, by the clock alone; the bars of its day."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from silverwatch.domain.alerts.device_state import ORDER, DeviceFacts, DeviceState, state_of
from silverwatch.domain.alerts.fleet import BARS, bars
from silverwatch.domain.alerts.silence import silent_at
from silverwatch.domain.readings.vitals import silent_after_s

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=2)


def state(*, silent_s: float | None = 1, interval_s: float = 4, **more: Any) -> str:
    """The state of a device that was last heard of so many seconds ago and is worn, unless told otherwise."""
    heard_at = None if silent_s is None else NOW - timedelta(seconds=silent_s)
    facts = {"bound_at": LONG_AGO, "interval_s": interval_s, "heard_at": heard_at, **more}
    return state_of(DeviceFacts(**facts), now=NOW).value


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({}, "online"),
        ({"silent_s": None}, "new"),
        ({"silent_s": 16}, "late"),
        ({"silent_s": 29.9}, "late"),
        ({"silent_s": 30}, "offline"),
        ({"silent_s": 60, "interval_s": 60}, "online"),
        ({"silent_s": 91, "interval_s": 60}, "late"),
        ({"silent_s": 180, "interval_s": 60}, "offline"),
        ({"battery": 19}, "low-battery"),
        ({"battery": 20}, "online"),
        ({"silent_s": 40, "battery": 3}, "offline"),
        ({"silent_s": 40, "is_paused": True}, "paused"),
        ({"silent_s": 86_400, "bound_at": None}, "ready"),
        ({"silent_s": 86_400, "bound_at": None, "is_gateway": True}, "offline"),
        ({"silent_s": 86_400, "bound_at": NOW - timedelta(seconds=5)}, "online"),
        ({"silent_s": 86_400, "bound_at": NOW - timedelta(seconds=20)}, "late"),
        ({"bound_at": None}, "online"),
        ({"check_due_at": NOW}, "check-due"),
        ({"check_due_at": NOW + timedelta(seconds=1)}, "online"),
        ({"retired_at": NOW, "silent_s": None}, "retired"),
    ],
)
def test_state(facts: dict[str, Any], word: str) -> None:
    assert state(**facts) == word


def test_the_order_is_worst_first() -> None:
    assert [item.value for item in ORDER] == [
        "offline", "late", "low-battery", "check-due", "new", "paused", "online", "ready", "retired",
    ]  # fmt: skip
    assert DeviceState.OFFLINE in ORDER


@pytest.mark.parametrize("interval_s", [1, 4, 10, 60, 1800])
def test_offline_is_the_moment_of_the_alarm(interval_s: float) -> None:
    heard_at = NOW - timedelta(seconds=silent_after_s(interval_s))
    assert silent_at(heard_at, interval_s) == NOW
    facts = DeviceFacts(interval_s=interval_s, heard_at=heard_at, bound_at=LONG_AGO)
    assert state_of(facts, now=NOW) is DeviceState.OFFLINE
    assert state_of(facts, now=NOW - timedelta(microseconds=1)) is not DeviceState.OFFLINE


def test_bars_say_what_came_and_what_did_not() -> None:
    slots = {0: True, 1: True, 2: True, 3: True, 4: False, 5: True, 6: False, 7: False, 8: False, 143: True}
    found = bars(slots, is_spot=False)
    assert len(found) == BARS
    assert found[:4] == ("full", "part", "none", "off")
    assert found[-1] == "full"
    assert bars(slots, is_spot=True)[1] == "full"
