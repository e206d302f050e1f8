"""The short fault run: every part killed once under load, and a comparison that would notice what it looks for.

And what fault runs have found, pinned down without killing anything.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import pytest

from benchmarks.faults import report
from benchmarks.faults.audit import Findings, Stored, compare
from benchmarks.faults.run import Result, run
from benchmarks.faults.writers import Account
from silverwatch import clock, db
from silverwatch.domain import events
from silverwatch.domain.alerts.facts import (
    AlertAcknowledged,
    AlertChanged,
    AlertClosed,
    AlertFact,
    AlertRaised,
)
from tests.cast import Cast
from tests.conftest import Site
from tests.jobs.posting import judge, post

KINDS = 9


@pytest.mark.parametrize("fact_class", [AlertRaised, AlertChanged, AlertAcknowledged, AlertClosed])
def test_a_fact_that_nobody_was_told_comes_out_of_the_outbox_as_it_went_in(
    site: Site, fact_class: type[AlertFact]
) -> None:
    fact = fact_class(alert_id=clock.new_id(), patient_id=None)
    about_somebody = fact_class(alert_id=clock.new_id(), patient_id=clock.new_id())
    db.on_commit(None)
    with db.transaction() as session:
        events.record(session, fact)
        events.record(session, about_somebody)
    with db.transaction() as session:
        left = events.unrung(session, before=clock.now() + timedelta(seconds=1))
    assert [found for _, found in left] == [fact, about_somebody]


def test_an_unseen_high_alarm_that_comes_again_weaker_stays_in_history_and_to_be_seen(
    site: Site, cast: Cast
) -> None:
    worn, end = cast.achieng, clock.now()
    for before, pressure in ((4, 75), (3, 120), (2, 85), (1, 120)):
        post(site, worn.key, [(before, {"systolic_bp": pressure})], until=end)
        judge()
    alert = site.row(
        "SELECT priority, peak_priority, times, run_from, ended_at, closed_at FROM alert"
        " WHERE patient_id = %s AND kind = 'systolic_bp_low'",
        worn.patient_id,
    )
    episode = site.row("SELECT priority, run_from, ended_at FROM alert_episode")
    assert (alert[0], alert[1], alert[2], episode[0]) == ("medium", "high", 2, "high")
    assert episode[1] < episode[2] < alert[3] < alert[4]
    assert alert[5] is None


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_and_every_breach_has_its_alert_though_every_part_dies() -> None:
    result = run(kills=1, seed=7, say=print)
    print("\n".join(report.lines(result)))
    found = result.findings
    assert not found.problems
    assert result.kills == KINDS
    assert found.acknowledged > 1000
    assert (found.lost, found.altered, found.double, found.half) == (0, 0, 0, 0)
    assert found.alerts_found == found.alerts_expected > found.open_expected
    assert found.open_found == found.open_expected > 0
    _assert_that_damage_is_noticed(result)


def _assert_that_damage_is_noticed(result: Result) -> None:
    """The same accounts with one thing spoiled: a comparison that stays silent proves nothing."""

    def spoiled(spoil: Callable[[Account, Stored], object]) -> Findings:
        account = replace(result.account, acknowledged=deepcopy(result.account.acknowledged))
        stored = replace(
            result.stored,
            readings=list(result.stored.readings),
            alerts=list(result.stored.alerts),
            states=dict(result.stored.states),
        )
        spoil(account, stored)
        found = Findings()
        compare(account, stored, found=found)
        assert found.problems
        return found

    # The one heard of last: alarms whose readings are old are not missed by what is on now.
    open_one = max(
        (row for row in result.stored.alerts if row.ended_at is None and row.closed_at is None),
        key=lambda row: row.last_at,
    )
    assert spoiled(lambda _, stored: stored.readings.pop(1000)).lost == 1
    assert spoiled(lambda _, stored: stored.readings.append(stored.readings[0])).double == 1
    assert (
        spoiled(lambda account, _: next(iter(account.acknowledged.values())).update(heart_rate=1)).altered
        == 1
    )
    assert spoiled(lambda _, stored: stored.states.update({stored.readings[0].patient_id: 1})).half == 1
    missing = spoiled(lambda _, stored: stored.alerts.remove(open_one))
    assert missing.alerts_found == missing.alerts_expected - 1
    assert missing.open_found == missing.open_expected - 1
    spoiled(lambda _, stored: stored.alerts.append(open_one))
