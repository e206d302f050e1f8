"""A device gets its key with a one-time code, and the panel says how far it is."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from api import devices as api_devices
from silverwatch import clock
from silverwatch.domain.devices import pairing_codes
from tests.api.posting import SETTINGS, problem, reading, send
from tests.cast import Cast, People
from tests.conftest import Site
from tests.pairing.steps import claim, code_for, code_on, state_on, technician, words, wrong


@pytest.fixture
def many_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of each address has tests of its own."""
    monkeypatch.setattr(api_devices, "TRIES", api_devices.TRIES.__class__(
        name="pairing code", tries=10_000, per=timedelta(minutes=1)))  # fmt: skip


def test_from_code_to_first_reading(site: Site, cast: Cast, people: People) -> None:
    tekla = technician(site, people.tekla)
    assert "is paired already" in words(tekla, f"/devices/{cast.spare_id}/pairing")
    code, panel = code_for(tekla, cast.spare_id)
    assert state_on(tekla, panel) == "waiting"
    assert code_on(tekla, panel) == code

    answer = claim(site, code.lower().replace("-", " "), serial=cast.spare_serial)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"
    given = answer.get_json()
    assert set(given) == {"id", "serial", "key", "interval_s", "readings_url", "time"}
    assert (given["id"], given["serial"]) == (str(cast.spare_id), cast.spare_serial)
    page = words(tekla, panel)
    assert state_on(tekla, panel) == "claimed"
    assert f"{cast.spare_serial} is found and has its key." in page
    assert code not in page
    assert given["key"] not in page

    problem(send(site, cast.spare_key, reading(1, heart_rate=70)), 401)
    assert send(site, given["key"], reading(1, heart_rate=72)).status_code == 200
    page = words(tekla, panel)
    assert f"{cast.spare_serial} is connected." in page
    assert "First reading: HR 72 /min." in page


def test_the_picture_holds_a_token_that_is_worth_the_code(site: Site, cast: Cast, people: People) -> None:
    tekla = technician(site, people.tekla)
    _, panel = code_for(tekla, cast.spare_id)
    pairing_id = site.row("SELECT id FROM pairing")[0]
    token = pairing_codes.secrets_of(pairing_id, key=pairing_codes.keys_of(site.config)[0]).token
    assert token not in words(tekla, panel)
    assert claim(site, token).status_code == 201
    assert problem(claim(site, token), 409)["type"] == "urn:silverwatch:pairing-used"


