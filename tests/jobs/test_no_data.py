"""Rules about missing values: raised and ended by the clock, never by judging."""

from datetime import timedelta

import pytest

from silverwatch import clock, db
from silverwatch.domain.alerts import again
from silverwatch.domain.alerts.conditions import All, AnyOf, NoData
from silverwatch.domain.alerts.house_rule import Rule
from silverwatch.domain.alerts.no_data import missing_since, watch_no_data
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.jobs.posting import alerts, judge, post
from tests.jobs.test_rules_in_force import write

SPO2 = NoData(vital="oxygen_saturation", minutes=5)
TEMP = NoData(vital="temperature", minutes=60)


def look(ahead: timedelta = timedelta()) -> None:
    with db.transaction() as session:
        watch_no_data(session, now=clock.now() + ahead)


def test_a_missing_value_is_found_by_the_clock_and_its_return_ends_it(site: Site, cast: Cast) -> None:
    rule_id = write(site, Rule(name="No saturation", condition=SPO2), ward_id=cast.achieng.ward_id)
    kind = f"no_data_{rule_id}"
    for worn, before in ((cast.achieng, 270), (cast.baraka, 1), (cast.chebet, 270)):
        post(site, worn.key, [(before, {"oxygen_saturation": 97})])
    judge()
    look()
    assert site.rows("SELECT 1 FROM alert WHERE kind = %s", kind) == []
    look(timedelta(minutes=1))
    look(timedelta(minutes=1))
    raised = site.rows("SELECT patient_id, rule_id FROM alert WHERE kind = %s", kind)
    assert [tuple(row) for row in raised] == [(cast.achieng.patient_id, rule_id)]
    # A reading of something else is judged; the alarm stands.
    post(site, cast.achieng.key, [(0, {"heart_rate": 80})])
    judge()
    assert (kind, "medium", True, True) in alerts(site, cast.achieng.patient_id)
    post(site, cast.achieng.key, [(0, {"oxygen_saturation": 96})])
    look()
    assert (kind, "medium", False, True) in alerts(site, cast.achieng.patient_id)


def test_all_and_any_of_what_is_missing() -> None:
    now = clock.now()
    begun = now - timedelta(hours=2)
    at = clock.epoch_ms(now - timedelta(minutes=10))
    latest = {"oxygen_saturation": [97, at, 1], "temperature": [37, at, None]}
    five = clock.from_epoch_ms(at) + timedelta(minutes=5)
    assert missing_since(SPO2, latest, since=begun, now=now) == five
    assert missing_since(TEMP, latest, since=begun, now=now) is None
    assert missing_since(All(of=(SPO2, TEMP)), latest, since=begun, now=now) is None
    assert missing_since(AnyOf(of=(SPO2, TEMP)), latest, since=begun, now=now) == five
    never = missing_since(TEMP, {}, since=begun, now=now)
    assert never == begun + timedelta(hours=1)


def test_one_that_waits_to_be_seen_and_is_true_again_does_not_say_that_it_is_over(
    site: Site, cast: Cast
) -> None:
    write(site, Rule(name="No saturation", condition=SPO2, priority="high"), ward_id=cast.achieng.ward_id)
    post(site, cast.achieng.key, [(250, {"oxygen_saturation": 97})])
    judge()
    look(timedelta(minutes=1))
    post(site, cast.achieng.key, [(0, {"oxygen_saturation": 96})])
    look()
    ask = "SELECT ended_at IS NULL, closed_at IS NULL, times FROM alert WHERE patient_id = %s"
    assert site.rows(ask, cast.achieng.patient_id) == [(False, True, 1)]
    look(timedelta(minutes=6))
    look(timedelta(minutes=6))
    assert site.rows(ask, cast.achieng.patient_id) == [(True, True, 2)]


@pytest.mark.parametrize("comes", [False, True])
def test_resolved_for_a_reason_it_comes_back_when_that_time_is_over_if_it_is_still_true(
    site: Site, cast: Cast, people: People, comes: bool
) -> None:
    write(site, Rule(name="No saturation", condition=SPO2), ward_id=cast.achieng.ward_id)
    post(site, cast.achieng.key, [(250, {"oxygen_saturation": 97})])
    judge()
    look(timedelta(minutes=1))
    (alert_id,) = site.row("SELECT id FROM alert WHERE patient_id = %s", cast.achieng.patient_id)
    site.client.sign_in(people.amina, PASSWORD)
    answer = site.client.submit(f"/alerts/{alert_id}/resolution", {"reason": "expected"})
    assert answer.status_code == 303
    look(timedelta(minutes=2))
    look(timedelta(minutes=29))
    ask = "SELECT closed_as FROM alert WHERE patient_id = %s"
    assert site.rows(ask, cast.achieng.patient_id) == [("resolved",)]
    if comes:
        post(site, cast.achieng.key, [(0, {"oxygen_saturation": 96})])
        look()
    with db.transaction() as session:
        again.realarm(session, now=clock.now() + timedelta(minutes=31))
    assert site.rows(ask, cast.achieng.patient_id) == [("resolved" if comes else None,)]
