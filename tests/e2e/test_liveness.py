"""Silence is never shown as calm: each part behind the screen goes away once."""

import json
import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.demo import Demo
from tests.e2e.screen import Watch, board, frames_of, tile, until

pytestmark = pytest.mark.e2e

LONG_MS = 40_000


def test_a_lost_connection_is_said_and_comes_back(page: Page, demo: Demo, watch: Watch) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED", "WebSocket", "htmx:ws:error")
    demo.post(1)
    board(page, demo)
    page.context.set_offline(True)
    began = time.monotonic()
    expect(page.locator("html")).to_have_attribute("data-live", "reconnecting", timeout=LONG_MS)
    expect(page.locator("#connection")).to_contain_text("Reconnecting")
    quiet_s = time.monotonic() - began
    expect(page.get_by_role("alertdialog")).to_be_visible(timeout=LONG_MS)
    print(f"offline: reconnecting after {quiet_s:.0f} s, not live after {time.monotonic() - began:.0f} s")
    expect(page.get_by_role("alertdialog")).to_contain_text("This screen is not live")
    expect(page.get_by_role("alertdialog")).to_contain_text("The connection was lost at")
    expect(page.get_by_role("button", name="Try now")).to_be_focused()
    assert page.evaluate("document.querySelector('main').inert")
    page.keyboard.press("a")
    attempt = page.locator("#attempt").text_content() or ""
    page.get_by_role("button", name="Try now").click()
    expect(page.locator("#attempt")).not_to_have_text(attempt)
    demo.post(1, heart_rate=83)
    page.context.set_offline(False)
    expect(page.locator("#lost")).to_be_hidden(timeout=LONG_MS)
    expect(tile(page, 1).locator(".cell.hr .value")).to_have_text("83")
    expect(page.locator("html")).to_have_attribute("data-live", "live", timeout=LONG_MS)
    demo.post(1, heart_rate=84)
    expect(tile(page, 1).locator(".cell.hr .value")).to_have_text("84")


def test_without_the_bus_the_board_stays_live(page: Page, demo: Demo) -> None:
    frames, _ = frames_of(page)
    demo.post(1)
    board(page, demo)
    with demo.frozen("valkey-server"):
        until(
            page, lambda: any('"bus": false' in frame for frame in frames), within_s=30, why="no tick said it"
        )
        began = time.monotonic()
        demo.post(1, heart_rate=91)
        expect(tile(page, 1).locator(".cell.hr .value")).to_have_text("91", timeout=LONG_MS)
        print(f"without the bus: reading to screen {time.monotonic() - began:.1f} s")
        expect(page.locator("html")).to_have_attribute("data-live", "live")
        expect(page.locator("#lost")).to_be_hidden()
    frames.clear()
    until(
        page,
        lambda: any('"bus": true' in frame for frame in frames),
        within_s=30,
        why="the bus did not come back",
    )


def test_alarms_that_nobody_judges_are_not_shown_as_calm(page: Page, demo: Demo) -> None:
    frames, _ = frames_of(page)
    demo.post(1)
    board(page, demo)
    with demo.frozen("scheduler", "worker alarms"):
        demo.post(1, oxygen_saturation=70)
        began = time.monotonic()
        expect(page.get_by_role("alertdialog")).to_be_visible(timeout=LONG_MS)
        print(f"nobody judges: not live after {time.monotonic() - began:.0f} s")
        expect(page.get_by_role("alertdialog")).to_contain_text("Alarms are judged late since")
    expect(page.locator("#lost")).to_be_hidden(timeout=LONG_MS)
    expect(page).to_have_title(re.compile(r"^\(1 HIGH\)"))
    ticks = [json.loads(frame) for frame in frames if frame.startswith('{"tick"')]
    assert max(tick["judge_lag_s"] for tick in ticks) > 10


def test_a_scheduler_that_hangs_is_an_alarm_on_the_board(page: Page, demo: Demo) -> None:
    demo.post(1)
    board(page, demo)
    bar = page.locator(".alarm-bar")
    with demo.frozen("cli scheduler"):
        began = time.monotonic()
        expect(bar).to_contain_text("The scheduler does not answer", timeout=LONG_MS)
        print(f"frozen scheduler: on the bar after {time.monotonic() - began:.1f} s")
        expect(page.get_by_role("alertdialog")).to_contain_text("Alarms are judged late", timeout=LONG_MS)
    expect(bar).not_to_contain_text("The scheduler does not answer", timeout=LONG_MS)
    expect(page.locator("#lost")).to_be_hidden(timeout=LONG_MS)