def test_nothing_that_is_stored_or_audited_opens_anything(site: Site, cast: Cast, people: People) -> None:
    tekla = technician(site, people.tekla)
    code, _ = code_for(tekla, cast.spare_id)
    key = claim(site, code).get_json()["key"]
    plain = code.replace("-", "")
    for table in ("pairing", "device_key", "audit_entry", "event"):
        kept = site.row(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")[0]
        assert code not in kept
        assert plain not in kept
        assert key not in kept
    actions = site.rows(
        "SELECT action, outcome, subject FROM audit_entry WHERE action LIKE 'device.%%' ORDER BY seq"
    )
    device = f"device:{cast.spare_id}"
    assert actions == [("device.code_made", "done", device), ("device.paired", "done", device)]


def test_a_code_works_once_even_for_twenty_at_once(
    site: Site, cast: Cast, people: People, many_tries: None
) -> None:
    code, _ = code_for(technician(site, people.tekla), cast.spare_id)
    found: list[int] = []
    start = threading.Barrier(20)

    def run() -> None:
        start.wait()
        found.append(claim(site, code).status_code)

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [201] + [409] * 19
    live = "SELECT count(*) FROM device_key WHERE device_id = %s AND revoked_at IS NULL"
    assert site.row(live, cast.spare_id) == (1,)


def test_five_wrong_tries_end_a_code(site: Site, cast: Cast, people: People) -> None:
    tekla = technician(site, people.tekla)
    code, panel = code_for(tekla, cast.spare_id)
    for left in range(4, 0, -1):
        assert problem(claim(site, wrong(code)), 404)["type"] == "urn:silverwatch:pairing-wrong"
        assert f"{left} {'tries are' if left > 1 else 'try is'} left." in words(tekla, panel)
    problem(claim(site, wrong(code)), 404)
    assert state_on(tekla, panel) == "tries"
    assert problem(claim(site, code), 410)["type"] == "urn:silverwatch:pairing-ended"
    assert site.row("SELECT count(*) FROM device_key WHERE device_id = %s", cast.spare_id) == (1,)
    fresh = tekla.submit(panel)
    assert claim(site, code_on(tekla, fresh.location)).status_code == 201


def test_a_code_lives_ten_minutes(site: Site, cast: Cast, people: People) -> None:
    tekla = technician(site, people.tekla)
    code, panel = code_for(tekla, cast.spare_id)
    with site.cursor() as cur:
        cur.execute("UPDATE pairing SET expires_at = %s", (clock.now() - timedelta(seconds=1),))
    assert problem(claim(site, code), 410)["type"] == "urn:silverwatch:pairing-ended"
    page = words(tekla, panel)
    assert "This code has ended." in page
    assert code not in page


def test_a_newer_code_ends_the_one_before(site: Site, cast: Cast, people: People) -> None:
    tekla = technician(site, people.tekla)
    first, panel = code_for(tekla, cast.spare_id)
    second, _ = code_for(tekla, cast.spare_id)
    problem(claim(site, first), 410)
    assert state_on(tekla, panel) == "replaced"
    assert claim(site, second).status_code == 201


def test_an_address_may_try_ten_times(site: Site, cast: Cast, people: People) -> None:
    code, _ = code_for(technician(site, people.tekla), cast.spare_id)
    for _ in range(10):
        problem(claim(site, "ZZZ-ZZZ" if not code.startswith("ZZ") else "YYY-YYY"), 404)
    answer = claim(site, code)
    problem(answer, 429)
    assert int(answer.headers["Retry-After"]) > 0


def test_pairing_many_is_no_misuse(site: Site, cast: Cast, people: People) -> None:
    tekla = technician(site, people.tekla)
    for number in range(12):
        answer = tekla.submit("/devices/pair", {"kind": "wearable", "ward": str(cast.achieng.ward_id)})
        assert answer.status_code == 303
        assert claim(site, code_on(tekla, answer.location), serial=f"NEW-{number}").status_code == 201
    assert site.row("SELECT count(*) FROM device WHERE serial LIKE 'NEW-%%' AND ward_id = %s",
                    cast.achieng.ward_id) == (12,)  # fmt: skip


def new_code(site: Site, cast: Cast, people: People) -> tuple[Any, str, str]:
    """Browser, code and panel for a device that nobody has entered."""
    tekla = technician(site, people.tekla)
    answer = tekla.submit("/devices/pair", {"kind": "wearable", "ward": str(cast.achieng.ward_id)})
    return tekla, code_on(tekla, answer.location), answer.location


def test_a_device_that_is_paired_already_is_not_paired_again(site: Site, cast: Cast, people: People) -> None:
    tekla, code, panel = new_code(site, cast, people)
    found = problem(claim(site, code, serial=cast.achieng.serial), 409)
    assert found["type"] == "urn:silverwatch:pairing-paired"
    page = words(tekla, panel)
    assert "SW-1 is paired already." in page
    assert "It is on Ward A · A1." in page
    assert f"/devices/{cast.achieng.device_id}/pairing" in page
    assert send(site, cast.achieng.key, reading(1, heart_rate=70)).status_code == 200


def test_a_device_of_another_ward_is_not_taken_and_not_shown(site: Site, cast: Cast, people: People) -> None:
    tekla, code, panel = new_code(site, cast, people)
    found = problem(claim(site, code, serial=cast.chebet.serial), 409)
    assert found["type"] == "urn:silverwatch:pairing-elsewhere"
    page = words(tekla, panel)
    assert "B1" not in page
    assert str(cast.chebet.device_id) not in page
    assert problem(claim(site, code), 422)["errors"][0]["pointer"] == "/serial"
    assert claim(site, code, serial="SW-NEW").status_code == 201


def test_a_code_for_one_device_is_not_for_another(site: Site, cast: Cast, people: People) -> None:
    tekla = technician(site, people.tekla)
    code, panel = code_for(tekla, cast.spare_id)
    problem(claim(site, code, serial="SW-OTHER"), 409)
    assert "Another device came with this code: SW-OTHER." in words(tekla, panel)
    assert claim(site, code, serial=cast.spare_serial).status_code == 201


def test_whose_devices_they_are(site: Site, cast: Cast, people: People) -> None:
    tekla = technician(site, people.tekla)
    foreign = tekla.get(f"/devices/{cast.chebet.device_id}/pairing")
    assert foreign.status_code == 404
    assert tekla.submit(f"/devices/{cast.chebet.device_id}/pairing").status_code == 404
    gateway = site.row("SELECT id FROM device WHERE serial = 'GW-SITE'")[0]
    assert tekla.get(f"/devices/{gateway}/pairing").status_code == 404
    assert technician(site, people.ada).get(f"/devices/{gateway}/pairing").status_code == 200
    wards = {"kind": "wearable", "ward": str(cast.chebet.ward_id)}
    assert tekla.submit("/devices/pair", wards).status_code == 422


def test_a_form_that_misses_something_says_what(site: Site, cast: Cast, people: People) -> None:
    answer = technician(site, people.tekla).submit("/devices/pair", {"kind": "toaster"})
    assert answer.status_code == 422
    text = answer.get_data(as_text=True)
    assert "Choose what kind of device it is." in text
    assert "Choose the ward that gets the device." in text


def test_a_program_makes_codes_with_a_technicians_token(site: Site, cast: Cast, people: People) -> None:
    from tests.api.calling import log_in

    tokens = {who: log_in(site, who)["access"] for who in (people.tekla, people.amina)}

    def ask(who: str, serial: str) -> Any:
        headers = {"Authorization": f"Bearer {tokens[who]}"}
        return site.browser().post("/api/devices/pairing/", json={"serial": serial}, headers=headers)

    made = ask(people.tekla, cast.spare_serial)
    assert made.status_code == 201
    assert claim(site, made.get_json()["code"]).status_code == 201
    assert claim(site, ask(people.tekla, cast.spare_serial).get_json()["token"]).status_code == 201
    problem(ask(people.amina, cast.spare_serial), 403)
    theirs, none = (
        problem(ask(people.tekla, cast.chebet.serial), 404),
        problem(ask(people.tekla, "SW-NONE"), 404),
    )
    assert {**theirs, "request_id": ""} == {**none, "request_id": ""}


@pytest.mark.parametrize(
    "body",
    [{}, {"code": ""}, {"code": 7}, {"code": "x" * 101}, {"code": "ABC", "more": 1}, {"code": "ABC", "serial": ""},
     {"code": "ABC", "serial": "a\nb"}, [], "x"],
)  # fmt: skip
def test_what_does_not_fit_is_said(site: Site, body: Any) -> None:
    problem(site.client.post("/api/devices/claim/", json=body), 422)


def test_a_device_learns_when_limits_change(site: Site, cast: Cast) -> None:
    def version() -> Any:
        headers = {"Authorization": f"Bearer {cast.spare_key}"}
        return site.client.get("/api/devices/self/", headers=headers).get_json()

    first = version()
    assert set(first) == SETTINGS
    assert first["devices"] is None
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO limit_version (id, layer, ward_id, number, cells, changes, at, reason)"
            " VALUES (%s, 'ward', %s, 1, '{}', '[]', now(), 'x')",
            (clock.new_id(), cast.achieng.ward_id),
        )
    assert version()["limits_version"] == first["limits_version"] + 1
