"""Pictures of every page of the lively demo, for people to look at."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.demo import Demo
from tests.e2e.screen import Watch, sign_in, wait_live

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SETTLED_S = 90
NURSE = ("caregiver", "4b")
ADMIN = ("admin", None)
PICTURES: list[tuple[str, tuple[str, str | None] | None, str, int, int]] = [
    ("sign-in", None, "/login", 1440, 900),
    ("board", NURSE, "/ward/4b", 1440, 900),
    ("board-1280", NURSE, "/ward/4b", 1280, 720),
    ("board-390", NURSE, "/ward/4b", 390, 844),
    ("board-320", NURSE, "/ward/4b", 320, 700),
    ("board-small-ward", ("caregiver", "5a"), "/ward/5a", 1440, 900),
    ("wall", NURSE, "/ward/4b/wall", 1920, 1080),
    ("observations", NURSE, "/patients/{patient}/observations/new", 1440, 900),
    ("admin", ADMIN, "/admin", 1440, 900),
    ("technician", ("technician", "4b"), "/devices", 1440, 900),
    ("patient", ("patient", "4b"), "/portal", 1440, 900),
    ("patient-390", ("patient", "4b"), "/portal", 390, 844),
    ("patient-page", NURSE, "/patients/{patient}", 1440, 1200),
    ("patient-page-1920", NURSE, "/patients/{patient}", 1920, 1080),
    ("patient-page-390", NURSE, "/patients/{patient}", 390, 844),
    ("patient-page-table", NURSE, "/patients/{patient}?view=table", 1440, 900),
    ("patient-history", NURSE, "/patients/{patient}/history", 1440, 900),
    ("patient-notes", NURSE, "/patients/{patient}/notes", 1440, 900),
    ("shift", NURSE, "/shift", 1440, 900),
    ("shift-390", NURSE, "/shift", 390, 844),
    ("round", NURSE, "/rounds", 1440, 900),
    ("beds", NURSE, "/shift/beds", 1440, 900),
    ("tasks", NURSE, "/patients/{patient}/tasks", 390, 844),
    ("handover", NURSE, "/handover/4b", 1440, 900),
    ("handover-390", NURSE, "/handover/4b", 390, 844),
    ("wards", ADMIN, "/wards", 1440, 900),
    ("patients", NURSE, "/patients", 1440, 900),
    ("emergency", NURSE, "/emergency-access", 1440, 900),
    ("profile", NURSE, "/profile", 1440, 900),
    ("profile-390", NURSE, "/profile", 390, 844),
    ("second-factor", NURSE, "/second-factor/setup", 1440, 900),
    ("users", ADMIN, "/admin/users", 1440, 900),
    ("users-390", ADMIN, "/admin/users", 390, 844),
    ("invite", ADMIN, "/admin/users/invite", 1440, 900),
    ("settings", ADMIN, "/admin/settings", 1440, 900),
    ("access", ADMIN, "/admin/access", 1440, 900),
    ("audit", ADMIN, "/admin/audit", 1440, 900),
    ("audit-390", ADMIN, "/admin/audit", 390, 844),
    ("displays", ADMIN, "/admin/displays", 1440, 900),
    ("who-opened", ("patient", "4b"), "/portal/access", 390, 844),
    ("register", None, "/register", 390, 844),
    ("not-found", NURSE, "/nothing-here", 1440, 900),
]


@pytest.fixture(scope="module")
def settled(lively: Demo) -> Demo:
    """The lively demo when its patients have had time for their stories."""
    time.sleep(max(0, lively.started_at + SETTLED_S - time.monotonic()))
    return lively


@pytest.mark.parametrize(
    ("name", "who", "path", "width", "height"), PICTURES, ids=[row[0] for row in PICTURES]
)
def test_picture(
    open_context: Open, settled: Demo, watches: list[Watch], pictures: Path,
    name: str, who: tuple[str, str | None] | None, path: str, width: int, height: int,
) -> None:  # fmt: skip
    page = open_context(viewport={"width": width, "height": height}).new_page()
    watches[0].allow("status of 404")
    if who:
        sign_in(page, settled, *who)
    for scheme in ("day", "night"):
        page.emulate_media(color_scheme="dark" if scheme == "night" else "light")
        page.goto(settled.url + path.format(patient=settled.device(7)["patient_id"]))
        page.evaluate("document.fonts.ready")
        if page.locator("[data-live]").count() > 1:
            wait_live(page)
        if page.locator(".tile").count():
            expect(page.locator(".tile .value").first).to_be_visible()
        page.screenshot(path=pictures / f"{name}-{scheme}.png")


def test_picture_of_a_lost_connection(page: Page, settled: Demo, watch: Watch, pictures: Path) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED", "WebSocket", "htmx:ws:error")
    sign_in(page, settled)
    wait_live(page)
    page.context.set_offline(True)
    expect(page.get_by_role("alertdialog")).to_be_visible(timeout=40_000)
    page.screenshot(path=pictures / "connection-lost-day.png")
