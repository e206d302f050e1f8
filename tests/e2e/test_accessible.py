"""axe on every page, by day and by night, on every kind of screen; no small text, no sideways scroll."""

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import Open
from tests.e2e.demo import Demo
from tests.e2e.screen import Watch, has, sign_in, tile, until

pytestmark = pytest.mark.e2e

AXE = (Path(__file__).parent / "vendor/axe.min.js").read_text("utf-8")
RUN = """() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}).then(
  ({violations}) => violations.map(({id, nodes}) =>
    `${id}: ${nodes.map((node) => node.html.slice(0, 160) + ' ' + node.failureSummary).join(' | ')}`))"""
SMALL = """() => [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() &&
  [...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) &&
  parseFloat(getComputedStyle(e).fontSize) < 11).map((e) => e.outerHTML.slice(0, 99))"""
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT = """() => [...document.querySelectorAll('.value, .tile .line, .tile .label, .due, .counts, .button')]
  .filter((e) => {
    const around = e.closest('.cell') ?? e.closest('.tile') ?? document.body;
    const beyond = e.getBoundingClientRect().right > around.getBoundingClientRect().right + 1;
    return e.checkVisibility() && (beyond || (e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1));
  }).map((e) => e.className + ': ' + e.textContent.trim())"""

SCREENS = {"desk": (1440, 900), "old": (1280, 720), "phone": (390, 844), "narrow": (320, 700)}
WALL = {"wall": (1920, 1080)}
ENDS = {"desk": SCREENS["desk"], "narrow": SCREENS["narrow"]}

PUBLIC = ["/register", "/forgot", "/wall"]
OF_ADMIN = [
    "/wards",
    "/admin/wards",
    "/admin/wards/{ward}",
    "/admin/users",
    "/admin/users/{account}",
    "/admin/users/{account}/role",
    "/admin/users/{account}/deactivation",
    "/admin/users/invite",
    "/admin/settings",
    "/admin/settings/security",
    "/admin/settings/limits",
    "/ward/4b/limits",
    "/ward/4b/limits/change",
    "/admin/access",
    "/admin/keys",
    "/admin/keys/new",
    "/admin/audit",
    "/admin/emergencies",
    "/admin/displays",
    "/admin/duty",
    "/admin/chains",
    "/admin/chains/4b/high",
    "/admin/drills",
    "/admin/settings/notices",
]
OF_CAREGIVER = [
    "/profile",
    "/profile/password",
    "/profile/email",
    "/profile/contacts",
    "/profile/sessions",
    "/profile/second-factor",
    "/second-factor/setup",
    "/profile/pin",
    "/emergency-access",
    "/duty",
    "/profile/channels",
    "/patients/{patient}",
    "/patients/{patient}?view=table",
    "/patients/{patient}?h=720&bands=limits",
    "/patients/{patient}/history",
    "/patients/{patient}/limits",
    "/patients/{patient}/notes",
    "/patients/{patient}/notes/{note}/change",
    "/patients/{patient}/notes/{note}/strike-out",
    "/patients/{patient}/tasks",
    "/patients/{patient}/medications",
    "/patients/{patient}/medications/new",
    "/patients/{patient}/medications/adherence",
    "/patients/{patient}/plan",
    "/patients/{patient}/plan/goals/new",
    "/patients/{patient}/plan/assess/four_at",
    "/patients/{patient}/merge",
    "/patients/import",
    "/notices",
    "/patients/{patient}/record",
    "/patients/{patient}/record/flag/new",
    "/patients/{patient}/details",
    "/patients/{patient}/care-team",
    "/patients/new",
    "/patients",
    "/patients?q=nobody",
    "/shift",
    "/shift/beds",
    "/rounds",
    "/rounds/4b",
    "/handover/4b",
    "/wards",
]
OF_MOVES = [
    "/ward/4b/beds",
    "/ward/4b/admission",
    "/patients/{patient}/place",
    "/patients/{patient}/transfer",
    "/patients/{patient}/swap",
    "/patients/{patient}/swap?other={other}",
    "/patients/{patient}/discharge",
    "/patients/{patient}/devices/new",
    "/bindings/{binding}",
]
OF_TECHNICIAN = [
    "/devices/{device}",
    "/devices/{device}/binding",
    "/bindings/{binding}",
    "/quarantine",
    "/quarantine/{device}/decision",
]
OF_PATIENT = ["/portal/access", "/profile"]


def faults(page: Page) -> list[str]:
    """Everything that is wrong with the page as it stands."""
    if page.evaluate("typeof axe") == "undefined":
        page.context.new_cdp_session(page).send(
            "Runtime.evaluate", {"expression": f"{AXE};0", "allowUnsafeEvalBlockedByCSP": True}
        )
    found: list[str] = page.evaluate(RUN)
    found += [f"small: {text}" for text in page.evaluate(SMALL)]
    found += [f"cut: {text}" for text in page.evaluate(CUT)]
    if (beyond := page.evaluate(WIDE)) > 0:
        found.append(f"{beyond} px to the side")
    return found


def look(context: BrowserContext, url: str, screens: dict[str, tuple[int, int]] = SCREENS) -> None:
    """Look at a page on all screens, by day and by night."""
    page = context.new_page()
    page.emulate_media(reduced_motion="reduce")
    for name, (width, height) in screens.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.goto(url)
            assert faults(page) == [], f"{url} {name} {scheme}"
    page.close()


