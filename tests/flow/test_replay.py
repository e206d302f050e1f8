"""Recorded patients: the alarm rules, and the whole way from POST to alert, against an independent recomputation."""

from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.found import Found
from benchmarks.recompute import alarms, crossings
from benchmarks.replay_alarms import differences, stored
from silverwatch import clock, db
from silverwatch.domain.alerts.house_rule import NEWS_KIND
from silverwatch.domain.alerts.rule_book import SITE_RULES
from silverwatch.domain.alerts.rule_set import RuleSet
from silverwatch.domain.alerts.rules import SENSOR_OFF, SITE_DEFAULTS, Checkpoint, Reading, evaluate
from silverwatch.domain.readings.accept import Span, take
from silverwatch.jobs import evaluate as evaluate_job
from silverwatch.simulator import replay
from tests.cast import create_binding, create_device, create_key, create_patient

START = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = Span(START - timedelta(days=1), START + timedelta(days=400))


def recordings(folder):
    hourly = [*(folder / "physionet2019_setB").glob("p*.psv"), *(folder / "artefact_cases").glob("p*.psv")]
    minute = [*(folder / "mimic2_minute").glob("s*.csv")]
    assert len(hourly) >= 160
    assert len(minute) == 1
    return [(path, 3600.0) for path in sorted(hourly)] + [(path, 60.0) for path in minute]


def found_by_rules(rows, interval_s):
    readings = []
    for at_s, values in rows:
        taken = take({"measured_at": (START + timedelta(seconds=at_s)).isoformat(), **values}, SPAN)
        readings.append(
            Reading(
                event_at=taken.measured_at,
                values=taken.values,
                sensor_off=taken.off,
                spot=interval_s > 60,
                interval_s=interval_s,
            )
        )
    _, verdicts = evaluate(
        Checkpoint.empty(),
        readings,
        limits=SITE_DEFAULTS,
        rules=RuleSet(SITE_RULES),
        now=readings[-1].event_at,
    )

    def seconds(at):
        return None if at is None else (at - START).total_seconds()

    return [
        Found(
            e.kind,
            seconds(e.run_from),
            seconds(e.raised_at),
            seconds(e.ended_at),
            e.priority,
            e.peak_priority,
        )
        for e in (verdict.episode for verdict in verdicts)
    ]


def test_rules_find_what_the_recomputation_finds_in_every_recording(recorded):
    wrong, total, of_news = {}, 0, 0
    for path, interval_s in recordings(recorded):
        rows = list(replay.read(path))
        expected = alarms(rows, interval_s=interval_s)
        total += len(expected)
        of_news += sum(alarm.kind == NEWS_KIND for alarm in expected)
        if found := differences(expected, found_by_rules(rows, interval_s)):
            wrong[path.name] = found
    assert total > 1000
    assert of_news > 300
    assert wrong == {}


def test_the_minute_record_has_the_known_rates(recorded):
    rows = list(replay.read(next((recorded / "mimic2_minute").glob("s*.csv"))))
    days = len(rows) / 1440
    found = [alarm for alarm in alarms(rows, interval_s=60.0) if alarm.kind != SENSOR_OFF]
    rates = [crossings(rows, gated=False) / days, crossings(rows, gated=True) / days, len(found) / days]
    assert [round(rate, 1) for rate in rates] == [41.7, 24.5, 4.5]


@pytest.mark.parametrize("judged_each", [1, 3, 4])
def test_the_minute_record_through_ingest_gives_the_same_alerts(site, recorded, judged_each):
    """Posted in order; judged after every post, after three of them, or once at the end."""
    rows = list(replay.read(next((recorded / "mimic2_minute").glob("s*.csv"))))
    start = clock.now() - timedelta(seconds=rows[-1][0] + 1)
    with db.transaction() as session:
        patient = create_patient(session, "Recorded")
        device = create_device(session, "SW-REC", interval_s=60)
        create_binding(session, device.id, patient_id=patient.id)
        key = create_key(session, device.id)
    parts = [rows[begin : begin + 500] for begin in range(0, len(rows), 500)]
    for number, part in enumerate(parts, start=1):
        readings = [
            {"measured_at": (start + timedelta(seconds=at_s)).isoformat(timespec="milliseconds"), **values}
            for at_s, values in part
        ]
        answer = site.client.post(
            "/api/readings/", json={"readings": readings}, headers={"Authorization": f"Bearer {key}"}
        )
        assert answer.status_code == 200, answer.text
        if number % judged_each == 0 or number == len(parts):
            evaluate_job.drain()
    assert differences(alarms(rows, interval_s=60.0), stored(patient.id, rows)) == []
