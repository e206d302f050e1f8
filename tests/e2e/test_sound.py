"""What a nurse hears, counted in oscillators."""

import re
from typing import cast

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.demo import Demo
from tests.e2e.screen import board, has, tile, until

pytestmark = pytest.mark.e2e

COUNT = """
window.pulses = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...at) { window.pulses += 1; return start.apply(this, at); };
"""
HIGH, MEDIUM = 10, 3


def pulses(page: Page) -> int:
    """How many pulses were started so far."""
    return cast(int, page.evaluate("window.pulses"))


def test_sound_is_off_until_a_click_and_says_so(page: Page, demo: Demo) -> None:
    page.add_init_script(COUNT)
    demo.post(3, calm=True, oxygen_saturation=79)
    board(page, demo)
    has(page, tile(page, 3), "high")
    toggle = page.locator("#sound-toggle")
    expect(toggle).to_have_accessible_name("Sound is off on this screen. Turn on")
    expect(toggle).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#silence")).to_be_hidden()
    assert pulses(page) == 0
    toggle.click()
    expect(toggle).to_have_accessible_name(re.compile("Sound on"))
    expect(toggle).to_have_attribute("aria-pressed", "true")
    until(page, lambda: pulses(page) >= HIGH, why="the known alarm does not sound")


def test_a_new_alarm_sounds_and_silence_is_for_known_ones(page: Page, demo: Demo) -> None:
    page.add_init_script(COUNT)
    board(page, demo)
    page.locator("#sound-toggle").click()
    expect(page.locator("#sound")).to_have_attribute("data-state", "on")
    assert pulses(page) == 0
    demo.post(3, calm=True, oxygen_saturation=79)
    until(page, lambda: pulses(page) == HIGH, why="the new alarm does not sound")
    until(page, lambda: pulses(page) == 2 * HIGH, why="the alarm does not go on")
    page.get_by_role("button", name=re.compile("^Silence")).click()
    expect(page.locator("#silence-left")).to_have_text(re.compile(r"^[12]:\d\d$"))
    page.wait_for_timeout(11_000)
    assert pulses(page) == 2 * HIGH
    demo.post(7, calm=True, oxygen_saturation=75)
    until(page, lambda: pulses(page) == 3 * HIGH, why="a new alarm does not sound while others are silenced")


def test_only_one_window_sounds(page: Page, demo: Demo) -> None:
    page.context.add_init_script(COUNT)
    board(page, demo)
    page.locator("#sound-toggle").click()
    expect(page.locator("#sound")).to_have_attribute("data-state", "on")
    other = page.context.new_page()
    other.goto(f"{demo.url}/ward/4b")
    other.locator("#sound-toggle").click()
    expect(other.locator("#sound")).to_have_attribute("data-state", "other")
    demo.post(3, calm=True, oxygen_saturation=79)
    until(page, lambda: pulses(page) >= HIGH)
    has(other, tile(other, 3), "high")
    assert pulses(other) == 0
    page.close()
    until(other, lambda: pulses(other) >= HIGH, why="the other window does not take over")
