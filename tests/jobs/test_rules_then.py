"""Late readings are judged by the rules, the scale and the age of their time, whatever holds when they come."""

import random
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec.structs import replace

from silverwatch import clock, db
from silverwatch.domain.alerts import rule_book
from silverwatch.domain.alerts.house_rule import NEWS_KIND
from tests.cast import Cast
from tests.conftest import Site
from tests.jobs.posting import Steps, alerts, held, judge, post
from tests.jobs.test_rules_in_force import FAST, forget, state, write


def changed(site: Site, rule_id: UUID, at: datetime, **values: object) -> None:
    """The rule has had a second version since then."""
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO alarm_rule_version (rule_id, number, rule, changed_at) VALUES (%s, 2, %s, %s)",
            (rule_id, msgspec.json.encode(replace(FAST, **values)).decode(), at),
        )
        cur.execute("UPDATE alarm_rule SET version = 2 WHERE id = %s", (rule_id,))


def test_a_rule_that_was_changed_judges_what_came_late_as_it_was_then(site: Site, cast: Cast) -> None:
    now = clock.now()
    slower = msgspec.structs.replace(FAST.condition, bound=140)
    rule_id = write(site, FAST)
    changed(site, rule_id, now - timedelta(minutes=5), condition=slower)
    post(site, cast.achieng.key, held("heart_rate", 120, seconds=60, ending=1))
    judge()
    assert alerts(site, cast.achieng.patient_id) == []
    post(site, cast.achieng.key, held("heart_rate", 120, seconds=60, ending=600))
    judge()
    found, live, closed_as, event_at, ended_at = site.row(
        "SELECT rule_id, live, closed_as, event_at, ended_at FROM alert"
    )
    assert (found, live, closed_as) == (rule_id, False, "retrospective")
    # It ended with the first reading that the new version was asked about.
    assert event_at < now - timedelta(minutes=9) < now - timedelta(seconds=62) <= ended_at


def test_a_rule_that_is_retired_still_judges_its_own_time(site: Site, cast: Cast) -> None:
    now = clock.now()
    rule_id = write(site, FAST, retired_at=now - timedelta(minutes=5), retired_because="noise")
    for ending in (1, 600):
        post(site, cast.achieng.key, held("heart_rate", 120, seconds=60, ending=ending))
        judge()
    assert site.rows("SELECT rule_id, live FROM alert") == [(rule_id, False)]


def test_the_rules_of_the_ward_where_a_patient_lay_then(site: Site, cast: Cast) -> None:
    now = clock.now()
    write(site, FAST, ward_id=cast.achieng.ward_id)
    with site.cursor() as cur:
        moved = now - timedelta(minutes=5)
        cur.execute(
            "UPDATE stay SET during = tstzrange(lower(during), %s) WHERE patient_id = %s",
            (moved, cast.achieng.patient_id),
        )
        bed = cur.execute(
            "INSERT INTO bed (id, ward_id, label, position) VALUES (%s, %s, 'Z1', 99) RETURNING id",
            (clock.new_id(), cast.chebet.ward_id),
        ).fetchone()
        assert bed is not None
        cur.execute(
            "INSERT INTO stay (id, bed_id, patient_id, during) VALUES (%s, %s, %s, tstzrange(%s, NULL))",
            (clock.new_id(), bed[0], cast.achieng.patient_id, moved),
        )
    for ending in (1, 600):
        post(site, cast.achieng.key, held("heart_rate", 120, seconds=60, ending=ending))
        judge()
    found = site.rows("SELECT live, event_at < %s AS was_there FROM alert", now - timedelta(minutes=5))
    assert [tuple(row) for row in found] == [(False, True)]


def test_a_set_is_scored_on_the_scale_of_its_time(site: Site, cast: Cast) -> None:
    now = clock.now()
    with site.cursor() as cur:
        account = clock.new_id()
        cur.execute(
            "INSERT INTO account (id, email, role, name, created_at)"
            " VALUES (%s, 's@example.org', 'caregiver', 'S', now())",
            (account,),
        )
        cur.execute(
            "INSERT INTO scale_decision (id, patient_id, scale, account_id, decided_at, because)"
            " VALUES (%s, %s, 2, %s, %s, 'hypercapnic failure')",
            (clock.new_id(), cast.achieng.patient_id, account, now - timedelta(minutes=5)),
        )
        cur.execute("UPDATE patient SET spo2_scale = 2 WHERE id = %s", (cast.achieng.patient_id,))
    sick = {"oxygen_saturation": 90, "respiratory_rate": 22, "heart_rate": 80}
    for ending in (1, 600):
        post(site, cast.achieng.key, [(s + ending, sick) for s in range(90, -1, -5)])
        judge()
    found = site.rows("SELECT live, event_at < %s AS was_then FROM alert WHERE kind = %s",
                      now - timedelta(minutes=5), NEWS_KIND)  # fmt: skip
    assert [tuple(row) for row in found] == [(False, True)]


