"""Rules about missing values: raised and ended by the clock, never by judging."""

from datetime import timedelta

from silverwatch import clock, db
from silverwatch.domain.alerts.conditions import All, AnyOf, NoData
from silverwatch.domain.alerts.house_rule import Rule
from silverwatch.domain.alerts.no_data import missing_since, watch_no_data
from tests.cast import Cast
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
