"""A set of observations by hand: what no device measures."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.demo import Demo
from tests.e2e.screen import Watch, board, tile

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


def test_a_whole_set_by_keyboard_alone(page: Page, demo: Demo) -> None:
    """In the order in which a patient is looked at, with the score beside it, and back where one came from."""
    board(page, demo)
    tile(page, 3).locator(".record").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/observations/new$"))
    page.get_by_label("Breathing rate").focus()
    keys = [
        "18",
        "Tab",
        "96",
        "Tab",
        "Space",
        "Tab",
        "Tab",
        "128",
        "Tab",
        "76",
        "Tab",
        "80",
        "Tab",
        "Space",
        "Tab",
        "37.2",
    ]
    for key in keys:
        if key in ("Tab", "Space"):
            page.keyboard.press(key)
        else:
            page.keyboard.type(key)
    preview = page.locator("#score-preview")
    expect(preview.locator(".figure")).to_have_text(re.compile("[0-9]$"))
    expect(preview.locator(".parts")).to_contain_text("typed here")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{demo.url}/ward/4b")
    expect(tile(page, 3).locator(".cell.bp .value")).to_contain_text("128/76")
    expect(tile(page, 3).locator(".device")).to_contain_text("Air")
