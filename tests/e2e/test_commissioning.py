"""From a file of rows to printed labels to first readings by hand: only what a technician sees and presses.

How many devices: `SILVERWATCH_DEVICES` (3); fifty take some minutes.
"""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Open
from tests.e2e.demo import Demo
from tests.e2e.screen import sign_in

pytestmark = pytest.mark.e2e

HOW_MANY = int(os.environ.get("SILVERWATCH_DEVICES", "3"))


@pytest.fixture(autouse=True)
def _left_as_it_was(demo: Demo) -> Iterator[None]:
    """Other tests count the devices of the demo."""
    yield
    demo.rows("UPDATE device SET retired_at = now() WHERE serial LIKE 'HAND-%%' RETURNING id")


def test_devices_go_from_a_file_to_their_first_readings(demo: Demo, open_context: Open) -> None:
    page = open_context(accept_downloads=True).new_page()
    sign_in(page, demo, role="technician")
    serials = [f"HAND-{number:02}" for number in range(1, HOW_MANY + 1)]
    page.goto(f"{demo.url}/devices")
    page.get_by_role("link", name="Import CSV").click()
    rows = "\n".join(f"{serial},wearable,Ward 4B" for serial in serials)
    page.get_by_label("Or paste its rows").fill(f"serial,type,ward\n{rows}\n")
    page.get_by_role("button", name="Show the rows").click()
    expect(page.get_by_role("heading", name=f"{HOW_MANY} devices can be added")).to_be_visible()
    page.get_by_role("button", name=f"Add {HOW_MANY} devices").click()
    page.get_by_label("Number, bed or place").fill("HAND-")
    page.get_by_role("button", name="Search").click()
    labels = page.request.get(
        f"{demo.url}{page.get_by_role('link', name='Print labels').get_attribute('href')}"
    )
    assert labels.body().startswith(b"%PDF")
    begun = time.monotonic()
    for serial in serials:
        page.goto(f"{demo.url}/devices?q={serial}")
        page.get_by_role("link", name=serial, exact=True).click()
        page.get_by_role("link", name="Pair", exact=True).click()
        page.get_by_role("button", name="Make a code").click()
        code = page.locator(".signs").get_attribute("aria-label")
        key = demo.call("/api/devices/claim/", {"code": code, "serial": serial})["key"]
        expect(page.locator(".pair-word")).to_contain_text("has its key")
        reading = {"measured_at": datetime.now(UTC).isoformat(), "heart_rate": 72}
        demo.call("/api/readings/", {"readings": [reading]}, key=key)
        expect(page.locator(".pair-word")).to_contain_text("is connected")
    print(f"{HOW_MANY} devices were paired by hand in {time.monotonic() - begun:.0f} s")
    page.goto(f"{demo.url}/devices?q=HAND-")
    expect(page.locator("table.fleet tbody tr")).to_have_count(min(HOW_MANY, 50))
    expect(page.locator("table.fleet tbody")).not_to_contain_text("New")
