"""House rules from their rows to alerts: which apply to whom, what a change does, and that order does not matter."""

import os
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from silverwatch import clock, db
from silverwatch.domain.alerts import course, rule_book, scores
from silverwatch.domain.alerts.conditions import Value
from silverwatch.domain.alerts.house_rule import NEWS_KIND, Rule, Schedule
from silverwatch.domain.alerts.rule_book import SITE_RULES
from tests.cast import Cast
from tests.conftest import Site
from tests.jobs.posting import alerts, held, judge, post

FAST = Rule(
    name="Fast pulse", condition=Value(vital="heart_rate", operator=">", bound=100), hold_s=10, priority="low"
)


def write(site: Site, rule: Rule, **columns: object) -> UUID:
    """A rule as a row with its first version."""
    rule_id = clock.new_id()
    names = "".join(f", {name}" for name in columns)
    marks = ", %s" * len(columns)
    with site.cursor() as cur:
        cur.execute(
            f"INSERT INTO alarm_rule (id, version, created_at{names}) VALUES (%s, 1, %s{marks})".encode(),
            (rule_id, clock.now(), *columns.values()),
        )
        cur.execute(
            "INSERT INTO alarm_rule_version (rule_id, number, rule, changed_at) VALUES (%s, 1, %s, now())",
            (rule_id, msgspec.json.encode(rule).decode()),
        )
    return rule_id


def test_a_site_begins_with_the_rules_of_the_code(site: Site) -> None:
    rows = site.rows("SELECT rule_id::text, rule FROM alarm_rule_version")
    assert {row[0]: msgspec.convert(row[1], Rule) for row in rows} == SITE_RULES


def test_news_raises_from_stored_readings_and_says_so(site: Site, cast: Cast) -> None:
    post(site, cast.achieng.key, held("respiratory_rate", 26, seconds=70))
    post(site, cast.achieng.key, held("oxygen_saturation", 93, seconds=70))
    judge()
    assert alerts(site, cast.achieng.patient_id) == [("news2", "medium", True, True)]
    row = site.row('SELECT partial, value, "limit", notify, rule_id::text FROM alert')
    assert tuple(row) == (True, 5, 5, True, "01980000-0000-7000-8000-000000000501")


def test_news2_is_not_for_who_is_under_16(site: Site, cast: Cast) -> None:
    today = clock.now().date()
    born = {cast.achieng.patient_id: today.replace(year=today.year - 16) + timedelta(days=1),
            cast.baraka.patient_id: today.replace(year=today.year - 16)}  # fmt: skip
    with site.cursor() as cur:
        for patient_id, born_on in born.items():
            cur.execute("UPDATE patient SET born_on = %s WHERE id = %s", (born_on, patient_id))
    sick = {"heart_rate": 115, "respiratory_rate": 22, "oxygen_saturation": 91}
    for worn in (cast.achieng, cast.baraka):
        post(site, worn.key, [(before, sick) for before in (61, 40, 20, 1)])
    judge()
    assert [kind for kind, *_ in alerts(site, cast.achieng.patient_id)] == []
    assert [kind for kind, *_ in alerts(site, cast.baraka.patient_id)] == [NEWS_KIND]
    with db.transaction(read_only=True) as session:
        found = course.course(session, cast.achieng.patient_id, hours=4, now=clock.now())
        before = scores.scores_at(session, dict.fromkeys(born, 1), clock.now())
    assert not any(score.applies for score in found.sets)
    assert before.keys() == {cast.baraka.patient_id}


def test_a_standing_news2_alarm_ends_when_the_patient_turns_out_to_be_a_child(site: Site, cast: Cast) -> None:
    worn, end = cast.achieng, clock.now()
    sick = {"heart_rate": 115, "respiratory_rate": 22, "oxygen_saturation": 94}
    post(site, worn.key, [(before, sick) for before in (81, 60, 40, 20)], until=end)
    judge()
    assert [is_open for _, _, is_open, _ in alerts(site, worn.patient_id)] == [True]
    with site.cursor() as cur:
        cur.execute("UPDATE patient SET born_on = %s WHERE id = %s", (end.date(), worn.patient_id))
    post(site, worn.key, [(before, sick) for before in (16, 8, 0)], until=end)
    judge()
    assert [is_open for _, _, is_open, _ in alerts(site, worn.patient_id)] == [False]


@pytest.mark.parametrize("layer", ["site", "ward", "patient"])
def test_a_rule_applies_to_its_layer_alone(site: Site, cast: Cast, layer: str) -> None:
    columns = {
        "site": {},
        "ward": {"ward_id": cast.achieng.ward_id},
        "patient": {"patient_id": cast.achieng.patient_id},
    }
    rule_id = write(site, FAST, **columns[layer])
    for worn in (cast.achieng, cast.baraka, cast.chebet):
        post(site, worn.key, held("heart_rate", 110, seconds=20))
    judge()
    raised = {row[0] for row in site.rows("SELECT patient_id FROM alert WHERE kind = %s", f"rule_{rule_id}")}
    expected = {
        "site": {cast.achieng.patient_id, cast.baraka.patient_id, cast.chebet.patient_id},
        "ward": {cast.achieng.patient_id, cast.baraka.patient_id},
        "patient": {cast.achieng.patient_id},
    }
    assert raised == expected[layer]


