"""A device that says nothing, and a sensor that lies beside the patient."""

import time
from itertools import count

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.demo import Demo
from tests.e2e.screen import board, has, tile

pytestmark = pytest.mark.e2e


def test_silent_device_and_sensor_off(page: Page, demo: Demo) -> None:
    board(page, demo)
    demo.post(9, heart_rate=74, respiratory_rate=16, oxygen_saturation=97)
    expect(tile(page, 9).locator(".cell.hr .value")).to_have_text("74")
    began = time.monotonic()
    off = tile(page, 5)
    for second in count():
        demo.post(5, heart_rate=70 + second % 2, respiratory_rate=16, oxygen_saturation=0)
        page.wait_for_timeout(2000)
        if "Sensor off: SpO₂" in (off.locator(".status").text_content() or ""):
            break
        assert time.monotonic() - began < 60, off.locator(".status").text_content()
    print(f"sensor off is said after {time.monotonic() - began:.0f} s")
    assert off.get_attribute("class") == "tile low unacked"
    assert demo.rows("SELECT count(*) FROM alert WHERE vital = 'oxygen_saturation'") == [(0,)]
    expect(off.locator(".cell.spo2")).to_contain_text("Sensor off")

    silent = tile(page, 9)
    has(page, silent, "offline", timeout=45_000)
    print(f"the silent device is offline after {time.monotonic() - began:.0f} s")
    expect(silent.locator(".status")).to_contain_text("DEVICE OFFLINE since")
    for value in silent.locator(".value").all_text_contents():
        assert value == "– –"
    expect(silent.locator(".cell.hr .why")).to_contain_text("HR 74")
    expect(silent.locator(".cell.spo2 .why")).to_contain_text("97%")
    expect(page.locator(".alarm.technical", has_text="Device offline")).to_have_count(1)
    demo.post(9, heart_rate=75)
    expect(silent.locator(".cell.hr .value")).to_have_text("75")
