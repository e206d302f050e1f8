"""The checks of a device and what it measured, for people and programs."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from silverwatch import clock
from silverwatch.domain.access import Actor
from tests.api.calling import log_in
from tests.api.posting import answer, reading
from tests.api.test_api_keys import ada
from tests.cast import Cast, People
from tests.conftest import Site
from tests.fleet.test_devices_api import Caller, amina, key, ok, refused, tekla

__all__ = ["ada", "amina", "tekla"]

LOOKS = "SELECT patient_ids FROM audit_entry WHERE detail->>'view' = 'list of observations' ORDER BY seq"


def test_a_check_is_scheduled_moved_and_read(
    site: Site, cast: Cast, ada: Actor, tekla: Caller, amina: Caller
) -> None:
    path = f"{cast.spare_id}/maintenance/"
    assert ok(tekla("GET", path))["results"] == []
    due, later = ((clock.now() + timedelta(days=days)).isoformat() for days in (3, 5))
    made = ok(tekla("POST", path, {"kind": "battery", "due_at": due}), 201)
    assert (made["kind"], made["status"], made["ended_at"]) == ("battery", "scheduled", None)
    program = key(site, ada, "devices.write", "devices.read", ward_ids=(cast.achieng.ward_id,))
    moved = ok(program("POST", path, {"kind": "battery", "due_at": later}))
    assert moved["id"] == made["id"]
    assert moved["due_at"] > made["due_at"]
    ok(tekla("POST", path, {"kind": "calibration", "due_at": due}), 201)
    for caller in (tekla, amina, program):
        found = ok(caller("GET", f"{path}?page_size=1"))
        assert [row["kind"] for row in found["results"]] == ["calibration"]
        assert (found["count"], found["next"]) == (2, f"/api/devices/{path}?page=2&page_size=1")
        assert ok(caller("GET", f"{path}?page_size=1&page=2"))["results"] == [moved]
        refused(caller("GET", f"{cast.chebet.device_id}/maintenance/"), 404)
        refused(caller("GET", f"{uuid4()}/maintenance/"), 404)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({"kind": "oil"}, "/kind"), ({"due_at": "2026-11-28T10:00:00"}, "/due_at"), ({"due_at": "x"}, "/due_at"),
     ({"due_at": "9999-12-31T23:59:59-10:00"}, "/due_at"), ({"due_at": "0001-01-01T00:00:00+14:00"}, "/due_at"),
     ({"note": "x"}, "")],
)  # fmt: skip
def test_what_is_no_check_is_said(cast: Cast, tekla: Caller, changes: dict[str, Any], pointer: str) -> None:
    body = {"kind": "battery", "due_at": clock.now().isoformat(), **changes}
    assert refused(tekla("POST", f"{cast.spare_id}/maintenance/", body), 422) == [pointer]


def test_what_a_device_measured_is_for_who_may_read_its_patient(
    site: Site, cast: Cast, people: People, ada: Actor, tekla: Caller, amina: Caller
) -> None:
    sent = [reading(seconds, heart_rate=80 + seconds) for seconds in (1, 2, 3)]
    answer(site, cast.achieng.key, {"readings": sent})
    path = f"{cast.achieng.device_id}/readings/"
    program = key(site, ada, "readings.read", ward_ids=(cast.achieng.ward_id,))
    for caller in (amina, program):
        before = len(site.rows(LOOKS))
        found = ok(caller("GET", path))
        assert [row["vitals"] for row in found["results"]] == [{"heart_rate": 80 + s} for s in (1, 2, 3)]
        assert {row["patient_id"] for row in found["results"]} == {str(cast.achieng.patient_id)}
        assert site.rows(LOOKS)[before:] == [([cast.achieng.patient_id],)]
        refused(caller("GET", f"{cast.chebet.device_id}/readings/"), 404)
        refused(caller("GET", f"{uuid4()}/readings/"), 404)
    refused(tekla("GET", path), 403)
    refused(Caller(site, log_in(site, people.patience)["access"])("GET", path), 403)
    refused(key(site, ada, "devices.read", ward_ids=(cast.achieng.ward_id,))("GET", path), 403)


def test_who_left_the_ward_took_their_readings_along(
    site: Site, cast: Cast, ada: Actor, amina: Caller
) -> None:
    answer(site, cast.achieng.key, {"readings": [reading(1, heart_rate=80)]})
    with site.cursor() as cur:
        cur.execute("DELETE FROM stay WHERE patient_id = %s", (cast.achieng.patient_id,))
    found = ok(amina("GET", f"{cast.achieng.device_id}/readings/"))
    assert (found["count"], found["results"]) == (0, [])
    assert site.rows(LOOKS) == []


def test_readings_of_a_span_page_by_page(site: Site, cast: Cast, amina: Caller) -> None:
    answer(site, cast.achieng.key, {"readings": [reading(s, heart_rate=80) for s in range(1, 8)]})
    path: str | None = f"{cast.achieng.device_id}/readings/?page_size=3"
    seen: list[str] = []
    while path:
        found = ok(amina("GET", path))
        assert found["count"] == 7
        seen += [row["measured_at"] for row in found["results"]]
        # Later pages are of the same span, however long one reads.
        assert found["next"] is None or "from=" in found["next"]
        path = found["next"] and found["next"].removeprefix("/api/devices/")
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 7
    before = f"{cast.achieng.device_id}/readings/?to={seen[2]}"
    assert ok(amina("GET", before))["count"] == 4


@pytest.mark.parametrize(
    "query",
    ["from=x", "to=2026-11-28", "from=0001-01-01T00:00:00%2B14:00", "to=9999-12-31T23:59:59-10:00",
     "from=2026-11-01T00:00:00Z", "from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "page=0", "since=1"],
)  # fmt: skip
def test_a_span_that_cannot_be(cast: Cast, amina: Caller, query: str) -> None:
    refused(amina("GET", f"{cast.achieng.device_id}/readings/?{query}"), 400)
