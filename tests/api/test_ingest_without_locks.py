"""The way without locks: whatever happens between its look and its write, the outcome is that of the locked way."""

from collections.abc import Callable
from typing import Any

import pytest

import api.ingest
from silverwatch import clock, db
from silverwatch.domain.devices import service as devices
from tests.api.posting import answer, reading, rows, send, vital_state
from tests.cast import Cast


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which ways each post took."""
    taken: list[str] = []
    for name in ("_store_lightly", "_store_locked"):
        real = getattr(api.ingest, name)

        def way(*args: Any, name: str = name, real: Callable[..., Any] = real, **named: Any) -> Any:
            taken.append(name)
            return real(*args, **named)

        monkeypatch.setattr(api.ingest, name, way)
    return taken


def between(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Once, after the look and before the write."""
    real, left = api.ingest.look, [happens]

    def look(*args: Any, **named: Any) -> Any:
        found = real(*args, **named)
        if left:
            left.pop()()
        return found

    monkeypatch.setattr(api.ingest, "look", look)


def test_a_plain_post_takes_no_lock(site: Any, cast: Cast, ways: list[str]) -> None:
    assert answer(site, cast.achieng.key, {"readings": [reading(2, heart_rate=80), reading(1, heart_rate=81)]}) == (
        2, 0, [],
    )  # fmt: skip
    assert ways == ["_store_lightly"]
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
    assert ways == ["_store_lightly", "_store_locked"]


def test_a_gateway_and_a_resend_take_them(site: Any, cast: Cast, ways: list[str]) -> None:
    body = {"device": cast.achieng.serial, "readings": [reading(1, heart_rate=80)]}
    assert answer(site, cast.gateway_a, body) == (1, 0, [])
    assert answer(site, cast.achieng.key, body) == (0, 1, [])
    assert ways == ["_store_lightly", "_store_locked"] * 2


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
    assert ways == ["_store_lightly"]
