"""Devices for people and programs: read, added, set otherwise, retired; the rules of the pages, and no second ones."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from werkzeug.test import TestResponse

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from tests.api.calling import log_in, refusals
from tests.api.posting import problem
from tests.api.test_api_keys import ada, make
from tests.cast import Cast, People, create_device
from tests.conftest import Site
from tests.shift.ward import counted

__all__ = ["ada"]

NEW: dict[str, Any] = {"serial": "SW-900", "kind": "wearable", "ward_id": None}


class Caller:
    """Somebody who calls with a token."""

    def __init__(self, site: Site, token: str) -> None:
        self._site, self._headers = site, {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str = "", body: Any = None) -> TestResponse:
        """Ask below /api/devices/."""
        more = {} if body is None else {"json": body}
        return self._site.browser().open(f"/api/devices/{path}", method=method, headers=self._headers, **more)


@pytest.fixture
def tekla(site: Site, people: People) -> Caller:
    """A technician of ward A."""
    return Caller(site, log_in(site, people.tekla)["access"])


@pytest.fixture
def amina(site: Site, people: People) -> Caller:
    """A caregiver of ward A."""
    return Caller(site, log_in(site, people.amina)["access"])


def key(site: Site, by: Actor, *scopes: str, ward_ids: tuple[UUID, ...] = ()) -> Caller:
    """A program."""
    _, found = make(by, name="Stock", scopes=list(scopes), ward_ids=list(ward_ids))
    return Caller(site, found)


def ok(answer: TestResponse, status: int = 200) -> dict[str, Any]:
    """What it says."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.get_json()
    return found


def refused(answer: TestResponse, status: int, kind: str = "about:blank") -> list[str]:
    """Where a problem of this type points."""
    found = problem(answer, status)
    assert found["type"] == (kind if kind == "about:blank" else f"urn:silverwatch:{kind}"), found
    return [error["pointer"] for error in found["errors"]]


def serials(answer: TestResponse) -> list[str]:
    """What is listed."""
    return [found["serial"] for found in ok(answer)["results"]]


def test_devices_of_ones_wards_and_of_the_store_without_names(
    site: Site, cast: Cast, people: People, ada: Actor, tekla: Caller, amina: Caller
) -> None:
    program = key(site, ada, "devices.read", ward_ids=(cast.achieng.ward_id,))
    for caller in (tekla, amina, program):
        answer = caller("GET")
        assert sorted(serials(answer)) == ["GW-A", "GW-SITE", "SW-1", "SW-2", "SW-SPARE"]
        said = answer.get_data(as_text=True)
        assert "Achieng" not in said
        assert str(cast.achieng.patient_id) not in said
        one = ok(caller("GET", f"{cast.achieng.device_id}/"))
        assert (one["bed"], one["bed_ward"], one["is_worn"], one["state"]) == ("A1", "Ward A", True, "new")
        assert one == next(row for row in answer.get_json()["results"] if row["serial"] == "SW-1")
        for path in (f"{cast.chebet.device_id}/", f"{uuid4()}/"):
            refused(caller("GET", path), 404)


def test_who_may_not_read_devices(site: Site, cast: Cast, people: People, ada: Actor) -> None:
    patience = Caller(site, log_in(site, people.patience)["access"])
    other = key(site, ada, "devices.write", ward_ids=(cast.achieng.ward_id,))
    for path in ("", f"{cast.achieng.device_id}/", f"{cast.achieng.device_id}/maintenance/"):
        refused(patience("GET", path), 403)
        assert refusals(site)[-1][1] == "role"
        refused(other("GET", path), 403)
        assert site.browser().get(f"/api/devices/{path}").status_code == 401
    # Without a ward there is the store alone.
    assert serials(key(site, ada, "devices.read")("GET")) == ["GW-SITE"]


def test_what_narrows_the_list_and_what_cannot_be_asked(site: Site, cast: Cast, tekla: Caller) -> None:
    assert serials(tekla("GET", "?kind=patch")) == ["SW-SPARE"]
    assert serials(tekla("GET", "?state=free&search=spare")) == ["SW-SPARE"]
    assert serials(tekla("GET", "?search=%00nothing")) == []
    for query in ("state=x", "page=0", "page_size=201", "ward=a", "kind=a&kind=b"):
        refused(tekla("GET", f"?{query}"), 400)
    refused(tekla("GET", f"{cast.achieng.device_id}/?page=x"), 400)


