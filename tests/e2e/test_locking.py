"""A ward board that locks goes on alarming, opens with a PIN where it stands, and goes when its session ends."""

import re

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.demo import Demo
from tests.e2e.screen import Watch, board, has, sign_in, tile, until, wait_live
from tests.e2e.test_accessible import faults, look
from tests.e2e.test_sound import COUNT, HIGH, pulses

pytestmark = pytest.mark.e2e

PIN = "2741"
IDLE = """
UPDATE login_session s SET active_at = active_at - interval '20 minutes' FROM account a
WHERE a.id = s.account_id AND a.email = %s RETURNING s.id
"""
DESKS = {"desk": (1440, 900), "phone": (390, 844), "narrow": (320, 700)}


def give_pin(demo: Demo) -> str:
    """The nurse has a PIN; gives her address."""
    email = demo.account("caregiver")["email"]
    demo.rows(
        "UPDATE account SET pin_hash = %s WHERE email = %s RETURNING id", PasswordHasher().hash(PIN), email
    )
    return email


def full_ward(demo: Demo) -> None:
    """Twelve beds with something to show."""
    for device in demo.info["devices"]:
        if device["ward"] == "4b":
            demo.post(
                device["bed"], calm=True, heart_rate=70, systolic_bp=128, diastolic_bp=76, temperature=36.9
            )


def test_a_locked_board_alarms_and_opens_where_it_stands(page: Page, demo: Demo, watch: Watch) -> None:
    watch.allow("status of 422")
    page.add_init_script(COUNT)
    email = give_pin(demo)
    full_ward(demo)
    board(page, demo)
    page.locator("#sound-toggle").click()
    page.evaluate("window.never_reloaded = true")
    panel = page.locator("#lock-panel")
    expect(panel).to_be_hidden()
    name = tile(page, 4).locator(".who b")
    expect(name).to_have_text(re.compile(r"^[A-Z]+, "))

    demo.rows(IDLE, email)
    expect(panel).to_be_visible()
    expect(name).to_have_text(re.compile(r"^[A-Z]\.[A-Z]\.$"))
    expect(page.get_by_role("link", name="Ward", exact=True)).to_be_hidden()
    assert pulses(page) == 0
    demo.post(4, calm=True, oxygen_saturation=78)
    has(page, tile(page, 4), "unacked")
    until(page, lambda: pulses(page) >= HIGH, why="the alarm does not sound on the locked screen")
    expect(page.locator(".alarm.high")).to_contain_text("Bed 4 · SpO₂ 78% below 80")
    expect(page).to_have_title(re.compile(r"^\(1 HIGH\)"))
    expect(page.locator(".ack")).to_have_count(0)
    assert not covered(page)

    page.keyboard.type("9999")
    page.keyboard.press("Enter")
    expect(page.locator("#lock-wrong")).to_have_text("Not right. Tries left: 4")
    page.keyboard.type(PIN)
    page.keyboard.press("Enter")
    expect(panel).to_be_hidden()
    expect(name).to_have_text(re.compile(r"^[A-Z]+, "))
    page.locator(".alarm .ack").click()
    has(page, tile(page, 4), "acknowledged")
    assert page.evaluate("window.never_reloaded")


def covered(page: Page) -> list[str]:
    """Tiles and alarms that the panel lies over, when the page is scrolled to its end."""
    return page.evaluate(
        """() => { scrollTo(0, document.body.scrollHeight);
          const top = document.getElementById('lock-panel').getBoundingClientRect().top;
          return [...document.querySelectorAll('.tile, .alarm')].filter(
            (e) => e.getBoundingClientRect().bottom > top + 1).map((e) => e.id); }"""
    )


