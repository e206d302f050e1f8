"""Keys of devices: a new one beside the old one, none any more, and for whom a gateway speaks."""

import re
from datetime import timedelta
from uuid import UUID

import pytest

from silverwatch import clock
from tests.api.posting import answer, problem, reading, send
from tests.cast import Cast, People
from tests.conftest import Site
from tests.pairing.steps import technician, words


def shown_key(page: str) -> str:
    """The key that the answer shows."""
    found = re.search(r"<code>(swd_[\w-]+)</code>", page)
    assert found
    return found[1]


def gateway_a(site: Site) -> UUID:
    """The gateway of ward A."""
    found: UUID = site.row("SELECT id FROM device WHERE serial = 'GW-A'")[0]
    return found


def self_of(site: Site, key: str) -> int:
    """What a device's question about itself is answered with."""
    return site.client.get("/api/devices/self/", headers={"Authorization": f"Bearer {key}"}).status_code


def test_the_old_key_works_beside_the_new_one_until_its_time_is_over(
    site: Site, cast: Cast, people: People
) -> None:
    tekla = technician(site, people.tekla)
    path = f"/devices/{cast.achieng.device_id}/keys"
    made = tekla.submit(path, {"overlap": "8"})
    assert made.status_code == 200
    key = shown_key(made.get_data(as_text=True))
    assert key not in words(tekla, path)
    assert f"swd_…{key[-4:]}" in words(tekla, path)
    for number, good in enumerate((cast.achieng.key, key)):
        assert answer(site, good, reading(10 + number, heart_rate=80))[0] == 1
    ends_at = site.row("SELECT ends_at FROM device_key WHERE device_id = %s AND ends_at IS NOT NULL",
                       cast.achieng.device_id)[0]  # fmt: skip
    assert timedelta(hours=7, minutes=50) < ends_at - clock.now() <= timedelta(hours=8)
    with site.cursor() as cur:
        cur.execute("UPDATE device_key SET ends_at = now() - interval '1 second' WHERE ends_at IS NOT NULL")
    problem(send(site, cast.achieng.key, reading(5, heart_rate=80)), 401)
    assert self_of(site, cast.achieng.key) == 401
    assert answer(site, key, reading(4, heart_rate=80))[0] == 1
    assert "Ended" in words(tekla, path)


def test_a_second_rotation_does_not_lengthen_the_first(site: Site, cast: Cast, people: People) -> None:
    tekla = technician(site, people.tekla)
    path = f"/devices/{cast.achieng.device_id}/keys"
    tekla.submit(path, {"overlap": "1"})
    tekla.submit(path, {"overlap": "72"})
    ends = site.rows(
        "SELECT ends_at FROM device_key WHERE device_id = %s ORDER BY created_at", cast.achieng.device_id
    )
    assert ends[0][0] - clock.now() <= timedelta(hours=1)
    assert ends[1][0] - clock.now() > timedelta(hours=71)
    assert ends[2][0] is None


@pytest.mark.parametrize("whose", ["device", "gateway"])
def test_a_revoked_key_opens_nothing_with_the_very_next_post(
    site: Site, cast: Cast, people: People, whose: str
) -> None:
    key = cast.achieng.key if whose == "device" else cast.gateway_a
    device_id = cast.achieng.device_id if whose == "device" else gateway_a(site)
    # Whatever a process may remember of a key, it remembers it now.
    for number in range(3):
        body = {"device": "SW-1", "readings": [reading(10 + number, heart_rate=80)]}
        assert send(site, key, body).status_code == 200
    tekla = technician(site, people.tekla)
    key_id = site.row("SELECT id FROM device_key WHERE device_id = %s", device_id)[0]
    assert tekla.submit(f"/devices/{device_id}/keys/revocation", {"key": str(key_id)}).status_code == 303
    problem(send(site, key, {"device": "SW-1", "readings": [reading(1, heart_rate=80)]}), 401)
    assert self_of(site, key) == 401
    assert "Revoked" in words(tekla, f"/devices/{device_id}/keys")


def test_all_keys_are_revoked_at_once(site: Site, cast: Cast, people: People) -> None:
    tekla = technician(site, people.tekla)
    path = f"/devices/{cast.achieng.device_id}/keys"
    key = shown_key(tekla.submit(path, {"overlap": "24"}).get_data(as_text=True))
    assert tekla.submit(f"{path}/revocation", {"key": "all"}).status_code == 303
    for bad in (key, cast.achieng.key):
        problem(send(site, bad, reading(1, heart_rate=80)), 401)
    # Again changes nothing.
    assert tekla.submit(f"{path}/revocation", {"key": "all"}).status_code == 303
    said = site.rows("SELECT action, detail FROM audit_entry WHERE action LIKE 'device_key.%%' ORDER BY seq")
    assert [action for action, _ in said] == ["device_key.made", "device_key.revoked"]
    assert said[1][1]["keys"] == 2
    kept = site.row("SELECT string_agg(t::text, ' ') FROM audit_entry t")[0]
    assert key not in kept


def test_only_keys_of_ones_own_devices(site: Site, cast: Cast, people: People) -> None:
    tekla = technician(site, people.tekla)
    key_id = site.row("SELECT id FROM device_key WHERE device_id = %s", cast.chebet.device_id)[0]
    theirs = f"/devices/{cast.chebet.device_id}/keys"
    assert tekla.get(theirs).status_code == 404
    assert tekla.submit(theirs, {"overlap": "24"}).status_code == 404
    assert tekla.submit(f"{theirs}/revocation", {"key": "all"}).status_code == 404
    own = f"/devices/{cast.achieng.device_id}/keys"
    assert tekla.submit(f"{own}/revocation", {"key": str(key_id)}).status_code == 404
    assert tekla.submit(f"{own}/revocation", {"key": "none"}).status_code == 422
    assert tekla.submit(own, {"overlap": "5000"}).status_code == 422
    assert send(site, cast.chebet.key, reading(1, heart_rate=80)).status_code == 200


def test_a_gateway_speaks_for_those_in_its_list_alone(site: Site, cast: Cast, people: People) -> None:
    tekla, gateway = technician(site, people.tekla), gateway_a(site)

    def said(serial: str, seconds: float) -> tuple[int, int, list[tuple[str, str]]]:
        body = {"readings": [{"device": serial, **reading(seconds, heart_rate=80)}]}
        status = 200 if serial in ("SW-1",) or not listed else 422
        return answer(site, cast.gateway_a, body, status=status)

    listed = False
    assert said("SW-1", 20)[0] == said("SW-2", 20)[0] == 1
    chosen = {"reach": "listed", "device": [str(cast.achieng.device_id)]}
    assert tekla.submit(f"/devices/{gateway}/reach", chosen).status_code == 303
    listed = True
    assert said("SW-1", 10)[0] == 1
    assert said("SW-2", 10)[2] == [("unknown_device", "/readings/0/device")]
    headers = {"Authorization": f"Bearer {cast.gateway_a}"}
    about = site.client.get("/api/devices/self/", headers=headers).get_json()["devices"]
    assert [device["serial"] for device in about] == ["SW-1"]
    assert tekla.submit(f"/devices/{gateway}/reach", {"reach": "ward"}).status_code == 303
    listed = False
    assert said("SW-2", 5)[0] == 1
    foreign = {"reach": "listed", "device": [str(cast.chebet.device_id)]}
    assert tekla.submit(f"/devices/{gateway}/reach", foreign).status_code == 404
    assert tekla.submit(f"/devices/{cast.achieng.device_id}/reach", {"reach": "ward"}).status_code == 422
