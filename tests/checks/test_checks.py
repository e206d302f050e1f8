"""Checks of devices: scheduled, done, scheduled again; what is overdue is flagged and told."""

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from silverwatch import clock, db
from silverwatch.domain.devices import check_list
from silverwatch.jobs import remind
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.jobs.posting import post


@pytest.fixture
def tekla(site: Site, people: People) -> CheckedClient:
    """A technician of ward A."""
    site.client.sign_in(people.tekla, PASSWORD)
    return site.client


def words(browser: CheckedClient, path: str) -> str:
    """A page that is there."""
    answer = browser.get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def day(days: int) -> str:
    """A day from today."""
    return (clock.now() + timedelta(days=days)).date().isoformat()


def schedule(browser: CheckedClient, device_id: UUID, *, kind: str = "calibration", days: int) -> None:
    """Schedule a check by its form."""
    answer = browser.submit(f"/devices/{device_id}/checks", {"kind": kind, "day": day(days)})
    assert answer.status_code == 303, answer.get_data(as_text=True)


def open_check(site: Site, device_id: UUID, kind: str = "calibration") -> Any:
    """Id, status and days until the open check of that kind."""
    query = (
        "SELECT id, status, round(extract(epoch FROM due_at - now()) / 86400) FROM device_check"
        " WHERE device_id = %s AND kind = %s AND ended_at IS NULL"
    )
    return site.row(query, device_id, kind)


@pytest.mark.parametrize(
    ("kind", "days"), [("calibration", 90), ("battery", 180), ("firmware", 365), ("hardware", 120)]
)
def test_what_passed_schedules_the_next(
    site: Site, cast: Cast, tekla: CheckedClient, kind: str, days: int
) -> None:
    device = cast.spare_id
    schedule(tekla, device, kind=kind, days=2)
    check_id, status, _ = open_check(site, device, kind)
    assert status == "scheduled"
    assert tekla.submit(f"/checks/{check_id}/start").status_code == 303
    assert "Tekla is at it" in words(tekla, "/checks")
    result = {"result": "completed", "before": "SpO2 94 %", "after": "97 %", "note": "With the reference"}
    assert tekla.submit(f"/checks/{check_id}/result", result).status_code == 303
    assert open_check(site, device, kind)[1:] == ("scheduled", days)
    shown = words(tekla, f"/devices/{device}/checks")
    assert "SpO2 94 % → 97 %" in shown
    assert "With the reference" in shown
    # A second answer to the same form changes nothing.
    assert tekla.submit(f"/checks/{check_id}/result", result).status_code == 422
    assert site.row("SELECT count(*) FROM device_check WHERE device_id = %s", device) == (2,)
    said = site.rows("SELECT action FROM audit_entry WHERE action LIKE 'check.%%' ORDER BY seq")
    assert [row[0] for row in said] == ["check.scheduled", "check.started", "check.completed"]