def test_a_set_of_before_the_16th_birthday_is_not_scored(site: Site, cast: Cast) -> None:
    now = clock.now()
    birthday = now.replace(hour=0, minute=0, second=0, microsecond=0)
    with site.cursor() as cur:
        cur.execute(
            "UPDATE patient SET born_on = %s WHERE id = %s",
            (birthday.date().replace(year=birthday.year - 16), cast.achieng.patient_id),
        )
    sick = {"oxygen_saturation": 90, "respiratory_rate": 26, "heart_rate": 80}
    for end in (now, birthday - timedelta(minutes=1)):
        post(site, cast.achieng.key, [(s, sick) for s in range(90, -1, -5)], until=end)
        judge()
    rows = site.rows("SELECT event_at FROM alert WHERE kind = %s", NEWS_KIND)
    assert [row[0] >= birthday for row in rows] == [True]


def test_whatever_the_order_of_coming_across_a_change_the_same_alarms_are_found(
    site: Site, cast: Cast
) -> None:
    end = clock.now()
    rule_id = write(site, FAST)
    changed(
        site,
        rule_id,
        end - timedelta(seconds=45),
        condition=msgspec.structs.replace(FAST.condition, bound=125),
    )
    steps: Steps = [
        *held("heart_rate", 115, seconds=40, every=5, ending=65),
        *held("heart_rate", 118, seconds=40, every=5, ending=20),
        *held("heart_rate", 130, seconds=14, every=2, ending=1),
        *held("respiratory_rate", 22, seconds=100, every=10, ending=2),
    ]

    def told(patient_id: UUID) -> list[tuple[object, ...]]:
        columns = "SELECT kind, priority, run_from, event_at, ended_at, value"
        rows = site.rows(
            f"{columns} FROM alert WHERE patient_id = %s AND closed_as IS DISTINCT FROM 'withdrawn'"
            f" UNION ALL {columns} FROM alert_episode WHERE patient_id = %s AND withdrawn_at IS NULL"
            " ORDER BY kind, event_at",
            patient_id,
            patient_id,
        )
        return [tuple(row) for row in rows]

    post(site, cast.achieng.key, sorted(steps, key=lambda step: -step[0]), until=end)
    judge()
    expected = told(cast.achieng.patient_id)
    assert len([row for row in expected if str(row[0]).startswith("rule")]) == 2
    for seed in range(8):
        chance = random.Random(seed)
        with site.cursor() as cur:
            forget(cur, cast.baraka.patient_id)
        coming = steps + chance.sample(steps, 8)
        chance.shuffle(coming)
        while coming:
            size = chance.randint(1, 10)
            post(site, cast.baraka.key, coming[:size], until=end)
            coming = coming[size:]
            if chance.random() < 0.6:
                judge()
        judge()
        assert told(cast.baraka.patient_id) == expected, seed
        assert state(site, cast.baraka.patient_id) == state(site, cast.achieng.patient_id)


def test_what_applied_when_is_one_course(site: Site, cast: Cast) -> None:
    now = clock.now()
    rule_id = write(site, FAST)
    changed(site, rule_id, now - timedelta(minutes=5), enabled=False)
    since = {cast.achieng.patient_id: now - timedelta(hours=1), cast.baraka.patient_id: now}
    with db.transaction(read_only=True) as session:
        courses = rule_book.courses_of(session, since, now=now)
        present = rule_book.rules_of(session, since, now=now)
    first, second = courses[cast.achieng.patient_id]
    assert (first[0], second[0]) == (now - timedelta(hours=1), now - timedelta(minutes=5))
    assert f"rule_{rule_id}" in first[1].groups
    assert f"rule_{rule_id}" not in second[1].groups
    assert second[1] is present[cast.baraka.patient_id] is courses[cast.baraka.patient_id][0][1]
