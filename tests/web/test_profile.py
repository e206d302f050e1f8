"""One's own account: what it shows and keeps, and whom to call."""

import re
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from uuid import uuid4

from silverwatch import clock, db
from silverwatch.domain.accounts import contacts
from silverwatch.domain.accounts.contacts import Contact
from silverwatch.domain.errors import ConflictError
from tests.cast import Cast, People
from tests.conftest import Site
from tests.web.account_steps import audited, id_of, signed_in

WHOLE = {
    "name": "Amina  Mwangi ",
    "phone": "+254 712-345 678",
    "language": "sw",
    "department": "Cardiology",
    "specialisation": "Acute care",
    "licence_number": "RN 44 120",
}
JOSEPH = {"name": "Joseph Mwangi", "relation": "Husband", "phone": "+254 700 111 222"}


def kept(site: Site, email: str) -> Any:
    """What the account says."""
    columns = "name, phone, language, department, specialisation, licence_number"
    return site.row(f"SELECT {columns} FROM account WHERE email = %s", email)


def test_nobody_sees_a_profile_without_signing_in(site: Site, people: People) -> None:
    for path in ("/profile", "/profile/contacts", "/profile/password", "/profile/email"):
        assert site.client.get(path).location == f"/login?next={path}"
        assert site.client.submit(path).location == "/login"
    assert site.client.get(f"/accounts/{id_of(site, people.amina)}/photo").status_code == 303


def test_staff_see_who_they_are(site: Site, people: People) -> None:
    page = signed_in(site, people.amina).get("/profile").get_data(as_text=True)
    for text in ("Amina", people.amina, "Caregiver", "Ward A", "Department", "Licence number", 'href="/profile/pin"',
                 'href="/profile/sessions"', 'href="/profile/second-factor"', 'href="/profile/password"'):  # fmt: skip
        assert text in page
    assert "Ward B" not in page


def test_patients_are_asked_less(site: Site, people: People) -> None:
    page = signed_in(site, people.patience).get("/profile").get_data(as_text=True)
    assert "About you" in page
    assert "Only you see it." in page
    for text in ("Department", "Specialisation", "Licence", "/profile/pin"):
        assert text not in page