def test_page_by_page_each_once_and_no_more_statements_for_more(
    site: Site, cast: Cast, tekla: Caller
) -> None:
    tekla("GET")
    with counted() as few:
        tekla("GET")
    with db.transaction() as session:
        for number in range(20):
            create_device(session, f"X-{number:02}", kind="wearable", ward_id=cast.achieng.ward_id)
    with counted() as many:
        assert ok(tekla("GET"))["count"] == 25
    assert len(many) == len(few)
    seen: list[str] = []
    path: str | None = "?search=x-&page_size=6"
    while path:
        answer = ok(tekla("GET", path))
        assert answer["count"] == 20
        seen += [found["serial"] for found in answer["results"]]
        path = answer["next"] and answer["next"].removeprefix("/api/devices/")
    assert seen == [f"X-{number:02}" for number in range(20)]
    assert ok(tekla("GET", "?page=99"))["results"] == []


def test_a_device_is_added_once(site: Site, cast: Cast, ada: Actor, tekla: Caller) -> None:
    made = ok(tekla("POST", "", NEW), 201)
    assert (made["interval_s"], made["sensitivity"], made["settings_version"]) == (4.0, "normal", 1)
    assert ok(tekla("POST", "", NEW)) == made
    assert ok(tekla("POST", "", {**NEW, "serial": "sw-900"}))["id"] == made["id"]
    assert refused(tekla("POST", "", {**NEW, "kind": "heart_monitor"}), 409, "serial-taken") == ["/serial"]
    # One of another ward is as taken, and nothing is said of it.
    assert refused(tekla("POST", "", {**NEW, "serial": "SW-3"}), 409, "serial-taken") == ["/serial"]
    program = key(site, ada, "devices.write", ward_ids=(cast.achieng.ward_id,))
    ok(program("POST", "", {**NEW, "serial": "SW-901", "ward_id": str(cast.achieng.ward_id)}), 201)
    rows = site.rows("SELECT account_name FROM audit_entry WHERE action = 'device.added' ORDER BY seq")
    assert rows == [("Tekla",), ("Stock",)]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({"kind": "toaster"}, "/kind"), ({"serial": " "}, "/serial"), ({"serial": "x" * 41}, "/serial"),
     ({"serial": "a\u200bb"}, "/serial"), ({"interval_s": 0}, "/interval_s"), ({"interval_s": "4"}, "/interval_s"),
     ({"interval_s": 10**400}, "/interval_s"), ({"sensitivity": "very"}, "/sensitivity"),
     ({"sample_rate_hz": -1}, "/sample_rate_hz"), ({"location": "x" * 61}, "/location"),
     ({"location": "a\u202eb"}, "/location"), ({"ward_id": "a"}, "/ward_id"),
     ({"ward_id": "01900000-0000-7000-8000-000000000000"}, "/ward_id"), ({"kind": "gateway"}, "/ward_id"),
     ({"colour": "red"}, "")],
)  # fmt: skip
def test_what_is_no_device_is_said_field_by_field(
    site: Site, cast: Cast, tekla: Caller, changes: dict[str, Any], pointer: str
) -> None:
    assert refused(tekla("POST", "", {**NEW, **changes}), 422) == [pointer]
    assert site.rows("SELECT 1 FROM device WHERE serial = 'SW-900'") == []


def test_what_is_no_json_is_refused(site: Site, cast: Cast, tekla: Caller) -> None:
    refused(tekla("POST", "", []), 422)
    refused(tekla("POST", "", {**NEW, "serial": "a\0"}), 400)
    refused(tekla("POST"), 415)
    refused(tekla("PATCH", f"{cast.spare_id}/"), 415)
    refused(tekla("POST", "", {**NEW, "ward_id": str(cast.chebet.ward_id)}), 422)


def test_a_device_is_set_otherwise_by_who_has_seen_how_it_is(site: Site, cast: Cast, tekla: Caller) -> None:
    made = ok(tekla("POST", "", NEW), 201)
    path = f"{made['id']}/"
    body = {"settings_version": 1, "interval_s": 8, "ward_id": str(cast.achieng.ward_id)}
    changed = ok(tekla("PATCH", path, body))
    assert (changed["interval_s"], changed["settings_version"], changed["ward"]) == (8.0, 2, "Ward A")
    assert changed["kind"] == "wearable"
    # Asked for again it is so already.
    assert ok(tekla("PATCH", path, body)) == changed
    stale = tekla("PATCH", path, {"settings_version": 1, "interval_s": 9})
    assert refused(stale, 409, "device-changed-meanwhile") == ["/settings_version"]
    said = tekla("PATCH", path, {"settings_version": 2, "kind": "x", "location": "x" * 61})
    assert sorted(refused(said, 422)) == ["/kind", "/location"]
    assert refused(tekla("PATCH", path, {"interval_s": 9}), 422) == [""]
    assert refused(tekla("PATCH", path, {"settings_version": 2, "serial": "x"}), 422) == [""]
    foreign = {"settings_version": 2, "ward_id": str(cast.chebet.ward_id)}
    assert refused(tekla("PATCH", path, foreign), 422) == ["/ward_id"]
    assert ok(tekla("PATCH", path, {"settings_version": 2, "ward_id": None}))["ward_id"] is None
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'device.changed'") == (2,)