def test_locking_by_hand_keeps_the_board_and_hides_other_pages(page: Page, demo: Demo) -> None:
    give_pin(demo)
    full_ward(demo)
    board(page, demo)
    other = page.context.new_page()
    other.goto(f"{demo.url}/profile/sessions")
    page.evaluate("window.never_reloaded = true")
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.locator("#lock-panel")).to_be_visible()
    expect(other).to_have_url(re.compile(r"/unlock\?next="))
    other.goto(f"{demo.url}/profile/sessions")
    expect(other.get_by_role("heading", level=1)).to_have_text("This screen is locked")
    other.fill("#pin", PIN)
    other.keyboard.press("Enter")
    expect(other).to_have_url(f"{demo.url}/profile/sessions")
    expect(page.locator("#lock-panel")).to_be_hidden()
    assert page.evaluate("window.never_reloaded")


def test_the_password_opens_it_too_and_the_other_boards_go_on(page: Page, demo: Demo) -> None:
    give_pin(demo)
    demo.post(4, calm=True, oxygen_saturation=78)
    board(page, demo)
    other = page.context.new_page()
    other.goto(f"{demo.url}/ward/4b")
    wait_live(other)
    page.get_by_role("button", name="Lock", exact=True).click()
    page.get_by_role("link", name="Use password").click()
    page.get_by_label("Password").fill(demo.account("caregiver")["password"])
    page.keyboard.press("Enter")
    for screen in (page, other):
        expect(screen.locator("#lock-panel")).to_be_hidden()
    other.locator(".alarm .ack").click()
    has(page, tile(page, 4), "acknowledged")


def test_a_board_that_was_loaded_locked_opens_with_its_rail(page: Page, demo: Demo) -> None:
    email = give_pin(demo)
    sign_in(page, demo)
    demo.rows(IDLE, email)
    page.goto(f"{demo.url}/ward/4b")
    expect(page.locator("#lock-panel")).to_be_visible()
    page.locator("#lock-secret").fill(PIN)
    page.get_by_role("button", name="Unlock").click()
    expect(page.locator("#lock-panel")).to_be_hidden()
    expect(page.get_by_role("link", name="Ward", exact=True)).to_be_visible()


def test_signing_out_in_another_tab_takes_the_board_away(page: Page, demo: Demo) -> None:
    board(page, demo)
    other = page.context.new_page()
    other.goto(f"{demo.url}/profile/sessions")
    other.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/login"))


def test_a_wall_screen_is_paired_and_goes_dark(page: Page, demo: Demo, open_context: Open) -> None:
    full_ward(demo)
    sign_in(page, demo, "admin", None)
    page.goto(f"{demo.url}/admin/displays")
    page.get_by_label("Where it hangs").fill("Nurses' station")
    page.get_by_label("Ward", exact=True).select_option("Ward 4B")
    page.get_by_role("button", name="Add screen and show its code").click()
    code = page.locator(".code-card .code").text_content() or ""
    assert faults(page) == []
    screen = open_context(viewport={"width": 1920, "height": 1080}).new_page()
    screen.goto(f"{demo.url}/wall")
    screen.get_by_label("Code").fill(code.lower())
    screen.keyboard.press("Enter")
    expect(screen).to_have_url(f"{demo.url}/ward/4b/wall")
    wait_live(screen)
    demo.post(4, calm=True, oxygen_saturation=78)
    has(screen, tile(screen, 4), "unacked")
    expect(screen.locator(".ack")).to_have_count(0)
    page.goto(f"{demo.url}/admin/displays")
    expect(page.locator(".screens .state.ok")).to_have_text("Showing")
    page.get_by_role("button", name="Revoke").click()
    expect(screen).to_have_url(f"{demo.url}/wall")


def test_nothing_is_wrong_with_these_pages(page: Page, demo: Demo) -> None:
    email = give_pin(demo)
    full_ward(demo)
    sign_in(page, demo)
    for path in ("/profile/sessions", "/profile/pin", "/wall"):
        look(page.context, demo.url + path, DESKS)
    demo.rows(IDLE, email)
    look(page.context, f"{demo.url}/ward/4b", DESKS)
    look(page.context, f"{demo.url}/unlock", DESKS)
