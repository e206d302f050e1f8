"""The board without a mouse."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.demo import Demo
from tests.e2e.screen import board, has, tile

pytestmark = pytest.mark.e2e

SEEN = """() => {
  const e = document.activeElement;
  const outline = [getComputedStyle(e), getComputedStyle(e, '::after')].some(
    (style) => parseFloat(style.outlineWidth) >= 3 && style.outlineStyle !== 'none');
  return {name: e.id || e.ariaLabel || e.textContent.trim(), outline};
}"""
REACHABLE = "a[href], button, input, select, [tabindex='0']"


def test_everything_is_reached_and_the_focus_is_seen(page: Page, demo: Demo) -> None:
    demo.post(3, calm=True, oxygen_saturation=79)
    board(page, demo)
    expect(page.locator(".alarm-bar .ack")).to_be_visible()
    wanted = page.locator(REACHABLE).evaluate_all("all => all.filter((e) => e.checkVisibility()).length")
    seen = []
    for _ in range(wanted):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(SEEN))
    assert len({item["name"] for item in seen}) == wanted
    assert [item for item in seen if not item["outline"]] == []
    names = [item["name"] for item in seen]
    assert names[0] == "Skip to content"
    in_order = ["wall-link", "sound-toggle", "help-open"]
    assert [name for name in names if name in in_order] == in_order
    records = [name for name in names if name.startswith("record-")]
    assert len(records) == 12
    assert len([name for name in names if name.startswith("ack-")]) == 2


def test_skip_link(page: Page, demo: Demo) -> None:
    board(page, demo)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#main$"))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_focus_stays_when_a_tile_is_pushed(page: Page, demo: Demo) -> None:
    demo.post(8)
    board(page, demo)
    tile(page, 8).locator(".record").focus()
    demo.post(8, heart_rate=88)
    expect(tile(page, 8).locator(".cell.hr .value")).to_have_text("88")
    expect(tile(page, 8).locator(".record")).to_be_focused()


def test_keys_and_switching_them_off(page: Page, demo: Demo) -> None:
    demo.post(3, calm=True, oxygen_saturation=79)
    board(page, demo)
    has(page, tile(page, 3), "high")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.get_by_label("Use these keys").uncheck()
    page.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    for key in ("?", "s", "f", "a"):
        page.keyboard.press(key)
    expect(dialog).to_be_hidden()
    expect(page).to_have_url(f"{demo.url}/ward/4b")
    expect(page.locator("#silence-left")).to_have_text("")
    page.reload()
    page.locator("#help-open").click()
    expect(page.get_by_label("Use these keys")).not_to_be_checked()
    page.get_by_label("Use these keys").check()
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page.locator("#silence-left")).to_have_text(re.compile(r"^[12]:\d\d$"))
    assert demo.rows("SELECT count(*) FROM acknowledgement") == [(0,)]
    page.keyboard.press("a")
    has(page, tile(page, 3), "acknowledged")
    page.keyboard.press("f")
    expect(page).to_have_url(f"{demo.url}/ward/4b/wall")
    expect(page.locator(".ack")).to_have_count(0)
    assert "NJERI" not in page.content()