def test_a_patients_own_rule_ends_with_the_stay(site: Site, cast: Cast) -> None:
    write(site, FAST, patient_id=cast.achieng.patient_id)
    with site.cursor() as cur:
        cur.execute(
            "UPDATE alarm_rule SET created_at = now() - interval '5 days' WHERE patient_id IS NOT NULL"
        )
    post(site, cast.achieng.key, held("heart_rate", 110, seconds=20))
    judge()
    assert alerts(site, cast.achieng.patient_id) == []


def test_an_alarm_of_a_retired_rule_ends_with_the_next_reading(site: Site, cast: Cast) -> None:
    write(site, FAST)
    end = clock.now()
    post(site, cast.achieng.key, held("heart_rate", 110, seconds=20, ending=5), until=end)
    judge()
    assert [row[2] for row in alerts(site, cast.achieng.patient_id)] == [True]
    with site.cursor() as cur:
        cur.execute(
            "UPDATE alarm_rule SET retired_at = now(), retired_because = 'noise' WHERE created_at > %s",
            (end,),
        )
        cur.execute("UPDATE alarm_rule SET retired_at = now(), retired_because = 'noise'")
    post(site, cast.achieng.key, [(1, {"heart_rate": 110})], until=end)
    judge()
    assert [row[2] for row in alerts(site, cast.achieng.patient_id)] == [True]  # measured before that
    post(site, cast.achieng.key, [(0, {"heart_rate": 110})])
    judge()
    assert [row[2] for row in alerts(site, cast.achieng.patient_id)] == [False]


def test_a_rule_of_the_night_holds_by_the_clock_of_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    zone = clock.ZoneInfo("Europe/London")
    night = Schedule(21 * 60, 7 * 60)
    summer, winter = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    for midnight, ahead in ((summer, 1), (winter, 0)):
        hours = [h for h in range(24) if night.holds(midnight + timedelta(hours=h), zone)]
        assert hours == [h for h in range(24) if (h + ahead) % 24 >= 21 or (h + ahead) % 24 < 7]
    noon = Schedule(12 * 60, 13 * 60)
    assert noon.holds(datetime(2026, 12, 1, 12, 59, tzinfo=UTC), zone)
    assert not noon.holds(datetime(2026, 12, 1, 13, 0, tzinfo=UTC), zone)


EXAMPLES = int(os.environ.get("SILVERWATCH_ORDERS", "8"))
"""So many shuffles; 1,000 for the proof of the release."""


def state(site: Site, patient_id: UUID) -> list[tuple[Any, ...]]:
    """What stands for a patient, and what has ended."""
    rows = site.rows(
        'SELECT kind, priority, run_from, event_at, value, "limit", ended_at IS NULL FROM alert'
        " WHERE patient_id = %s AND closed_at IS NULL AND ended_at IS NULL ORDER BY kind",
        patient_id,
    )
    return [tuple(row) for row in rows]


def test_whatever_the_order_the_same_alarms_stand(site: Site, cast: Cast) -> None:
    """The same readings, shuffled, cut into posts, some twice, judged in between, for NEWS2 and rules too."""
    write(site, FAST)
    end = clock.now()
    steps = [
        *held("respiratory_rate", 26, seconds=100, every=10, ending=2),
        *held("oxygen_saturation", 92, seconds=100, every=10, ending=4),
        *held("heart_rate", 115, seconds=40, every=8, ending=60),
        *held("heart_rate", 85, seconds=16, every=4, ending=40),
        *held("heart_rate", 118, seconds=30, every=6, ending=1),
        (50.0, {"systolic_bp": 95, "temperature": 38.4}),
    ]
    with db.transaction(read_only=True) as session:
        rules = rule_book.rules_of(session, [cast.achieng.patient_id, cast.baraka.patient_id], now=end)
    assert rules[cast.achieng.patient_id] is rules[cast.baraka.patient_id]
    post(site, cast.achieng.key, sorted(steps, key=lambda step: -step[0]), until=end)
    judge()
    expected = state(site, cast.achieng.patient_id)
    assert {row[0] for row in expected} >= {"news2"}
    assert len(expected) == 2
    for seed in range(EXAMPLES):
        chance = random.Random(seed)
        with site.cursor() as cur:
            forget(cur, cast.baraka.patient_id)
        shuffled = steps + chance.sample(steps, 10)
        chance.shuffle(shuffled)
        while shuffled:
            size = chance.randint(1, 12)
            post(site, cast.baraka.key, shuffled[:size], until=end)
            shuffled = shuffled[size:]
            if chance.random() < 0.6:
                judge()
        judge()
        assert state(site, cast.baraka.patient_id) == expected, seed


def forget(cur: Any, patient_id: UUID) -> None:
    """As if nothing had ever come about this patient."""
    for table in ("alert_episode", "alert", "checkpoint", "reading"):
        cur.execute(f"DELETE FROM {table} WHERE patient_id = %s".encode(), (patient_id,))
    cur.execute(
        "UPDATE judge_state SET checkpoint = '{}', checkpoint_at = NULL, news = '{}' WHERE patient_id = %s",
        (patient_id,),
    )
    cur.execute(
        "UPDATE vital_state SET latest = '{}', off = '{}', seq = 0, evaluated_seq = 0, unjudged_since = NULL,"
        " unjudged_from = NULL WHERE patient_id = %s",
        (patient_id,),
    )
