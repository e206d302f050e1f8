"""A device that stops is on the board and in the fleet within max(3 intervals, 30 s), on screens left alone."""

import time

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Open
from tests.e2e.demo import Demo
from tests.e2e.screen import board, sign_in, tile

pytestmark = pytest.mark.e2e

DUE_S = 30
LATER_S = 3
"""What the guard, the bus and the drawing may take besides."""


def test_a_device_that_stops_is_on_the_board_and_in_the_fleet(demo: Demo, open_context: Open) -> None:
    ward, devices = open_context().new_page(), open_context().new_page()
    board(ward, demo)
    sign_in(devices, demo, role="technician")
    devices.goto(f"{demo.url}/devices")
    row = devices.locator("tr", has_text=demo.device(9)["serial"])
    demo.post(9, calm=True)
    stopped = time.monotonic()
    expect(row).to_contain_text("Online")
    expect(tile(ward, 9)).not_to_contain_text("DEVICE OFFLINE")
    seen: dict[str, float] = {}
    while len(seen) < 2 and time.monotonic() - stopped < DUE_S + LATER_S + 10:
        if "board" not in seen and "DEVICE OFFLINE" in (tile(ward, 9).text_content() or ""):
            seen["board"] = time.monotonic() - stopped
        if "fleet" not in seen and "Offline" in (row.text_content() or ""):
            seen["fleet"] = time.monotonic() - stopped
        ward.wait_for_timeout(100)
    print(f"a device that stopped is said after {seen} s")
    assert set(seen) == {"board", "fleet"}
    assert all(DUE_S - 1 <= seconds <= DUE_S + LATER_S for seconds in seen.values()), seen
    # It is the first of the list now, and among the faults.
    expect(devices.locator("table.fleet tbody tr").first).to_contain_text(demo.device(9)["serial"])
    devices.goto(f"{demo.url}/faults")
    expect(devices.locator("table.faults tbody tr")).to_contain_text("Device offline")
    # It comes back by itself, on the list of faults too.
    demo.post(9, calm=True)
    expect(devices.locator(".fault-list")).to_contain_text("No device has a fault.")