def test_details_are_kept_and_noted_once(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    for _ in range(2):
        assert browser.submit("/profile", WHOLE).location == "/profile?saved=1"
    assert kept(site, people.amina) == (
        "Amina Mwangi", "+254 712-345 678", "sw", "Cardiology", "Acute care", "RN 44 120"
    )  # fmt: skip
    assert audited(site, "account.changed") == [
        ("done", {"fields": sorted(WHOLE)}, f"account:{id_of(site, people.amina)}")
    ]
    page = browser.get("/profile?saved=1").get_data(as_text=True)
    assert re.search(r'role="status">.*Imehifadhiwa\.', page)  # in the new language
    assert 'value="RN 44 120"' in page
    assert 'lang="sw" selected' in page
    assert "Imehifadhiwa." not in browser.get("/profile?saved=<b>").get_data(as_text=True)


def test_empty_fields_are_none(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    browser.submit("/profile", WHOLE)
    browser.submit("/profile", {"name": "Amina", "language": "en", "phone": " "})
    assert kept(site, people.amina) == ("Amina", None, "en", None, None, None)


def test_nothing_but_the_fields_of_the_form_is_kept(site: Site, people: People) -> None:
    columns = "role, email, patient_id, approved_at, password_hash, id"
    before = site.row(f"SELECT {columns} FROM account WHERE name = 'Patience'")
    extra = dict.fromkeys(("role", "approved_at", "patient_id", "id", "password_hash"), "admin")
    sent = {**WHOLE, **extra, "email": "x@x.example"}
    assert signed_in(site, people.patience).submit("/profile", sent).status_code == 303
    assert site.row(f"SELECT {columns} FROM account WHERE name = 'Amina Mwangi'") == before
    assert kept(site, people.patience)[3:] == (None, None, None)


BAD = [
    ("name", ""),
    ("name", " \t\0 "),
    ("name", "x" * 121),
    ("name", "x" * 100_000),
    ("name", "\u202eevil"),
    ("phone", "1234"),
    ("phone", "+254 700 000 000 000 00"),
    ("phone", "call me"),
    ("phone", "12+345678"),
    ("phone", "-- -- --"),
    ("phone", "٠٧١٢٣٤٥٦٧٨"),
    ("phone", "1" * 50_000),
    ("language", "fr"),
    ("language", ""),
    ("language", "en,sw"),
    ("department", "x" * 81),
    ("specialisation", "a\u202e"),
    ("licence_number", "x" * 100_000),
]


def test_what_cannot_be_kept_is_said_beside_its_field(site: Site, people: People) -> None:
    before = kept(site, people.amina)
    browser = signed_in(site, people.amina)
    token = browser.token()
    for field, value in BAD:
        answer = browser.post("/profile", data={"csrf_token": token, **WHOLE, field: value})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422, (field, value[:99])
        assert "<title>Error: Your profile" in page
        assert "There is a problem" in page
        assert f'href="#{field}"' in page
        assert f'id="{field}-error"' in page
        assert ('value="Cardiology"' in page) == (field != "department")
    assert kept(site, people.amina) == before
    assert audited(site, "account.changed") == []


def test_phone_numbers_are_written_in_many_ways(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    for phone in ("12345", "0712 345 678", "+1-212-555-0100", "1" * 20):
        assert browser.submit("/profile", {**WHOLE, "phone": phone}).status_code == 303
        assert kept(site, people.amina)[1] == phone


def test_odd_forms_are_refused_and_break_nothing(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    token = browser.token()
    for path in ("/profile", "/profile/photo", "/profile/contacts", "/profile/password", "/profile/email"):
        for data in (
            {"csrf_token": token},
            {"csrf_token": token, **{field: ["\0", "b"] for field in WHOLE}, "current": ["\0"], "new": "\0",
             "email": "\0", "relation": "\ud800".encode("utf-8", "surrogatepass"), "photo": "no file"},
            {"csrf_token": token, "name": (BytesIO(b"x"), "x.txt"), "photo": (BytesIO(b""), "\0/../x.jpg")},
        ):  # fmt: skip
            answer = browser.post(path, data=data)
            assert answer.status_code == 422, (path, data)
    assert browser.post("/profile", data="{}", content_type="application/json").status_code == 400
    assert browser.submit("/profile/contacts/not-an-id/removal").status_code == 404
    assert browser.get("/accounts/not-an-id/photo").status_code == 404


def test_names_are_text(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    browser.submit("/profile", {**WHOLE, "name": "<script>{{7*7}}&'\"", "department": '"><img src=x>'})
    page = browser.get("/profile").get_data(as_text=True)
    assert "<script>{{" not in page
    assert "&lt;script&gt;{{7*7}}" in page
    assert "<img src=x" not in page


# Whom to call


def test_contacts_are_added_and_removed(site: Site, people: People) -> None:
    browser = signed_in(site, people.patience)
    assert "Nobody yet" in browser.get("/profile/contacts").get_data(as_text=True)
    for _ in range(2):
        assert browser.submit("/profile/contacts", JOSEPH).location == "/profile/contacts?saved=1"
    for path in ("/profile/contacts?saved=1", "/profile"):
        page = browser.get(path).get_data(as_text=True)
        assert all(text in page for text in JOSEPH.values())
    (contact_id,) = site.row("SELECT id FROM emergency_contact")
    path = f"/profile/contacts/{contact_id}/removal"
    assert browser.submit(path).location == "/profile/contacts?saved=1"
    assert browser.submit(path).status_code == 404
    assert site.rows("SELECT 1 FROM emergency_contact") == []
    assert [len(audited(site, f"contact.{what}")) for what in ("added", "removed")] == [1, 1]
    assert "Joseph" not in str(audited(site, "contact.added"))


def test_a_contact_that_cannot_be_called_is_refused(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    for field, value in (
        ("name", ""),
        ("name", "x" * 121),
        ("relation", ""),
        ("relation", "x" * 81),
        ("phone", ""),
        ("phone", "abc"),
    ):
        answer = browser.submit("/profile/contacts", {**JOSEPH, field: value})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422, (field, value)
        assert "<title>Error: Emergency contacts" in page
        assert f'id="{field}-error"' in page
        assert ('value="Husband"' in page) == (field != "relation")
    assert site.rows("SELECT 1 FROM emergency_contact") == []


def test_five_contacts_are_the_most(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    codes = [
        browser.submit("/profile/contacts", {**JOSEPH, "name": f"Number {number}"}).status_code
        for number in range(6)
    ]
    assert codes == [303] * 5 + [422]
    page = browser.get("/profile/contacts").get_data(as_text=True)
    assert "Five contacts are the most" in page
    assert 'name="relation"' not in page


def test_five_are_the_most_however_many_come_at_once(site: Site, people: People) -> None:
    account_id = id_of(site, people.amina)

    def add(number: int) -> bool:
        try:
            with db.transaction() as session:
                wanted = Contact(name=f"Number {number}", relation="Friend", phone="12345")
                contacts.add(session, account_id, wanted=wanted, now=clock.now())
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(add, range(8))) == 5
    assert site.row("SELECT count(*) FROM emergency_contact")[0] == 5


def test_contacts_of_others_are_nobodys(site: Site, cast: Cast, people: People) -> None:
    signed_in(site, people.patience).submit("/profile/contacts", JOSEPH)
    (contact_id,) = site.row("SELECT id FROM emergency_contact")
    for email in (people.amina, people.ada):
        browser = signed_in(site, email)
        foreign = browser.submit(f"/profile/contacts/{contact_id}/removal")
        missing = browser.submit(f"/profile/contacts/{uuid4()}/removal")
        assert foreign.status_code == missing.status_code == 404
        assert foreign.data == missing.data
        assert "Joseph" not in browser.get("/profile/contacts").get_data(as_text=True)
    assert site.row("SELECT count(*) FROM emergency_contact")[0] == 1
    assert len(audited(site, "access.refused")) == 4
