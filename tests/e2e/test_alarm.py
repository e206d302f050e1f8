"""From a reading over HTTP to a red tile, and from one nurse's hand to the other's screen."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.demo import Demo
from tests.e2e.screen import board, has, tile, wait_live

pytestmark = pytest.mark.e2e


def test_an_alarm_comes_by_itself_and_is_taken(page: Page, demo: Demo, open_context: Open) -> None:
    demo.post(4)
    demo.post(9)
    board(page, demo)
    colleague = open_context(storage_state=page.context.storage_state()).new_page()
    colleague.goto(f"{demo.url}/ward/4b")
    wait_live(colleague)
    bed = tile(page, 4)
    expect(bed.locator(".cell.spo2 .value")).to_contain_text("97")
    page.evaluate("window.never_reloaded = true")

    began = time.monotonic()
    said_at = demo.post(4, calm=True, oxygen_saturation=78)
    has(page, bed, "high")
    print(f"reading to red tile: {time.monotonic() - began:.2f} s")
    expect(bed.locator(".status")).to_contain_text("SpO₂ 78% below 80")
    expect(bed.locator(".cell.spo2")).to_have_class(re.compile("is-high"))
    expect(page.locator(".alarm.high")).to_contain_text("Bed 4 · SpO₂ 78% below 80")
    expect(page.locator(".board-head .counts")).to_contain_text(re.compile(r"1\s+high"))
    expect(page).to_have_title(re.compile(r"^\(1 HIGH\) Ward 4B"))
    expect(page.locator("#announcer")).to_contain_text("SpO₂ 78%")
    expect(colleague).to_have_title(re.compile(r"^\(1 HIGH\)"))

    began = time.monotonic()
    page.keyboard.press("a")
    expect(tile(colleague, 4).locator(".status")).to_contain_text("✓")
    print(f"acknowledgement to the other screen: {time.monotonic() - began:.2f} s")
    expect(bed.locator(".status")).to_contain_text(re.compile(r"✓acknowledged by A\. Mwangi \d\d:\d\d"))
    for screen in (page, colleague):
        has(screen, tile(screen, 4), "acknowledged")
        expect(screen.locator(".alarm.acknowledged")).to_have_count(1)
        expect(screen).to_have_title(re.compile("^Ward 4B"))
        # Taken is not over: the alarm is still open.
        expect(screen.locator(".board-head .counts")).to_contain_text(re.compile(r"1\s+high"))
    colleague.reload()
    expect(colleague).to_have_title(re.compile("^Ward 4B"))

    demo.post(4, at=said_at, calm=True, oxygen_saturation=78)
    demo.post(9, heart_rate=77)
    expect(tile(page, 9).locator(".cell.hr .value")).to_have_text("77")
    has(page, bed, "acknowledged")
    assert demo.rows("SELECT count(*) FROM alert WHERE subject = 'patient'") == [(1,)]
    assert page.evaluate("window.never_reloaded")


def test_a_late_reading_does_not_take_the_place_of_a_new_one(page: Page, demo: Demo) -> None:
    board(page, demo)
    demo.post(2, heart_rate=81)
    expect(tile(page, 2).locator(".cell.hr .value")).to_have_text("81")
    demo.post(2, heart_rate=64, ago_s=20)
    demo.post(3, heart_rate=90)
    expect(tile(page, 3).locator(".cell.hr .value")).to_have_text("90")
    expect(tile(page, 2).locator(".cell.hr .value")).to_have_text("81")


def test_more_alarms_than_fit_begin_with_the_most_urgent(page: Page, demo: Demo) -> None:
    """The bar scrolls then: nothing of its first line may lie above its edge, where no scrolling leads."""
    page.set_viewport_size({"width": 1024, "height": 768})
    for bed in range(1, 11):
        demo.post(bed, calm=True, oxygen_saturation=78)
    board(page, demo)
    expect(page.locator(".alarm-bar .alarm")).to_have_count(10)
    above, beyond = page.evaluate(
        """() => { const bar = document.querySelector('.alarm-bar');
          const line = bar.querySelector('.alarm').getBoundingClientRect();
          return [bar.getBoundingClientRect().top - line.top, bar.scrollHeight - bar.clientHeight]; }"""
    )
    assert beyond > 0, "all of them fit: nothing was tested"
    assert above <= 0
