"""Who watches the watcher: each part that stops is missed by another one, and told on every ward's bar."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from silverwatch import clock, db
from silverwatch.domain.alerts import parts, queries
from silverwatch.domain.alerts.watch import SILENT
from silverwatch.jobs import deadman, guard, heart
from silverwatch.jobs.guard import Guard
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.jobs.posting import judge, post
from tests.jobs.test_guard import NOWHERE, ringer
from tests.unit.test_outbound import HERE, Server


@pytest.fixture
def well(site: Site) -> None:
    """Every part has just said that it lives."""
    for name in parts.EXPECTED:
        heart.beat(name)


@pytest.fixture
def outside() -> Iterator[Server]:
    """Who expects a call."""
    server = Server()
    yield server
    server.shutdown()
    server.server_close()


def watch(*, after_s: float = 0, bus: bool | None = None) -> list[parts.Part]:
    """One look of a web process or the guard."""
    with db.transaction() as session:
        return parts.watch(session, now=clock.now() + timedelta(seconds=after_s), bus=bus)


def down(found: list[parts.Part]) -> set[str]:
    """The names of those that do not work."""
    return {part.name for part in found if part.state == "down"}


def standing(site: Site) -> list[str]:
    """The kinds of the open alarms of the system."""
    rows = site.rows("SELECT kind FROM alert WHERE subject = 'system' AND closed_at IS NULL ORDER BY kind")
    return [row[0] for row in rows]


def stops(site: Site, name: str, *, ago_s: float) -> None:
    """The part has not beaten for so long."""
    site.rows(
        "UPDATE heartbeat SET at = %s WHERE name = %s RETURNING name",
        clock.now() - timedelta(seconds=ago_s),
        name,
    )


def test_a_system_that_works_has_no_alarm(site: Site, cast: Cast, well: None) -> None:
    assert down(watch(bus=True)) == set()
    assert standing(site) == []


@pytest.mark.parametrize("name", parts.EXPECTED)
def test_a_part_that_stops_is_an_alarm_until_it_works_again(
    site: Site, cast: Cast, well: None, name: str
) -> None:
    stops(site, name, ago_s=parts.EXPECTED[name] + 0.5)
    assert down(watch()) == {name}
    watch()
    assert standing(site) == [f"down_{name}"]
    heart.beat(name)
    assert down(watch()) == set()
    assert standing(site) == []
    assert site.row("SELECT closed_as FROM alert WHERE subject = 'system'")[0] == "ended"


def test_a_stop_is_told_within_ten_seconds() -> None:
    """By the numbers: three beats missed and one look later, for whatever judges and guards."""
    for name in (parts.GUARD, parts.ALARM_WORKER):
        assert parts.EXPECTED[name] + parts.BEAT_S < 10


def test_a_reading_that_nobody_judges_is_an_alarm(site: Site, cast: Cast, well: None) -> None:
    post(site, cast.achieng.key, [(0.5, {"heart_rate": 80})])
    assert down(watch()) == set()
    site.rows("UPDATE vital_state SET unjudged_since = unjudged_since - interval '8 s' RETURNING patient_id")
    assert down(watch()) == {"judging"}
    judge()
    assert down(watch()) == set()
    assert standing(site) == []


def test_the_bus_is_told_only_by_who_can_hear_it(site: Site, cast: Cast, well: None) -> None:
    assert down(watch(bus=False)) == {"bus"}
    watch()
    assert standing(site) == ["down_bus"]
    watch(bus=True)
    assert standing(site) == []


def test_a_clock_that_went_back_is_an_alarm(site: Site, cast: Cast, well: None) -> None:
    post(site, cast.achieng.key, [(0.5, {"heart_rate": 80})])
    site.rows(
        "UPDATE device_state SET last_seen_at = now() + interval '1 hour'"
        " WHERE last_seen_at IS NOT NULL RETURNING device_id"
    )
    assert down(watch()) == {"clock"}


def test_readings_have_room_for_weeks(site: Site, cast: Cast, well: None) -> None:
    with db.transaction(read_only=True) as session:
        later = parts.look(session, now=clock.now() + timedelta(weeks=7))
    assert "storage" in down(later)


def test_an_alarm_of_the_system_stands_on_the_bar_of_every_ward(
    site: Site, cast: Cast, people: People, well: None
) -> None:
    stops(site, parts.ALARM_WORKER, ago_s=60)
    watch()
    for email, slug, ward_id in (
        (people.amina, "a", cast.achieng.ward_id),
        (people.bruno, "b", cast.chebet.ward_id),
    ):
        browser = site.browser()
        browser.sign_in(email, PASSWORD)
        assert "The alarm worker does not answer" in browser.get(f"/ward/{slug}").get_data(as_text=True)
        with db.transaction(read_only=True) as session:
            counts = queries.counts(session, [ward_id], clock.now())[ward_id]
        assert counts.technical == 1


def test_a_caregiver_may_take_an_alarm_of_the_system(
    site: Site, cast: Cast, people: People, well: None
) -> None:
    stops(site, parts.LETTERS, ago_s=600)
    watch()
    alert_id = site.row("SELECT id FROM alert WHERE subject = 'system'")[0]
    site.client.sign_in(people.bruno, PASSWORD)
    answer = site.client.submit(f"/alerts/{alert_id}/acknowledgement", {"next": "/ward/b"})
    assert answer.status_code == 303
    assert site.row("SELECT count(*) FROM acknowledgement WHERE alert_id = %s", alert_id)[0] == 1


def test_after_a_jump_of_the_clock_no_device_is_called_silent(
    site: Site, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(site, cast.achieng.key, [(0.5, {"heart_rate": 80})])
    judge()
    watcher = Guard(ringer(NOWHERE))
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=1))
    watcher.tick()
    assert site.rows("SELECT kind FROM alert WHERE kind = %s", SILENT) == []
    monkeypatch.setattr(guard, "HOLD_S", 0.0)
    watcher._held_until = 0.0
    watcher.tick()
    assert len(site.rows("SELECT kind FROM alert WHERE kind = %s", SILENT)) == 1


@pytest.mark.parametrize("another_is_heard", [False, True])
def test_after_an_outage_of_everything_each_device_has_its_chance_to_send(
    site: Site, cast: Cast, another_is_heard: bool
) -> None:
    post(site, cast.achieng.key, [(0.5, {"heart_rate": 80})])
    with site.cursor() as cur:
        cur.execute("UPDATE device_state SET last_seen_at = now() - interval '5 min',"
                    " last_reading_at = now() - interval '5 min' WHERE last_seen_at IS NOT NULL")  # fmt: skip
    if another_is_heard:
        post(site, cast.baraka.key, [(0.5, {"heart_rate": 80})])
    watcher = Guard(ringer(NOWHERE))
    watcher.tick()
    # Where others were heard the server was there: this one is silent, and is told at once.
    silent = "SELECT count(*) FROM alert WHERE kind = %s"
    assert site.row(silent, SILENT) == (int(another_is_heard),)
    watcher._held_until = 0.0
    watcher.tick()
    assert site.row(silent, SILENT) == (1,)


def test_somebody_outside_is_called_only_while_everything_works(
    site: Site, cast: Cast, well: None, outside: Server
) -> None:
    url = f"{outside.url}/ping/abc"
    assert deadman.ping(url, rules=HERE)
    assert [path for path, _, _ in outside.asked] == ["/ping/abc"]
    stops(site, parts.GUARD, ago_s=60)
    assert not deadman.ping(url, rules=HERE)
    assert len(outside.asked) == 1


def test_a_database_that_is_away_makes_no_call(
    site: Site, well: None, outside: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.configure("postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert not deadman.ping(f"{outside.url}/ping", rules=HERE)
    assert outside.asked == []


def test_a_hand_on_the_clock_is_felt(monkeypatch: pytest.MonkeyPatch) -> None:
    steady, real = clock.Steady(), clock.now
    assert abs(steady.jump_s()) < 1
    monkeypatch.setattr(clock, "now", lambda: real() - timedelta(minutes=5))
    assert -301 < steady.jump_s() < -299
    assert abs(steady.jump_s()) < 1
