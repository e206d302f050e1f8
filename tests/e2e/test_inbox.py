"""The alarm inbox in a browser: by keys, for two nurses, and on every other page."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.demo import Demo
from tests.e2e.screen import Watch, has, sign_in, tile, until, wait_live
from tests.e2e.test_accessible import faults

pytestmark = pytest.mark.e2e


def inbox(page: Page, demo: Demo) -> None:
    """The nurse's inbox, with its socket open."""
    sign_in(page, demo)
    page.goto(f"{demo.url}/alerts")
    wait_live(page)


def three_alarms(demo: Demo) -> None:
    """A high one, two medium ones; nobody has taken them."""
    demo.post(3, heart_rate=88, temperature=39.1)
    demo.post(5, heart_rate=88, temperature=39.2)
    demo.post(7, calm=True, oxygen_saturation=78)


def test_the_keys_choose_take_and_resolve(page: Page, demo: Demo) -> None:
    three_alarms(demo)
    inbox(page, demo)
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(3)
    hero = page.locator(".hero h2")
    if hero.count() == 0:
        page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("k")
    expect(hero).to_have_text(re.compile("SpO₂ 78% below"))
    page.keyboard.press("j")
    expect(hero).to_have_text(re.compile("Temp 39"))
    second = hero.text_content()
    expect(page.locator("[data-row][aria-current]")).to_have_count(1)
    page.keyboard.press("k")
    expect(hero).to_have_text(re.compile("SpO₂ 78% below"))
    page.keyboard.press("a")
    expect(page.locator(".hero")).to_have_class(re.compile("taken"))
    has(page, page.locator("[data-row]").filter(has_text="SpO₂"), "acknowledged")
    page.keyboard.press("r")
    expect(page.locator("details.resolve")).to_have_attribute("open", "")
    page.keyboard.press("1")
    expect(page.locator(".hero")).to_have_class(re.compile("done"))
    assert demo.rows(
        "SELECT closed_as, resolution FROM alert WHERE closed_at IS NOT NULL AND subject = 'patient'"
    ) == [("resolved", "treated")]
    page.keyboard.press("k")
    expect(hero).to_have_text(re.compile("Temp 39"))
    assert second
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/patients/"))


def test_keys_are_quiet_when_they_are_switched_off(page: Page, demo: Demo) -> None:
    three_alarms(demo)
    inbox(page, demo)
    expect(page.locator(".hero h2")).to_be_visible()
    page.locator("#help-open").click()
    page.get_by_label("Use these keys").uncheck()
    page.keyboard.press("Escape")
    for key in ("a", "r", "1", "Enter"):
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile("/alerts"))
    assert demo.rows("SELECT count(*) FROM acknowledgement") == [(0,)]


def test_two_nurses_see_each_others_acknowledgement(page: Page, demo: Demo, open_context: Open) -> None:
    demo.post(7, calm=True, oxygen_saturation=78)
    inbox(page, demo)
    colleague = open_context(storage_state=page.context.storage_state()).new_page()
    colleague.goto(f"{demo.url}/alerts")
    wait_live(colleague)
    expect(colleague.locator(".hero.high")).to_be_visible()
    expect(colleague).to_have_title(re.compile(r"^\(1 HIGH\) Alarms"))
    expect(colleague.locator(".alarm-badge")).to_contain_text("1")
    page.keyboard.press("a")
    expect(colleague.locator(".hero.taken")).to_contain_text("A. Mwangi acknowledged it")
    has(colleague, colleague.locator("[data-row]"), "acknowledged")
    expect(colleague).to_have_title(re.compile("^Alarms"))
    expect(colleague.locator(".alarm-badge")).to_have_text("")


def test_a_new_high_alarm_reaches_a_page_that_is_about_somebody_else(page: Page, demo: Demo) -> None:
    sign_in(page, demo)
    page.goto(f"{demo.url}/patients/{demo.device(4)['patient_id']}")
    wait_live(page)
    demo.post(7, calm=True, oxygen_saturation=78)
    expect(page.locator(".standing.high")).to_contain_text("Bed 7 · SpO₂ 78% below 80")
    expect(page).to_have_title(re.compile(r"^\(1 HIGH\)"))
    page.locator(".standing.high").click()
    expect(page.locator(".hero.high")).to_contain_text("SpO₂ 78% below 80")


def test_without_javascript(demo: Demo, open_context: Open) -> None:
    demo.post(7, calm=True, oxygen_saturation=78)
    page = open_context(java_script_enabled=False).new_page()
    sign_in(page, demo)
    until(page, lambda: demo.rows("SELECT count(*) FROM alert WHERE subject = 'patient'") == [(1,)])
    page.goto(f"{demo.url}/alerts")
    page.locator("[data-row] button.open").click()
    page.locator(".actbar .ack").click()
    expect(page.locator(".hero.taken")).to_contain_text("A. Mwangi acknowledged it")
    page.locator("details.resolve summary").click()
    page.get_by_role("button", name=re.compile("^Treated")).click()
    expect(page.locator(".hero.done")).to_contain_text("Resolved")


def test_on_every_screen_by_day_and_by_night(page: Page, demo: Demo, watch: Watch) -> None:
    three_alarms(demo)
    demo.post(6, ago_s=300)
    sign_in(page, demo)
    has(page, tile(page, 7), "high")
    has(page, tile(page, 5), "medium")
    page.emulate_media(reduced_motion="reduce")
    [(alert_id,)] = demo.rows("SELECT id FROM alert WHERE priority = 'high' AND subject = 'patient'")
    for path in ("/alerts", f"/alerts/{alert_id}", "/alerts/resolved", "/alerts/load"):
        page.goto(demo.url + path)
        for width, height in ((1440, 900), (320, 700)):
            page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                assert faults(page) == [], f"{path} {width} {scheme}"
