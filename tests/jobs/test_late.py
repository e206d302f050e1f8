"""Late, joined, cut and repeated: what once broke a promise, each as it was found."""

from datetime import timedelta

import pytest

from silverwatch import clock, db
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.alerts import folding, service
from silverwatch.domain.alerts.models import Alert
from silverwatch.jobs import evaluate
from tests.cast import Cast, People
from tests.conftest import Site
from tests.jobs.posting import alerts, held, judge, post

SPO2 = "oxygen_saturation"
LOW = "oxygen_saturation_low"


def count(site: Site, condition: str = "true") -> int:
    """How many alerts there are."""
    return int(site.row(f"SELECT count(*) FROM alert WHERE {condition}")[0])


def take(site: Site, people: People) -> None:
    """Somebody acknowledges the open alert."""
    account_id = site.row("SELECT id FROM account WHERE email = %s", people.amina)[0]
    with db.transaction() as session:
        alert = session.get(Alert, site.row("SELECT id FROM alert WHERE closed_at IS NULL")[0])
        assert alert is not None
        actor = Actor(account_id=account_id, role=Role.CAREGIVER, name="Amina")
        service.acknowledge(session, actor, alert, now=clock.now())


def test_a_late_spot_value_is_told_once(site: Site, cast: Cast) -> None:
    worn, end = cast.achieng, clock.now()
    post(site, worn.key, [(3600, {"temperature": 41.5})], until=end)
    judge()
    for before in range(6, 0, -1):
        post(site, worn.key, [(before, {"heart_rate": 80})], until=end)
        judge()
    assert count(site) == 1


def test_an_ended_alert_is_not_told_again_by_late_readings(site: Site, cast: Cast) -> None:
    worn, end = cast.achieng, clock.now()
    post(site, worn.key, [(600, {"temperature": 39.5})], until=end)
    judge()
    for before in range(400, 100, -50):
        post(site, worn.key, [(before, {"heart_rate": 80})], until=end)
        judge()
    post(site, worn.key, [(60, {"temperature": 37.0})], until=end)
    judge()
    before_late = count(site)
    for before in (95, 94, 93):
        post(site, worn.key, [(before, {"heart_rate": 81})], until=end)
        judge()
    assert count(site) == before_late


def test_late_readings_that_join_two_episodes_leave_one_open(site: Site, cast: Cast) -> None:
    worn, end = cast.achieng, clock.now()
    for value, start, stop in ((85, 200, 150), (97, 150, 100), (85, 100, 0)):
        post(site, worn.key, [(before, {SPO2: value}) for before in range(start, stop, -5)], until=end)
        judge()
    post(site, worn.key, [(before + 2, {SPO2: 85}) for before in range(150, 100, -5)], until=end)
    judge()
    post(site, worn.key, [(0, {SPO2: 85})], until=end)
    judge()
    assert count(site, "kind = 'judging_failed'") == 0
    assert count(site, "closed_at IS NULL") == 1


def test_a_long_refold_in_pieces_keeps_the_alert_and_who_took_it(
    site: Site, cast: Cast, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    worn, end = cast.achieng, clock.now()
    for before in range(300, 20, -20):
        post(site, worn.key, [(before, {"heart_rate": 80})], until=end)
        judge()
    post(site, worn.key, held(SPO2, 75, seconds=20), until=end)
    judge()
    take(site, people)
    monkeypatch.setattr(folding, "ROWS", 8)
    monkeypatch.setattr(folding, "CHUNK", 8)
    post(site, worn.key, [(290, {"heart_rate": 81})], until=end)
    evaluate.judge_some()
    assert count(site, "closed_at IS NULL") == 1
    judge()
    assert count(site, "closed_at IS NULL") == 1
    assert site.row("SELECT count(*) FROM acknowledgement WHERE ended_at IS NULL")[0] == 1


def test_a_reading_older_than_every_checkpoint_ends_nothing_and_forgets_nothing(
    site: Site, cast: Cast
) -> None:
    worn, end = cast.achieng, clock.now()
    first = [(600, {"temperature": 41.5}), (300, {"heart_rate": 80}), (5, {"heart_rate": 80})]
    post(site, worn.key, first, until=end)
    judge()
    post(site, worn.key, [(250, {"heart_rate": 80})], until=end)
    judge()
    assert alerts(site, worn.patient_id) == [("temperature_high", "high", True, True)]
    post(site, worn.key, [(1, {"temperature": 37.0})], until=end)
    judge()
    assert count(site, "ended_at IS NULL") == 0


def test_an_end_and_a_new_breach_in_one_post_is_an_alarm(site: Site, cast: Cast) -> None:
    worn, end = cast.achieng, clock.now()
    post(site, worn.key, held(SPO2, 75, seconds=10, ending=28, every=2), until=end)
    judge()
    calm, again = held(SPO2, 97, seconds=18, ending=9, every=1), held(SPO2, 75, seconds=6, every=1)
    post(site, worn.key, [*calm, *again], until=end)
    judge()
    assert count(site, "closed_at IS NULL AND ended_at IS NULL") == 1
    assert site.row("SELECT count(*) FROM event WHERE kind = 'AlertRaised'")[0] == 2


def test_a_second_call_for_help_is_heard_after_the_first_was_taken(
    site: Site, cast: Cast, people: People
) -> None:
    def call(seconds: float) -> None:
        at = (clock.now() - timedelta(seconds=seconds)).isoformat()
        body = {"readings": [], "events": [{"at": at, "kind": "help"}]}
        site.client.post("/api/readings/", json=body, headers={"Authorization": f"Bearer {cast.achieng.key}"})
        judge()

    call(60)
    take(site, people)
    call(50)
    assert site.row("SELECT count(*) FROM acknowledgement WHERE ended_at IS NULL")[0] == 1
    call(0)
    assert site.row("SELECT count(*) FROM acknowledgement WHERE ended_at IS NULL")[0] == 0
    assert count(site, "closed_at IS NULL") == 1
    assert site.row("SELECT count(*) FROM event WHERE kind = 'AlertRaised'")[0] == 2


def test_nul_in_a_field_or_an_address_is_no_500(site: Site, people: People) -> None:
    assert site.client.submit("/login", {"email": "a\0b@x", "password": "x" * 12}).status_code == 422
    site.client.sign_in(people.amina, "correct horse battery")
    assert site.client.get("/ward/a%00b").status_code == 404


def test_a_closed_alert_is_not_opened_beside_an_open_one_of_its_kind(site: Site, cast: Cast) -> None:
    worn, end = cast.achieng, clock.now()
    post(site, worn.key, held(SPO2, 78, seconds=20, ending=2), until=end)
    judge()
    with site.cursor() as cur:
        cur.execute("UPDATE alert SET ended_at = %s, closed_at = %s, closed_as = 'ended'", (end, end))
        # One of half an hour ago that nobody has taken: a high alarm waits to be seen.
        cur.execute(
            "INSERT INTO alert SELECT (jsonb_populate_record(a, jsonb_build_object('id', %s::uuid, 'closed_at', NULL,"
            " 'closed_as', NULL, 'run_from', a.run_from - interval '30 min',"
            " 'event_at', a.event_at - interval '30 min',"
            " 'last_at', a.last_at - interval '30 min', 'ended_at', a.ended_at - interval '30 min'))).* FROM alert a",
            (clock.new_id(),),
        )
    post(site, worn.key, [(1, {SPO2: 78}), (0, {SPO2: 78})], until=end)
    judge()
    assert count(site, "kind = 'judging_failed'") == 0
    assert count(site, f"kind = '{LOW}' AND closed_at IS NULL AND ended_at IS NULL AND live") == 1
