"""A browser without JavaScript is slower, not blind."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Open
from tests.e2e.demo import Demo
from tests.e2e.screen import sign_in, tile, until

pytestmark = pytest.mark.e2e


def test_the_board_works_without_javascript(demo: Demo, open_context: Open) -> None:
    demo.post(6, calm=True, oxygen_saturation=77)
    page = open_context(java_script_enabled=False).new_page()
    sign_in(page, demo)
    until(page, lambda: demo.rows("SELECT count(*) FROM alert WHERE subject = 'patient'") == [(1,)])
    page.reload()
    expect(page.locator("noscript meta[http-equiv=refresh]")).to_have_attribute("content", "10")
    expect(tile(page, 6).locator(".cell.hr .age")).to_have_text(re.compile(r"^\d+ s$"))
    expect(page.locator("#lost")).to_be_hidden()
    expect(page.locator("#sound")).to_be_hidden()
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        page.locator(".alarm-bar .ack").click()
    assert answered.value.status == 303
    expect(page).to_have_url(f"{demo.url}/ward/4b")
    expect(tile(page, 6).locator(".status")).to_contain_text("A. Mwangi")
    for theme in ("day", "night", "auto"):
        page.get_by_role("button", name=re.compile("^Theme")).click()
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
    expect(page.get_by_text("MUTUA, Joseph")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Names")).click()
    expect(page.get_by_text("J.M.", exact=True)).to_be_visible()
    page.get_by_role("button", name=re.compile("^Initials")).click()
    assert "MUTUA" not in page.content()