def test_the_kind_of_one_that_is_worn_stays(site: Site, cast: Cast, tekla: Caller) -> None:
    body = {"settings_version": 1, "kind": "wearable"}
    refused(tekla("PATCH", f"{cast.achieng.device_id}/", body), 409, "device-not-changed")


def test_a_device_is_retired_once(site: Site, cast: Cast, tekla: Caller) -> None:
    path = f"{cast.achieng.device_id}/"
    for _ in range(2):
        assert tekla("DELETE", path).status_code == 204
    one = ok(tekla("GET", path))
    assert (one["state"], one["is_worn"]) == ("retired", False)
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'device.retired'") == (1,)
    assert "SW-1" not in serials(tekla("GET"))
    assert serials(tekla("GET", "?state=retired")) == ["SW-1"]
    body = {"settings_version": 1, "kind": "wearable"}
    refused(tekla("PATCH", path, body), 409, "device-not-changed")
    late = {"kind": "battery", "due_at": clock.now().isoformat()}
    refused(tekla("POST", f"{path}maintenance/", late), 409, "check-not-scheduled")
    # Its serial is never another one's.
    again = {**NEW, "serial": "SW-1", "ward_id": str(cast.achieng.ward_id)}
    refused(tekla("POST", "", again), 409, "serial-taken")


def test_who_may_not_keep_devices(
    site: Site, cast: Cast, people: People, ada: Actor, tekla: Caller, amina: Caller
) -> None:
    patience = Caller(site, log_in(site, people.patience)["access"])
    spare, foreign = f"{cast.spare_id}/", f"{cast.chebet.device_id}/"
    site_gateway = site.row("SELECT id FROM device WHERE serial = 'GW-SITE'")[0]
    change = {"settings_version": 1, "interval_s": 9}
    check = {"kind": "battery", "due_at": clock.now().isoformat()}
    for caller in (amina, patience, key(site, ada, "devices.read", ward_ids=(cast.achieng.ward_id,))):
        refused(caller("POST", "", NEW), 403)
        refused(caller("PATCH", spare, change), 403)
        refused(caller("DELETE", spare), 403)
        refused(caller("POST", f"{spare}maintenance/", check), 403)
    program = key(site, ada, "devices.write", ward_ids=(cast.achieng.ward_id,))
    for caller in (tekla, program):
        for path in (foreign, f"{uuid4()}/", f"{site_gateway}/"):
            refused(caller("PATCH", path, change), 404)
            refused(caller("DELETE", path), 404)
            refused(caller("POST", f"{path}maintenance/", check), 404)
    assert site.row("SELECT count(*) FROM device WHERE retired_at IS NOT NULL") == (0,)


def test_assignment_is_the_binding_by_its_newer_name(site: Site, cast: Cast, tekla: Caller) -> None:
    path = f"{cast.spare_id}/assignment/"
    number = site.row("SELECT hospital_number FROM patient WHERE id = %s", cast.achieng.patient_id)[0]
    body = {"bed": {"ward": "a", "bed": "A1"}, "hospital_number": number, "born_on": "1950-03-04"}
    wrong = tekla("PUT", path, {**body, "born_on": "1950-03-05"})
    assert refused(wrong, 422, "identity-mismatch") == ["/born_on"]
    made = ok(tekla("PUT", path, body), 201)
    assert ok(tekla("PUT", path, body)) == made
    worn = "SELECT count(*) FROM binding WHERE device_id = %s AND upper_inf(during)"
    assert site.row(worn, cast.spare_id) == (1,)
    refused(tekla("PUT", f"{cast.chebet.device_id}/assignment/", body), 404)
    for _ in range(2):
        assert tekla("DELETE", path).status_code == 204
    assert site.row(worn, cast.spare_id) == (0,)
