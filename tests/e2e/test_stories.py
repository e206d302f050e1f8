"""From the invitation to the first task, once for each role, as a person would go."""

import re
import time

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.demo import Demo
from tests.e2e.screen import Watch, has, sign_in, tile, until, wait_live

pytestmark = pytest.mark.e2e

PASSWORD = "copper lantern drifts north"
LINK = re.compile(r"https?://\S+")


def follow_letter(page: Page, demo: Demo, email: str, *, about: str) -> None:
    """Wait for the letter with these words in its subject, and open its first link."""

    def links() -> list[str]:
        letters = [letter for letter in demo.letters(email) if about in letter["Subject"]]
        return LINK.findall(letters[-1].get_content()) if letters else []

    until(page, lambda: bool(links()), why=f"no letter about “{about}” came")
    page.goto(links()[0])


def invite(admin: Page, demo: Demo, *, role: str, ward: str | None, name: str, email: str) -> None:
    """The administrator invites somebody, starting at the list of users."""
    sign_in(admin, demo, "admin", None)
    admin.get_by_role("link", name="Users", exact=True).click()
    admin.get_by_role("link", name="Invite a person").click()
    admin.get_by_label("Name", exact=True).fill(name)
    admin.get_by_label("E-mail", exact=True).fill(email)
    admin.get_by_label(role).check()
    if ward:
        admin.get_by_label(ward).check()
    admin.get_by_role("button", name="Send the invitation").click()
    expect(admin.get_by_role("status")).to_contain_text("The invitation is on its way")


def accept(page: Page, demo: Demo, *, email: str) -> None:
    """Open the letter, choose a password and sign in with it."""
    follow_letter(page, demo, email, about="you are invited")
    expect(page.locator(".invited")).to_contain_text(email)
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_role("button", name="Use this password").click()
    expect(page.get_by_role("status")).to_have_text(
        "Your account is ready. Sign in with the password that you chose."
    )
    enter(page, email)


def enter(page: Page, email: str) -> None:
    """Fill in the sign-in form and send it."""
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def audited(admin: Page, person: str, what: str) -> None:
    """The audit, asked for a person, names what they did."""
    admin.get_by_label("Person").fill(person)
    row = admin.get_by_role("row").filter(has_text=person).filter(has_text=what)
    expect(row).to_have_count(1)
    expect(admin.get_by_role("row").filter(has_text="Administrator")).to_have_count(0)


def test_a_nurse_takes_her_first_alarm(open_context: Open, demo: Demo) -> None:
    admin, nurse = open_context().new_page(), open_context().new_page()
    name, email = "Wanjiru Kimani", "wanjiru.kimani@stories.example"
    invite(admin, demo, role="Caregiver", ward="Ward 4B", name=name, email=email)
    accept(nurse, demo, email=email)
    expect(nurse).to_have_url(f"{demo.url}/ward/4b")
    wait_live(nurse)
    demo.post(4, calm=True, oxygen_saturation=78)
    has(nurse, tile(nurse, 4), "unacked")
    nurse.locator(".alarm .ack").click()
    has(nurse, tile(nurse, 4), "acknowledged")
    expect(tile(nurse, 4)).to_contain_text(name)

    admin.get_by_role("link", name="Audit", exact=True).click()
    expect(admin.get_by_role("row").filter(has_text="Invite a person").filter(has_text=name)).to_have_count(1)
    audited(admin, name, "Sign in")
    audited(admin, name, "Acknowledge an alarm")


def test_a_technician_sees_devices_and_no_name(open_context: Open, demo: Demo) -> None:
    admin, technician = open_context().new_page(), open_context().new_page()
    email = "baraka.ouma@stories.example"
    invite(admin, demo, role="Technician", ward="Ward 4B", name="Baraka Ouma", email=email)
    accept(technician, demo, email=email)
    expect(technician).to_have_url(f"{demo.url}/devices")
    # Twelve devices, the gateway of the site and the head of the table.
    expect(technician.get_by_role("row")).to_have_count(14)
    expect(technician.get_by_role("cell", name="Bed 4 Ward 4B", exact=True)).to_be_visible()
    text = technician.content().lower()
    patients = demo.rows("SELECT family_name, given_name FROM patient")
    assert patients
    for names in patients:
        for name in names:
            assert not re.search(rf"\b{re.escape(name.lower())}\b", text), name


