"""Who comes in, who does not, and how everybody leaves."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.demo import Demo
from tests.e2e.screen import Watch, board, frames_of, sign_in, until, wait_live

pytestmark = pytest.mark.e2e


def test_a_nurse_signs_in_after_a_wrong_password(page: Page, demo: Demo, watch: Watch) -> None:
    watch.allow("status of 422")
    page.goto(f"{demo.url}/ward")
    expect(page).to_have_url(re.compile("/login"))
    page.fill("#email", demo.account("caregiver")["email"])
    page.fill("#password", "wrong")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        page.click("main button")
    assert answered.value.status == 422
    expect(page).to_have_title(re.compile("^Error:"))
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator("#email")).to_have_value(demo.account("caregiver")["email"])
    page.click(".error-summary a")
    expect(page.locator("#email")).to_be_focused()
    page.fill("#password", demo.account("caregiver")["password"])
    page.click("main button")
    expect(page).to_have_url(f"{demo.url}/ward/4b")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ward 4B")
    wait_live(page)


def test_another_ward_is_not_there(page: Page, demo: Demo, watch: Watch) -> None:
    watch.allow("status of 404")
    sign_in(page, demo)
    other = page.goto(f"{demo.url}/ward/5a")
    ours = page.content().replace("/ward/5a", "")
    missing = page.goto(f"{demo.url}/ward/9z")
    assert other is not None
    assert missing is not None
    assert (other.status, missing.status) == (404, 404)
    assert ours == page.content().replace("/ward/9z", "")
    page.get_by_role("link", name="Go to the start page").click()
    expect(page).to_have_url(f"{demo.url}/ward/4b")


def test_a_technician_is_led_home(page: Page, demo: Demo, watch: Watch) -> None:
    watch.allow("status of 403")
    sign_in(page, demo, "technician")
    expect(page).to_have_url(f"{demo.url}/devices")
    expect(page.get_by_role("row")).to_have_count(14)  # a head, twelve beds and the gateway
    assert "KAMAU" not in page.content()
    answer = page.goto(f"{demo.url}/ward/4b")
    assert answer is not None
    assert answer.status == 403
    page.get_by_role("link", name="Go to the start page").click()
    expect(page).to_have_url(f"{demo.url}/devices")


def test_signing_out_ends_the_session_everywhere(page: Page, demo: Demo, open_context: Open) -> None:
    board(page, demo)
    copied = page.context.cookies()
    other = page.context.new_page()
    _, sockets = frames_of(other)
    other.goto(f"{demo.url}/ward/4b")
    wait_live(other)
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/login"))
    expect(other).to_have_url(re.compile("/login"))
    until(other, lambda: bool(sockets) and all(socket.is_closed() for socket in sockets))
    thief = open_context()
    thief.add_cookies([dict(cookie) for cookie in copied])  # type: ignore[misc]
    stolen = thief.new_page()
    stolen.goto(f"{demo.url}/ward/4b")
    expect(stolen).to_have_url(re.compile("/login"))
