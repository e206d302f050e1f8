"""One stay, as a nurse goes through it: admit, put on a device, see it on the board, transfer, discharge."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.demo import Demo
from tests.e2e.screen import Watch, sign_in, tile, until, wait_live

pytestmark = pytest.mark.e2e

NUMBER = "E2E-0042"


@pytest.fixture
def as_before(demo: Demo) -> Iterator[None]:
    """The device of bed 1 in ward 5A goes back to its patient: other tests use the same demo."""
    worn = demo.device(1, "5a")
    yield
    for device_id in demo.rows("SELECT id FROM device WHERE serial = %s", worn["serial"]):
        demo.rows(
            "DELETE FROM binding WHERE device_id = %s AND patient_id <> %s RETURNING 1",
            *device_id,
            worn["patient_id"],
        )
        demo.rows(
            "UPDATE binding SET during = tstzrange(lower(during), NULL) WHERE device_id = %s RETURNING 1",
            *device_id,
        )


def register(page: Page, demo: Demo) -> None:
    """Somebody new, who lies in no bed yet."""
    page.goto(f"{demo.url}/patients/new")
    page.get_by_label("Hospital number").fill(NUMBER)
    page.get_by_label("Family name").fill("Otieno")
    page.get_by_label("Given name").fill("Faith")
    page.get_by_label("Born").fill("1961-05-14")
    page.get_by_label("Female").check()
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("OTIENO, Faith")


def fill_wristband(page: Page, *, number: str, name: str) -> None:
    """What the wristband says."""
    page.get_by_label("Hospital number").fill(number)
    page.get_by_label("Family name").fill(name)
    page.get_by_role("button", name="Put on", exact=True).click()


def test_from_admission_to_discharge(
    open_context: Open, demo: Demo, watches: list[Watch], as_before: None
) -> None:
    context = open_context()
    watches[0].allow("status of 422")
    board, nurse = context.new_page(), context.new_page()
    sign_in(board, demo, "caregiver", "5a")
    wait_live(board)
    expect(tile(board, 4)).to_have_class(re.compile("empty"))
    register(nurse, demo)

    nurse.goto(f"{demo.url}/ward/5a/beds")
    nurse.get_by_role("link", name="Admit to bed 4").click()
    nurse.get_by_label("Name, or the whole hospital number").fill(NUMBER)
    nurse.get_by_role("button", name="Search").click()
    nurse.get_by_role("button", name="Admit", exact=True).click()
    expect(nurse.locator(".recent .new")).to_contain_text("admitted to 4")
    expect(tile(board, 4)).to_contain_text("OTIENO, Faith")

    worn = demo.device(1, "5a")
    nurse.goto(f"{demo.url}/patients/{worn['patient_id']}/place")
    nurse.get_by_role("button", name=f"Take off {worn['serial']}").click()
    expect(nurse.get_by_role("status")).to_contain_text("It is off")
    nurse.goto(f"{demo.url}/ward/5a/beds")
    nurse.get_by_role("link", name="OTIENO, Faith").first.click()
    nurse.get_by_role("link", name="Put on a device").click()
    [(device_id,)] = demo.rows("SELECT id FROM device WHERE serial = %s", worn["serial"])
    nurse.get_by_label("Device", exact=True).select_option(value=str(device_id))
    fill_wristband(nurse, number="E2E-0043", name="Otieno")
    expect(nurse.locator(".error-summary")).to_contain_text("Do not put the device on")
    fill_wristband(nurse, number=NUMBER.lower(), name="otieno")
    expect(nurse.get_by_role("status")).to_contain_text("It is on")

    demo.post(1, ward="5a", heart_rate=88, oxygen_saturation=96)
    expect(tile(board, 4)).to_contain_text("88")
    expect(tile(board, 1)).not_to_contain_text("88")

    nurse.get_by_role("link", name="Transfer").click()
    nurse.get_by_role("button", name="Transfer").click()
    expect(nurse.locator(".error-summary")).to_contain_text("Say of each device whether it goes along.")
    nurse.get_by_role("group", name="Ward 5A").get_by_label("At home").check()
    nurse.get_by_label("Goes along").check()
    nurse.get_by_role("button", name="Transfer").click()
    expect(nurse.locator(".recent .new")).to_contain_text("moved from 4 to Home 1")
    expect(tile(board, 4)).to_have_class(re.compile("empty"))
    board.reload()
    wait_live(board)
    expect(tile(board, "Home 1")).to_contain_text("OTIENO, Faith")
    demo.post(1, ward="5a", heart_rate=89, oxygen_saturation=96)
    expect(tile(board, "Home 1")).to_contain_text("89")

    nurse.get_by_role("link", name="Discharge OTIENO, Faith").click()
    expect(nurse.locator(".ends")).to_contain_text(worn["serial"])
    nurse.locator("label", has_text=re.compile("^Home$")).click()
    nurse.get_by_label("leaves bed").check()
    nurse.get_by_role("button", name="Discharge").click()
    expect(nurse.locator(".recent .new")).to_contain_text("discharged from Home 1")
    expect(tile(board, "Home 1")).to_have_class(re.compile("empty"))
    nurse.locator(".recent .new").get_by_role("button", name="Undo").click()
    expect(nurse.get_by_role("status")).to_contain_text("It is undone")
    expect(tile(board, "Home 1")).to_contain_text("OTIENO, Faith")

    nurse.get_by_role("link", name="Discharge OTIENO, Faith").click()
    nurse.locator("label", has_text=re.compile("^Home$")).click()
    nurse.get_by_label("leaves bed").check()
    nurse.get_by_role("button", name="Discharge").click()
    expect(tile(board, "Home 1")).to_have_class(re.compile("empty"))
    until(nurse, lambda: demo.rows("SELECT 1 FROM binding WHERE upper_inf(during) AND patient_id IN"
                                   " (SELECT id FROM patient WHERE hospital_number = %s)", NUMBER) == [])  # fmt: skip
