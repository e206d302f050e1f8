"""The fleet of a technician: worst first, narrowed, as a file; the page of one device; how it is set and retired."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from silverwatch import clock, db
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.alerts import device_history, fleet
from silverwatch.domain.devices import service as devices
from tests.cast import PASSWORD, Cast, People, create_device
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.jobs.posting import post


@pytest.fixture
def tekla(site: Site, people: People) -> CheckedClient:
    """A technician of ward A."""
    site.client.sign_in(people.tekla, PASSWORD)
    return site.client


def page(browser: CheckedClient, path: str) -> str:
    """A page that is there."""
    answer = browser.get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def setting(**more: Any) -> dict[str, Any]:
    """The form of a device as it may be sent."""
    return {"kind": "wearable", "ward": "store", "location": "Shelf 2", "interval_s": "4", "sensitivity": "high",
            "sample_rate_hz": "", **more}  # fmt: skip


def test_a_device_that_stops_is_first_and_offline(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    post(site, cast.baraka.key, [(1, {"heart_rate": 70})])
    post(site, cast.achieng.key, [(31, {"heart_rate": 70})])
    shown = page(tekla, "/devices")
    assert shown.index("SW-1<") < shown.index("SW-SPARE<") < shown.index("SW-2<")
    assert "Offline" in shown
    assert "Bed A1" in shown
    assert cast.chebet.serial not in shown
    assert "GW-A" in shown
    assert "GW-SITE" in shown


def test_what_narrows_the_list(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    post(site, cast.baraka.key, [(1, {"heart_rate": 70})])

    def serials(query: str) -> set[str]:
        body = tekla.get(f"/devices.csv?{query}").get_data(as_text=True)
        return {line.split(",")[0] for line in body.splitlines()[1:]}

    assert serials("") == {"SW-1", "SW-2", "SW-SPARE", "GW-A", "GW-SITE"}
    assert serials("state=online") == {"SW-2"}
    assert serials("state=free") == {"SW-SPARE"}
    assert serials("type=gateway") == {"GW-A", "GW-SITE"}
    assert serials("q=a2") == {"SW-2"}
    assert serials("q=sw-s") == {"SW-SPARE"}
    assert serials("q=nothing") == set()
    assert "No devices fit this." in page(tekla, "/devices?q=nothing")


def test_the_file_has_no_formula_in_it(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    with db.transaction() as session:
        create_device(session, "=1+1", ward_id=cast.achieng.ward_id)
    assert "\r\n'=1+1," in tekla.get("/devices.csv").get_data(as_text=True)


def test_numbers_in_the_file_are_numbers(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    body = {"signal_dbm": -61, "readings": [{"measured_at": clock.now().isoformat(), "heart_rate": 70}]}
    assert (
        site.client.post(
            "/api/readings/", json=body, headers={"Authorization": f"Bearer {cast.achieng.key}"}
        ).status_code
        == 200
    )
    row = next(
        row for row in csv.DictReader(io.StringIO(tekla.get("/devices.csv").text)) if row["signal_dbm"]
    )
    assert row["signal_dbm"] == "-61"
    assert row["clock_ahead_s"] in ("", "0.0")


def test_a_serial_is_taken_in_capitals_or_not_and_has_no_hidden_sign(
    site: Site, cast: Cast, tekla: CheckedClient
) -> None:
    new = {"kind": "wearable", "ward": "store", "interval_s": "4", "sensitivity": "normal"}
    taken = tekla.submit("/devices/new", {"serial": "sw-\u200b1", **new})
    assert taken.status_code == 422
    assert "There is a device sw-1 already." in taken.get_data(as_text=True)
    assert tekla.submit("/devices/new", {"serial": "TL-\u202e7", **new}).status_code == 303
    assert site.row("SELECT count(*) FROM device WHERE serial = 'TL-7'")[0] == 1


def test_the_bars_of_a_day_come_from_readings(site: Site, cast: Cast, people: People) -> None:
    post(site, cast.achieng.key, [(60 * minute + 5, {"heart_rate": 70}) for minute in (1, 11, 21, 35, 95)])
    with db.transaction(read_only=True) as session:
        account = session.scalars(select(Account).where(Account.email == people.tekla)).one()
        technician = Actor(
            account_id=account.id,
            role=Role.TECHNICIAN,
            name="Tekla",
            ward_ids=frozenset([cast.achieng.ward_id]),
        )
        row = fleet.one(session, technician, cast.achieng.device_id, now=clock.now())
        found = fleet.last_day(session, [row], now=clock.now())[row.id]
    assert found[-4:] == ("part", "none", "part", "full")
    assert set(found[:-4]) == {"none"}


def test_a_device_is_added_changed_and_retired(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    answer = tekla.submit("/devices/new", setting(serial="SW-9", ward=str(cast.achieng.ward_id)))
    assert answer.status_code == 303
    path = answer.location
    assert "Shelf 2" in page(tekla, path)
    assert tekla.submit(f"{path}/change", setting(ward="store", interval_s="8")).status_code == 303
    shown = page(tekla, path)
    assert "interval in s: 4 → 8" in shown
    assert "ward: Ward A → Store" in shown
    assert site.row("SELECT settings_version, ward_id FROM device WHERE serial = 'SW-9'") == (2, None)
    assert tekla.submit(f"{path}/retirement").status_code == 422
    assert tekla.submit(f"{path}/retirement", {"sure": "yes"}).status_code == 303
    assert "Retired" in page(tekla, path)
    assert "SW-9" not in page(tekla, "/devices")
    assert "SW-9" in page(tekla, "/devices?state=retired")
    done = [
        row[0]
        for row in site.rows("SELECT action FROM audit_entry WHERE action LIKE 'device.%' ORDER BY seq")
    ]
    assert done == ["device.added", "device.changed", "device.retired"]


def test_a_retired_device_is_worn_by_nobody_and_its_keys_end(
    site: Site, cast: Cast, tekla: CheckedClient
) -> None:
    tekla.submit(f"/devices/{cast.achieng.device_id}/retirement", {"sure": "yes"})
    with db.transaction(read_only=True) as session:
        assert not devices.is_bound(session, cast.achieng.device_id, at=clock.now())
    answer = site.client.post(
        "/api/readings/", json={"heart_rate": 70, "measured_at": clock.now().isoformat()},
        headers={"Authorization": f"Bearer {cast.achieng.key}"},
    )  # fmt: skip
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"serial": ""}, "Enter a serial number"),
        ({"serial": "SW-3"}, "There is a device SW-3 already."),
        ({"kind": "toaster"}, "Choose a type"),
        ({"interval_s": "0"}, "Enter an interval"),
        ({"interval_s": "nan"}, "Enter an interval"),
        ({"sensitivity": "huge"}, "Choose low, normal or high."),
        ({"sample_rate_hz": "often"}, "Enter a sample rate"),
        ({"location": "x" * 61}, "Enter at most 60 characters."),
        ({"ward": "x"}, "Choose one of your wards"),
        ({"kind": "gateway"}, "Choose one of your wards"),
    ],
)
def test_what_a_device_cannot_be(cast: Cast, tekla: CheckedClient, wrong: dict[str, str], said: str) -> None:
    answer = tekla.submit("/devices/new", setting(**{"serial": "SW-9", **wrong}))
    assert answer.status_code == 422
    assert said in answer.get_data(as_text=True)


def test_another_ward_cannot_be_given_a_device(cast: Cast, tekla: CheckedClient) -> None:
    answer = tekla.submit("/devices/new", setting(serial="SW-9", ward=str(cast.chebet.ward_id)))
    assert answer.status_code == 422
    assert tekla.get(f"/devices/{cast.chebet.device_id}").status_code == 404


def test_the_gateway_of_the_site_is_the_administrators(site: Site, cast: Cast, people: People) -> None:
    gateway = site.row("SELECT id FROM device WHERE serial = 'GW-SITE'")[0]
    for email, status in ((people.tekla, 404), (people.ada, 200)):
        browser = site.browser()
        browser.sign_in(email, PASSWORD)
        assert browser.get(f"/devices/{gateway}").status_code == 200
        assert browser.get(f"/devices/{gateway}/change").status_code == status


def test_a_worn_device_keeps_its_type(cast: Cast, tekla: CheckedClient) -> None:
    answer = tekla.submit(
        f"/devices/{cast.achieng.device_id}/change", setting(ward=str(cast.achieng.ward_id))
    )
    assert answer.status_code == 422
    assert "Take it off before" in answer.get_data(as_text=True)


def test_a_paused_patient_pauses_the_device(
    site: Site, cast: Cast, people: People, tekla: CheckedClient
) -> None:
    post(site, cast.achieng.key, [(40, {"heart_rate": 70})])
    now = clock.now()
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO pause (id, scope, patient_id, reason, started_at, started_by, ends_at)"
            " SELECT %s, 'patient', %s, 'xray', %s, id, %s FROM account WHERE email = %s",
            (clock.new_id(), cast.achieng.patient_id, now, now + timedelta(hours=1), people.amina),
        )
    assert tekla.get("/devices.csv?state=paused").get_data(as_text=True).count("SW-1,paused") == 1


def test_battery_and_signal_are_kept_each_half_hour(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    now = clock.now()
    for hours, battery in ((3, 80), (2, 78), (0, 70)):
        with site.cursor() as cur:
            cur.execute(
                "UPDATE device_state SET battery = %s, signal_dbm = -60, last_seen_at = %s WHERE device_id = %s",
                (battery, now - timedelta(hours=hours), cast.achieng.device_id),
            )
        for _ in range(2):
            with db.transaction() as session:
                device_history.sample(session, now=now - timedelta(hours=hours))
    with db.transaction(read_only=True) as session:
        rows = device_history.samples(session, cast.achieng.device_id, since=now - timedelta(days=1))
    assert [row.battery for row in rows] == [80, 78, 70]
    assert "Battery now 70%, lowest 70%" in page(tekla, f"/devices/{cast.achieng.device_id}")
    with db.transaction() as session:
        device_history.tidy(session, now=now + timedelta(days=91))
        assert device_history.samples(session, cast.achieng.device_id, since=now - timedelta(days=1)) == []
