"""Readings in few words, for the tests of the alarm rules."""

from datetime import UTC, datetime, timedelta

from silverwatch.domain.alerts.rules import SITE_DEFAULTS, Checkpoint, Reading, evaluate
from silverwatch.domain.readings.vitals import BIT

START = datetime(2026, 3, 1, tzinfo=UTC)
SPO2 = "oxygen_saturation"


def at(second):
    return START + timedelta(seconds=second)


def reading(second, *, off=(), spot=False, interval_s=1.0, **values):
    mask = sum(BIT[name] for name in off)
    return Reading(event_at=at(second), values=values, sensor_off=mask, spot=spot, interval_s=interval_s)


def series(vital, *pairs, **kwargs):
    """One reading for each (second, value); the device sends every 10 s unless told."""
    return [
        reading(second, interval_s=kwargs.get("interval_s", 10.0), **{vital: value})
        for second, value in pairs
    ]


def fold(readings, *, limits=SITE_DEFAULTS, now=None, checkpoint=None):
    after, verdicts = evaluate(
        checkpoint or Checkpoint.empty(), readings, limits=limits, now=now or readings[-1].event_at
    )
    return after, [verdict.episode for verdict in verdicts]


def episodes(readings, **kwargs):
    return fold(readings, **kwargs)[1]


def only(readings, **kwargs):
    found = episodes(readings, **kwargs)
    assert len(found) == 1, found
    return found[0]
