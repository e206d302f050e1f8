"""A screen that is not drawn must not look live."""

import json

import pytest

from silverwatch.live import health


def told(found: health.Health) -> dict[str, object]:
    """What the tick says."""
    frame = found.tick()
    return json.loads(frame[frame.index(b"{") :])


def test_a_failure_to_draw_is_told_until_it_is_long_over(monkeypatch: pytest.MonkeyPatch) -> None:
    found = health.Health()
    assert told(found)["db"] is True
    found.failed()
    assert told(found)["db"] is False
    monkeypatch.setattr(health, "FAILURE_S", 0.0)
    assert told(found)["db"] is True


def test_without_the_database_the_lag_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    found = health.Health()
    found.lag_is(0.2)
    found.db = False
    now = health.time.monotonic()
    monkeypatch.setattr(health.time, "monotonic", lambda: now + 15)
    tick = told(found)
    assert tick["db"] is False
    assert float(str(tick["judge_lag_s"])) >= 15