def named(demo: Demo) -> dict[str, object]:
    """What stands for the names in a path."""
    [(account,)] = demo.rows("SELECT id FROM account WHERE email = %s", demo.account("caregiver")["email"])
    [(ward,)] = demo.rows("SELECT id FROM ward WHERE slug = '4b'")
    notes = demo.rows("SELECT id FROM note ORDER BY written_at DESC LIMIT 1")
    [(device, binding)] = demo.rows(
        "SELECT device_id, id FROM binding WHERE patient_id = %s", demo.device(4)["patient_id"]
    )
    return {
        "account": account,
        "ward": ward,
        "other": demo.device(5)["patient_id"],
        "device": device,
        "binding": binding,
        "patient": demo.device(4)["patient_id"],
        "note": notes[0][0] if notes else None,
    }


def walk(page: Page, demo: Demo, paths: list[str]) -> None:
    """Look at pages in one tab: each is loaded once, and grows, shrinks and darkens as it stands."""
    names = named(demo)
    page.emulate_media(reduced_motion="reduce")
    for path in paths:
        answer = page.goto(demo.url + path.format(**names))
        assert answer is not None
        assert answer.status == 200, path
        for name, (width, height) in ENDS.items():
            page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                assert faults(page) == [], f"{path} {name} {scheme}"


def every_kind(demo: Demo, page: Page) -> None:
    """All kinds of alarms and states on one board."""
    demo.post(1)
    demo.post(2, calm=True, oxygen_saturation=76)
    demo.post(3, heart_rate=88, temperature=39.1)
    demo.post(4, calm=True, oxygen_saturation=78)
    demo.post(5, heart_rate=70, oxygen_saturation=0)
    demo.post(6, ago_s=300)
    for bed in (2, 4):
        has(page, tile(page, bed), "high")
    has(page, tile(page, 3), "medium")
    tile(page, 4).locator(".ack").click()
    has(page, tile(page, 4), "acknowledged")


def test_sign_in_and_errors(open_context: Open, demo: Demo, watches: list[Watch]) -> None:
    context = open_context()
    watches[0].allow("status of 4..")
    look(context, f"{demo.url}/login")
    look(context, f"{demo.url}/nothing-here")
    page = context.new_page()
    page.goto(f"{demo.url}/login")
    page.click("main button")
    expect(page.locator(".error-summary")).to_be_visible()
    assert faults(page) == []


def test_board_and_wall(page: Page, demo: Demo) -> None:
    sign_in(page, demo)
    look(page.context, f"{demo.url}/ward/4b")
    every_kind(demo, page)
    look(page.context, f"{demo.url}/ward/4b")
    look(page.context, f"{demo.url}/ward/4b/wall", WALL)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert faults(page) == []


def test_observations(page: Page, demo: Demo, watch: Watch) -> None:
    watch.allow("status of 422")
    sign_in(page, demo)
    look(page.context, f"{demo.url}/patients/{demo.device(7)['patient_id']}/observations/new")
    tile(page, 7).locator(".record").click()
    page.get_by_label("Temperature").fill("400")
    page.get_by_role("button", name="Save observations").click()
    expect(page.locator(".error-summary")).to_be_visible()
    assert faults(page) == []


@pytest.mark.parametrize(
    ("role", "path"), [("admin", "/admin"), ("technician", "/devices"), ("patient", "/portal")]
)
def test_other_roles(page: Page, demo: Demo, watch: Watch, role: str, path: str) -> None:
    watch.allow("status of 403")
    demo.post(1, temperature=36.8, systolic_bp=120, diastolic_bp=71)
    until(page, lambda: demo.rows("SELECT count(*) FROM reading") == [(1,)])
    sign_in(page, demo, role, None if role == "admin" else "4b")
    look(page.context, f"{demo.url}{path}")
    if role != "admin":
        look(page.context, f"{demo.url}/ward/4b", {"phone": SCREENS["phone"]})


def test_pages_of_nobody(page: Page, demo: Demo) -> None:
    walk(page, demo, PUBLIC)


def test_pages_of_an_administrator(page: Page, demo: Demo) -> None:
    sign_in(page, demo, "admin", None)
    walk(page, demo, OF_ADMIN)


def test_pages_of_a_caregiver(page: Page, demo: Demo) -> None:
    demo.post(4, calm=True, oxygen_saturation=78)
    sign_in(page, demo)
    has(page, tile(page, 4), "high")
    page.goto(f"{demo.url}/patients/{demo.device(4)['patient_id']}")
    page.get_by_label("Add a note").fill("Sat upright. O₂ by nasal cannula.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".timeline")).to_contain_text("Sat upright.")
    walk(page, demo, OF_CAREGIVER)


def test_pages_that_move_patients_and_devices(page: Page, demo: Demo) -> None:
    sign_in(page, demo)
    walk(page, demo, OF_MOVES)


def test_pages_of_a_technician(page: Page, demo: Demo) -> None:
    sign_in(page, demo, "technician")
    walk(page, demo, OF_TECHNICIAN)


def test_pages_of_a_patient(page: Page, demo: Demo) -> None:
    sign_in(page, demo, "patient")
    walk(page, demo, OF_PATIENT)
