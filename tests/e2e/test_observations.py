"""A set of observations by hand: what no device measures."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.demo import Demo
from tests.e2e.screen import Watch, board, tile
from tests.e2e.test_accessible import faults

pytestmark = pytest.mark.e2e

SET = {
    "Breathing rate": "18",
    "Oxygen saturation": "95",
    "Oxygen given": "0",
    "Systolic pressure": "118",
    "Diastolic pressure": "72",
    "Heart rate": "92",
    "Temperature": "38,2",
}


def test_a_whole_set_makes_a_score(page: Page, demo: Demo) -> None:
    board(page, demo)
    badge = tile(page, 2).locator(".news")
    expect(badge).to_have_class(re.compile("partial"))
    tile(page, 2).locator(".record").click()
    expect(page).to_have_url(re.compile("/observations/new$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("OCHIENG, Peter")
    for label, value in SET.items():
        page.get_by_label(label).fill(value)
    page.get_by_label("Alert", exact=True).check()
    page.get_by_role("button", name="Save observations").click()
    expect(page).to_have_url(f"{demo.url}/ward/4b")
    expect(badge).not_to_have_class(re.compile("partial"))
    expect(badge.locator(".score")).to_have_text(re.compile(r"^\d+$"))
    expect(tile(page, 2).locator(".cell.bp .value")).to_contain_text("118/72")
    expect(tile(page, 2).locator(".cell.temp .value")).to_contain_text("38.2")
    expect(tile(page, 2).locator(".device")).to_contain_text("Air ·Alert")
    page.go_back()
    page.get_by_role("button", name="Save observations").click()
    assert len(demo.rows("SELECT 1 FROM reading WHERE source_kind <> 'device'")) <= 2


def test_a_wrong_value_loses_nothing(page: Page, demo: Demo, watch: Watch) -> None:
    watch.allow("status of 422")
    board(page, demo)
    tile(page, 2).locator(".record").click()
    for label, value in {**SET, "Heart rate": "fast", "Temperature": "382"}.items():
        page.get_by_label(label).fill(value)
    page.get_by_label("New confusion").check()
    with page.expect_response(
        lambda answer: answer.request.method == "POST" and answer.url.endswith("/observations")
    ) as answered:
        page.get_by_role("button", name="Save observations").click()
    assert answered.value.status == 422
    expect(page).to_have_title(re.compile("^Error:"))
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    summary.get_by_role("link").first.click()
    expect(page.get_by_label("Heart rate")).to_be_focused()
    expect(page.get_by_label("Heart rate")).to_have_attribute("aria-invalid", "true")
    for label, value in {**SET, "Heart rate": "fast", "Temperature": "382"}.items():
        expect(page.get_by_label(label)).to_have_value(value)
    expect(page.get_by_label("New confusion")).to_be_checked()
    assert demo.rows("SELECT count(*) FROM reading") == [(0,)]
    page.get_by_label("Heart rate").fill("92")
    page.get_by_role("button", name="Save observations").click()
    expect(summary).to_contain_text("Temp")
    page.get_by_label("Temperature").fill("38.2")
    page.get_by_role("button", name="Save observations").click()
    expect(page).to_have_url(f"{demo.url}/ward/4b")
    expect(tile(page, 2).locator(".device")).to_contain_text("Confused")


def test_nothing_entered(page: Page, demo: Demo, watch: Watch) -> None:
    watch.allow("status of 422")
    board(page, demo)
    tile(page, 2).locator(".record").click()
    page.get_by_role("button", name="Save observations").click()
    expect(page.locator(".error-summary")).to_contain_text("Enter at least one value.")


KEY_S = 0.28
"""A key by somebody who does not type for a living (Card, Moran and Newell, 1983: 0.28 s)."""
TAP_S = 0.5
"""A tap on the next key of a keypad under the thumb. A proposal, not from a source."""
LOOK_S = 1.2
"""To look at the paper or the monitor for the next value (1.35 s of thought there, rounded to what is read aloud)."""
VALUES = ("18", "96", "", "128", "76", "80", "", "37.2")
"""In the order of the form; the empty ones are choices: air, alert."""


def open_form(page: Page, bed: int) -> float:
    """The nurse opens the form from the tile; when she begins."""
    began = time.monotonic()
    tile(page, bed).locator(".record").click()
    expect(page).to_have_url(re.compile("/observations/new$"))
    expect(page.get_by_label("Breathing rate")).to_be_focused()
    return began


def saved(page: Page, demo: Demo, bed: int) -> None:
    """Back on the board, the tile shows the set."""
    expect(page).to_have_url(f"{demo.url}/ward/4b")
    expect(tile(page, bed).locator(".cell.bp .value")).to_contain_text("128/76")
    expect(tile(page, bed).locator(".device")).to_contain_text("Air")


def test_a_whole_set_by_keyboard_alone_within_30_seconds(page: Page, demo: Demo) -> None:
    """At the pace of a person, from the tile and back to it."""
    board(page, demo)
    began, keys = open_form(page, 3), 0
    for value, choice in zip(VALUES, ("", "", "a", "", "", "", "a", ""), strict=True):
        page.wait_for_timeout(LOOK_S * 1000)
        presses = [*(value or choice), *(["Enter"] if value else [])]
        for key in presses:
            page.wait_for_timeout(KEY_S * 1000)
            page.keyboard.press(key)
        keys += len(presses)
    preview = page.locator("#score-preview")
    expect(preview.locator(".figure")).to_have_text(re.compile("[0-9]$"))
    expect(preview.locator(".parts")).to_contain_text("typed here")
    page.keyboard.press("Control+Enter")
    saved(page, demo, 3)
    took = time.monotonic() - began
    print(
        f"A set by keyboard: {keys + 2} keys, {len(VALUES)} looks, {took:.1f} s from the tile and back to it."
    )
    # The presses and looks count; how fast this machine answers is printed.
    assert (keys + 2) * KEY_S + len(VALUES) * LOOK_S < 25


def test_a_whole_set_by_taps_within_30_seconds(demo: Demo, open_context: Open) -> None:
    """On a tablet: no keyboard, the keypad under the thumb, a choice goes on by itself."""
    page = open_context(viewport={"width": 820, "height": 1180}, has_touch=True, is_mobile=True).new_page()
    board(page, demo)
    began, taps = open_form(page, 4), 2
    pad = page.locator("#keypad")
    expect(pad).to_be_visible()
    expect(page.get_by_label("Breathing rate")).to_have_attribute("inputmode", "none")
    for value, choice in zip(VALUES, ("", "", "Air", "", "", "", "Alert", ""), strict=True):
        page.wait_for_timeout(LOOK_S * 1000)
        names = [*value, "Next"] if value else [choice]
        for name in names:
            page.wait_for_timeout(TAP_S * 1000)
            pad.get_by_role("button", name="decimal point" if name == "." else name, exact=True).tap()
        taps += len(names)
    pad.get_by_role("button", name="Save").tap()
    saved(page, demo, 4)
    took = time.monotonic() - began
    print(f"A set by taps: {taps} taps, {len(VALUES)} looks, {took:.1f} s from the tile and back to it.")
    assert taps * TAP_S + len(VALUES) * LOOK_S < 25


def test_what_is_typed_is_judged_at_once(page: Page, demo: Demo) -> None:
    board(page, demo)
    open_form(page, 3)
    page.keyboard.type("18")
    expect(page.locator("#look-respiratory_rate")).to_have_class(re.compile("plausible"))
    page.keyboard.press("Enter")
    page.keyboard.type("81")
    expect(page.locator("#look-oxygen_saturation")).to_contain_text("it is below the alarm limit")
    page.keyboard.press("Enter")
    page.keyboard.press("o")
    page.keyboard.type("2")
    page.get_by_label("Temperature").fill("382")
    expect(page.locator("#look-temperature")).to_contain_text("enter a number from 26.0 to 45.0")
    page.get_by_label("Temperature").fill("37")
    expect(page.locator("#look-temperature")).to_have_class(re.compile("plausible"))
    page.get_by_label("Looked again, it is right").check()
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(f"{demo.url}/ward/4b")
    newest = "SELECT confirmed FROM observation_entry ORDER BY entered_at DESC LIMIT 1"
    assert demo.rows(newest) == [(["oxygen_saturation"],)]


def test_a_saved_set_is_undone_on_the_board(page: Page, demo: Demo) -> None:
    board(page, demo)
    open_form(page, 2)
    page.get_by_label("Temperature").fill("37.4")
    page.get_by_role("button", name="Save observations").click()
    expect(tile(page, 2).locator(".cell.temp .value")).to_contain_text("37.4")
    page.locator(".saved-set").get_by_role("button", name="Undo").click()
    expect(page).to_have_url(re.compile("/observations$"))
    expect(page.locator(".is-struck s")).to_have_text("37.4")
    expect(page.locator(".saved-set")).to_have_count(0)
    page.get_by_role("link", name="Back to the ward").click()
    expect(tile(page, 2).locator(".cell.temp .value")).not_to_contain_text("37.4")


def test_the_keypad_is_accessible(page: Page, demo: Demo) -> None:
    board(page, demo)
    open_form(page, 3)
    page.locator("#keypad-toggle").click()
    page.keyboard.type("41")
    expect(page.locator("#look-respiratory_rate .option")).to_be_visible()
    for width in (1280, 820, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
            assert faults(page) == [], f"{width} {scheme}"
