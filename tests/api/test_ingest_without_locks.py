"""The way without locks: whatever happens between its look and its write, the outcome is that of the locked way."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import api.ingest
from api import schemas
from api.together import Together
from silverwatch import clock, db
from silverwatch.domain.devices import service as devices
from silverwatch.domain.readings import store
from silverwatch.domain.readings.intake import Batch
from silverwatch.domain.readings.plain import KeyedPost, store_plain
from tests.api.posting import answer, reading, rows, send, vital_state
from tests.cast import Cast


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which ways each post took."""
    taken: list[str] = []
    for name in ("store_plain", "_store_locked"):
        real = getattr(api.ingest, name)

        def way(*args: Any, name: str = name, real: Callable[..., Any] = real, **named: Any) -> Any:
            taken.append(name)
            return real(*args, **named)

        monkeypatch.setattr(api.ingest, name, way)
    return taken


def between(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Once, after the look and before the write."""
    real, left = store.look, [happens]

    def look(*args: Any, **named: Any) -> Any:
        found = real(*args, **named)
        if left:
            # As in another process, which has a turn of its own.
            ours, api.ingest._plain = api.ingest._plain, Together(api.ingest._store_plain)
            left.pop()()
            api.ingest._plain = ours
        return found

    monkeypatch.setattr(store, "look", look)


def keyed(key: str, item: dict[str, Any]) -> KeyedPost:
    """A post as `store_plain` takes it."""
    return KeyedPost(devices.key_hash(key), lambda: schemas.parse(json.dumps(item).encode()).batch)


def test_a_plain_post_takes_no_lock(site: Any, cast: Cast, ways: list[str]) -> None:
    assert answer(site, cast.achieng.key, {"readings": [reading(2, heart_rate=80), reading(1, heart_rate=81)]}) == (
        2, 0, [],
    )  # fmt: skip
    assert ways == ["store_plain"]
    assert vital_state(site, cast.achieng.patient_id)["seq"] == 2


@pytest.mark.parametrize(
    "body",
    [
        {"readings": [reading(1, heart_rate=400)]},
        {"readings": [], "events": [{"at": clock.now().isoformat(), "kind": "fall"}]},
    ],
)
def test_what_is_more_than_readings_takes_them(
    site: Any, cast: Cast, ways: list[str], body: dict[str, Any]
) -> None:
    send(site, cast.achieng.key, body)
    assert ways == ["store_plain", "_store_locked"]


def test_a_gateway_and_a_resend_take_them(site: Any, cast: Cast, ways: list[str]) -> None:
    body = {"device": cast.achieng.serial, "readings": [reading(1, heart_rate=80)]}
    assert answer(site, cast.gateway_a, body) == (1, 0, [])
    assert answer(site, cast.achieng.key, body) == (0, 1, [])
    assert ways == ["store_plain", "_store_locked"] * 2


def test_another_post_of_the_patient_in_between_is_not_overwritten(
    site: Any, cast: Cast, ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = {"device": cast.achieng.serial, "readings": [reading(1, oxygen_saturation=91)]}
    between(monkeypatch, lambda: send(site, cast.gateway_a, gateway))
    assert answer(site, cast.achieng.key, {"readings": [reading(2, heart_rate=80)]}) == (1, 0, [])
    state = vital_state(site, cast.achieng.patient_id)
    assert state["seq"] == 2
    assert state["latest"].keys() == {"heart_rate", "oxygen_saturation"}
    assert ways[-1] == "_store_locked"


def test_the_same_reading_in_between_is_stored_once(
    site: Any, cast: Cast, ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"readings": [reading(1, heart_rate=80)]}
    gateway = {"device": cast.achieng.serial, **body}
    between(monkeypatch, lambda: send(site, cast.gateway_a, gateway))
    assert answer(site, cast.achieng.key, body) == (0, 1, [])
    assert rows(site, "SELECT count(*) FROM reading") == [1]


def test_a_device_that_changes_its_patient_in_between_speaks_about_the_new_one(
    site: Any, cast: Cast, ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = clock.now()

    def change() -> None:
        with db.transaction() as session:
            devices.unbind(session, device_id=cast.achieng.device_id, at=moment)
            devices.bind(
                session, device_id=cast.achieng.device_id, patient_id=cast.baraka.patient_id, start=moment
            )

    with db.transaction() as session:
        # One device a kind and patient: hers goes away first.
        devices.unbind(session, device_id=cast.baraka.device_id, at=moment)
    between(monkeypatch, change)
    assert answer(site, cast.achieng.key, {"readings": [reading(clock.now(), heart_rate=80)]}) == (1, 0, [])
    assert rows(site, "SELECT patient_id FROM reading") == [cast.baraka.patient_id]


def test_a_key_that_is_revoked_stores_nothing(site: Any, cast: Cast, ways: list[str]) -> None:
    with site.cursor() as cur:
        cur.execute("UPDATE device_key SET revoked_at = now()")
    assert send(site, cast.achieng.key, {"readings": [reading(1, heart_rate=80)]}).status_code == 401
    assert rows(site, "SELECT count(*) FROM reading") == [0]


def test_what_somebody_holds_is_not_waited_for_by_the_others(site: Any, cast: Cast, ways: list[str]) -> None:
    """Judging holds a patient: whoever posts about her waits by himself, and nobody with him."""
    posts = [keyed(person.key, reading(1, heart_rate=80)) for person in (cast.achieng, cast.baraka)]
    with site.cursor() as held, db.alone() as cur:
        held.execute("SELECT 1 FROM vital_state WHERE patient_id = %s FOR UPDATE", (cast.achieng.patient_id,))
        outcomes = store_plain(cur, posts, received_at=clock.now())
    assert [outcome and outcome.stored for outcome in outcomes] == [None, 1]
    assert rows(site, "SELECT patient_id FROM reading") == [cast.baraka.patient_id]


def test_two_posts_about_one_patient_do_not_hide_each_other(site: Any, cast: Cast) -> None:
    post, other = (keyed(cast.achieng.key, reading(each, heart_rate=80)) for each in (1, 2))
    with db.alone() as cur:
        outcomes = store_plain(cur, [post, other], received_at=clock.now())
    assert [outcome and outcome.stored for outcome in outcomes] == [1, None]


def test_a_bad_body_does_not_spoil_its_neighbours(site: Any, cast: Cast) -> None:
    def unreadable() -> Batch:
        raise ValueError

    bad = KeyedPost(devices.key_hash(cast.achieng.key), unreadable)
    strange, good = (keyed(key, reading(1, heart_rate=80)) for key in ("swd_nobody", cast.baraka.key))
    with db.alone() as cur:
        outcomes = store_plain(cur, [bad, strange, good], received_at=clock.now())
    assert [outcome and outcome.stored for outcome in outcomes] == [None, None, 1]


def test_many_at_once_are_each_answered_once(site: Any, cast: Cast, ways: list[str]) -> None:
    """Posts of three patients from twelve threads: every reading is stored once, whichever run it was in."""
    people = (cast.achieng, cast.baraka, cast.chebet)

    def post(number: int) -> tuple[int, int, list[Any]]:
        body = {"readings": [reading(300 - number, heart_rate=60 + number)]}
        return answer(site, people[number % 3].key, body)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(post, range(240)))
    assert answers == [(1, 0, [])] * 240
    assert rows(site, "SELECT count(*) FROM reading") == [240]
    assert sum(vital_state(site, person.patient_id)["seq"] for person in people) == 240