def test_what_failed_stays_due(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    post(site, cast.achieng.key, [(1, {"heart_rate": 70})])
    schedule(tekla, cast.achieng.device_id, days=-3)
    assert "Check due" in words(tekla, f"/devices/{cast.achieng.device_id}")
    assert "Calibration" in words(tekla, "/devices?state=check-due")
    check_id = open_check(site, cast.achieng.device_id)[0]
    assert tekla.submit(f"/checks/{check_id}/result", {"result": "failed"}).status_code == 303
    following, status, days = open_check(site, cast.achieng.device_id)
    assert (status, days) == ("scheduled", -3)
    assert "SW-1" in words(tekla, "/devices?state=check-due")
    assert tekla.submit(f"/checks/{following}/result", {"result": "completed"}).status_code == 303
    assert "Online" in words(tekla, f"/devices/{cast.achieng.device_id}")


def test_one_of_a_kind_is_open_and_can_be_moved(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    schedule(tekla, cast.spare_id, days=2)
    schedule(tekla, cast.spare_id, days=20)
    schedule(tekla, cast.spare_id, kind="battery", days=5)
    assert site.row("SELECT count(*) FROM device_check") == (2,)
    assert 19 <= open_check(site, cast.spare_id)[2] <= 21


@pytest.mark.parametrize(
    "sent", [{}, {"kind": "toast", "day": "2027-01-01"}, {"kind": "battery", "day": "soon"},
             {"kind": "battery", "day": "9999-12-31"}, {"kind": "battery", "day": "0001-01-01"}],
)  # fmt: skip
def test_a_form_that_misses_something(
    site: Site, cast: Cast, tekla: CheckedClient, sent: dict[str, str]
) -> None:
    answer = tekla.submit(f"/devices/{cast.spare_id}/checks", sent)
    assert answer.status_code == (303 if sent.get("day") == "0001-01-01" else 422)


def test_results_that_do_not_fit(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    schedule(tekla, cast.spare_id, days=1)
    check_id = open_check(site, cast.spare_id)[0]
    assert tekla.submit(f"/checks/{check_id}/result").status_code == 422
    answer = tekla.submit(f"/checks/{check_id}/result", {"result": "completed", "before": "x" * 121})
    assert answer.status_code == 422
    assert "Enter at most 120 characters." in answer.get_data(as_text=True)


def test_every_device_gets_a_date(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    assert "devices have no date for their calibration" in words(tekla, "/checks")
    assert tekla.submit("/checks/missing").status_code == 303
    serials = {
        row[0] for row in site.rows("SELECT serial FROM device_check JOIN device d ON d.id = device_id")
    }
    # Not those of ward B, nor the gateway of the whole site, which is an administrator's.
    assert serials == {"SW-1", "SW-2", "SW-SPARE", "GW-A"}
    assert "no date for" not in words(tekla, "/checks")
    tekla.submit("/checks/missing")
    assert site.row("SELECT count(*) FROM device_check") == (4,)


def test_the_site_says_how_many_days(site: Site, cast: Cast, people: People) -> None:
    ada = site.browser()
    ada.sign_in(people.ada, PASSWORD)
    days = {"calibration": "30", "battery": "180", "firmware": "365", "hardware": "120"}
    assert ada.submit("/admin/settings/checks", days).status_code == 303
    assert 'value="30"' in words(ada, "/admin/settings/checks")
    assert ada.submit("/admin/settings/checks", {**days, "battery": "0"}).status_code == 422
    assert ada.submit("/admin/settings/checks", {**days, "battery": "x"}).status_code == 422
    schedule(ada, cast.spare_id, days=0)
    ada.submit(f"/checks/{open_check(site, cast.spare_id)[0]}/result", {"result": "completed"})
    assert open_check(site, cast.spare_id)[2] == 30


def test_readings_past_the_calibration_are_flagged(
    site: Site, cast: Cast, people: People, tekla: CheckedClient
) -> None:
    worn = cast.achieng
    post(site, worn.key, [(7200, {"heart_rate": 70}), (600, {"heart_rate": 71}), (1, {"heart_rate": 72})])
    amina = site.browser()
    amina.sign_in(people.amina, PASSWORD)
    path = f"/patients/{worn.patient_id}"
    assert "calibration overdue" not in words(amina, path)
    schedule(tekla, worn.device_id, days=5)
    assert "calibration overdue" not in words(amina, path)
    with site.cursor() as cur:
        cur.execute("UPDATE device_check SET due_at = now() - interval '1 hour'")
    for shown in (words(amina, path), words(amina, f"{path}/latest")):
        assert "<b>SW-1</b> calibration overdue since" in shown

    def flagged() -> list[str]:
        rows = list(csv.DictReader(io.StringIO(amina.get(f"{path}/trends.csv?h=4").get_data(as_text=True))))
        return [row["calibration_overdue"] for row in rows]

    assert flagged() == ["", "SW-1", "SW-1"]
    # Done: the present is right again, and what came in between stays flagged.
    check_id = open_check(site, worn.device_id)[0]
    assert tekla.submit(f"/checks/{check_id}/result", {"result": "completed"}).status_code == 303
    assert "calibration overdue" not in words(amina, path)
    assert flagged() == ["", "SW-1", "SW-1"]
    # Nobody else's.
    now = clock.now()
    with db.transaction(read_only=True) as session:
        assert check_list.overdue_calibrations(session, [cast.baraka.patient_id], since=now, until=now) == {}


def test_technicians_are_told_once(site: Site, cast: Cast, people: People, tekla: CheckedClient) -> None:
    schedule(tekla, cast.achieng.device_id, days=3)
    schedule(tekla, cast.baraka.device_id, kind="battery", days=-1)
    schedule(tekla, cast.spare_id, days=40)
    remind.checks()
    letters = site.rows("SELECT address, subject, body FROM letter")
    assert [(row[0], row[1]) for row in letters] == [
        (people.tekla, "Silver Watch: 2 checks of devices are due")
    ]
    body = letters[0][2]
    assert "SW-1, SW-2" in body
    assert "/checks" in body
    assert "Achieng" not in body
    remind.checks()
    assert len(site.rows("SELECT 1 FROM letter")) == 1
    # Moved, it is told again.
    schedule(tekla, cast.achieng.device_id, days=4)
    remind.checks()
    assert len(site.rows("SELECT 1 FROM letter")) == 2


def test_whose_checks(site: Site, cast: Cast, people: People, tekla: CheckedClient) -> None:
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO device_check (id, device_id, kind, due_at, added_at, added_by)"
            " SELECT %s, %s, 'battery', now(), now(), id FROM account LIMIT 1",
            (clock.new_id(), cast.chebet.device_id),
        )
    check_id = open_check(site, cast.chebet.device_id, "battery")[0]
    assert cast.chebet.serial not in words(tekla, "/checks")
    for path in (f"/checks/{check_id}", f"/devices/{cast.chebet.device_id}/checks"):
        assert tekla.get(path).status_code == 404
    assert tekla.submit(f"/checks/{check_id}/result", {"result": "completed"}).status_code == 404
    assert (
        tekla.submit(
            f"/devices/{cast.chebet.device_id}/checks", {"kind": "battery", "day": day(1)}
        ).status_code
        == 404
    )
