"""A test post goes the whole way, and nothing of it stays."""

import json
from typing import Any

import pytest

from silverwatch import clock
from tests.cast import Cast
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.fleet.test_fleet import tekla as tekla
from tests.jobs.posting import post

KEPT = ("reading", "quarantine", "alert", "event", "device_event")


def counted(site: Site) -> list[int]:
    """How much there is of what a post may leave behind."""
    return [site.row(f"SELECT count(*) FROM {table}")[0] for table in KEPT]


def tried(browser: CheckedClient, device_id: Any, sent: Any, *, status: int = 200) -> str:
    """What the page says of a test."""
    text = sent if isinstance(sent, str) else json.dumps(sent)
    answer = browser.submit(f"/devices/{device_id}/trial", {"post": text})
    assert answer.status_code == status, answer.status_code
    return answer.get_data(as_text=True)


def test_what_would_become_of_it(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    post(site, cast.achieng.key, [(5, {"heart_rate": 70})])
    last_seen = "SELECT last_seen_at FROM device_state WHERE device_id = %s"
    before, seen = (
        counted(site),
        site.row("SELECT last_seen_at FROM device_state WHERE device_id = %s", cast.achieng.device_id),
    )
    now = clock.now().isoformat()
    device = cast.achieng.device_id
    assert "1 would be stored for bed A1" in tried(tekla, device, {"measured_at": now, "heart_rate": 20})
    shown = tried(tekla, device, {"readings": [{"measured_at": now, "heart_rate": 72, "temperature": 99},
                                               {"measured_at": "soon", "heart_rate": 72}],
                                  "events": [{"at": now, "kind": "fall"}]})  # fmt: skip
    assert "2 would be stored" in shown
    assert "A value that no body has" in shown
    assert "A value of the wrong kind" in shown
    assert "Nobody wore the device" in tried(tekla, cast.spare_id, {"measured_at": now, "heart_rate": 72})
    at = site.row("SELECT measured_at FROM reading")[0].isoformat()
    assert "Stored already" in tried(tekla, device, {"measured_at": at, "heart_rate": 70})
    assert counted(site) == before
    assert site.row(last_seen, device) == seen
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'device.tried'")[0] == 4


@pytest.mark.parametrize(
    "sent", ["", "{", "[]", "7", "null", '{"readings": 7}', '{"readings": [' + "{}," * 60 + "{}]}", "[" * 9000, "NaN",
             "x" * 20_001, '{"readings": []}', "\ud800", "{}"],
)  # fmt: skip
def test_what_is_no_post(site: Site, cast: Cast, tekla: CheckedClient, sent: str) -> None:
    status = 200 if sent in ('{"readings": []}', "{}") else 422
    try:
        sent.encode()
    except UnicodeEncodeError:
        sent = "\x00"
    before = counted(site)
    tried(tekla, cast.spare_id, sent, status=status)
    assert counted(site) == before


def test_only_with_ones_own_devices(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    tried(
        tekla, cast.chebet.device_id, {"measured_at": clock.now().isoformat(), "heart_rate": 72}, status=404
    )
    with site.cursor() as cur:
        cur.execute("UPDATE device SET retired_at = now() WHERE id = %s", (cast.spare_id,))
    assert "This device is retired" in tried(tekla, cast.spare_id, "{}", status=422)