def test_a_patient_reads_who_opened_the_record(open_context: Open, demo: Demo, watches: list[Watch]) -> None:
    admin, patient = open_context().new_page(), open_context().new_page()
    watches[1].allow("status of 422")
    name, email = "Amani Story", "amani@stories.example"
    patient.goto(f"{demo.url}/login")
    patient.get_by_role("link", name="I am a patient: make an account").click()
    patient.get_by_label("Your name").fill(name)
    patient.get_by_label("E-mail").fill(email)
    patient.get_by_label("Choose a password").fill(PASSWORD)
    patient.get_by_role("button", name="Ask for an account").click()
    follow_letter(patient, demo, email, about="confirm your e-mail address")
    patient.get_by_label("Your password").fill(PASSWORD)
    patient.get_by_role("button", name="Confirm this address").click()
    expect(patient.get_by_role("main")).to_contain_text("Now an administrator looks at your request")
    patient.get_by_role("link", name="Go to the start page").click()
    enter(patient, email)
    expect(patient.locator(".error-summary")).to_contain_text("Your account waits for an administrator")

    approve(admin, demo, name=name, number="4B-0008")
    follow_letter(patient, demo, email, about="your account is ready")
    enter(patient, email)
    expect(patient).to_have_url(f"{demo.url}/portal")
    demo.post(8, calm=True)
    until(patient, lambda: demo.rows("SELECT count(*) FROM reading") == [(1,)])
    patient.reload()
    expect(patient.locator(".readings .figure").filter(has_text="97")).to_be_visible()
    patient.get_by_role("link", name="Who opened my record").click()
    line = patient.get_by_role("listitem").filter(has_text="looked up your name for an account")
    expect(line).to_contain_text("Administrator")


def approve(admin: Page, demo: Demo, *, name: str, number: str) -> None:
    """The administrator finds who waits, compares the names and says yes."""
    sign_in(admin, demo, "admin", None)
    admin.get_by_role("link", name="Users", exact=True).click()
    admin.get_by_role("link", name="Show them").click()
    admin.get_by_role("link", name=name).click()
    admin.get_by_role("link", name="Find the record").click()
    admin.get_by_label("Hospital number").fill(number)
    admin.get_by_role("button", name="Show the record's name").click()
    [(family, given)] = demo.rows(
        "SELECT family_name, given_name FROM patient WHERE hospital_number = %s", number
    )
    check = admin.get_by_role("main")
    expect(check).to_contain_text("Is this the same person?")
    expect(check).to_contain_text(f"{family}, {given}")
    expect(check).to_contain_text(number)
    admin.get_by_role("button", name=f"Approve {name}").click()
    expect(admin.get_by_role("status")).to_contain_text("The account is approved")


def test_an_administrator_signs_in_with_a_code(open_context: Open, demo: Demo) -> None:
    admin, page = open_context().new_page(), open_context().new_page()
    email = "zawadi.njeri@stories.example"
    invite(admin, demo, role="Administrator", ward=None, name="Zawadi Njeri", email=email)
    accept(page, demo, email=email)
    expect(page).to_have_url(f"{demo.url}/admin")
    app = set_up_second_factor(page)
    page.get_by_role("button", name="Sign out").click()
    enter(page, email)
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter your code")
    # The code of setting up has been used; a phone that is half a minute ahead shows the next one.
    page.get_by_label("Code from your app").fill(app.at(int(time.time()), counter_offset=1))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(f"{demo.url}/admin")

    lock_after(page, 10)
    expect(page.get_by_role("status")).to_contain_text("Security is saved")
    expect(page.get_by_role("main")).to_contain_text("10 minutes without a hand")
    lock_after(page, 15)
    expect(page.get_by_role("main")).to_contain_text("stays open for 15 minutes instead of 10")
    page.get_by_role("button", name="Save and loosen").click()
    expect(page.get_by_role("main")).to_contain_text("15 minutes without a hand")


def set_up_second_factor(page: Page) -> pyotp.TOTP:
    """From the profile to the recovery codes; gives the app that makes the codes."""
    page.get_by_role("link", name="Profile").click()
    page.get_by_role("link", name="Second factor").click()
    page.get_by_role("link", name="Set up a second factor").click()
    page.get_by_text("I cannot scan it").click()
    app = pyotp.TOTP(re.sub(r"\s", "", page.locator(".key").inner_text()))
    page.get_by_label("Code from your app").fill(app.now())
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("main")).to_contain_text("10 codes left")
    return app


def lock_after(page: Page, minutes: int) -> None:
    """Change how long a screen stays open, from the settings."""
    page.get_by_role("link", name="Settings", exact=True).click()
    page.get_by_role("link", name="Change security").click()
    page.get_by_label("Screens of staff lock after").fill(str(minutes))
    page.get_by_role("button", name="Save").click()
