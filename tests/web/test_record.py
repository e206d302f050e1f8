"""The record of a patient: what stands, what has ended, who said so; and whom it is about."""

from uuid import UUID

import pytest

from silverwatch import clock
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site

NEW = {
    "hospital_number": "KE-77", "family_name": "Otieno", "given_name": "Zoë", "title": "Ms", "born_on": "1948-03-14",
    "sex": "F", "phone": "+254 700 000 001", "address": "Moi Avenue 1",
}  # fmt: skip


@pytest.fixture
def amina(site: Site, people: People) -> CheckedClient:
    """A caregiver of ward A."""
    site.client.sign_in(people.amina, PASSWORD)
    return site.client


@pytest.fixture
def path(cast: Cast) -> str:
    """The record of Achieng."""
    return f"/patients/{cast.achieng.patient_id}/record"


def add(client: CheckedClient, path: str, kind: str, **fields: str) -> UUID:
    """Add an entry; gives its id."""
    form_id = clock.new_id()
    answer = client.submit(f"{path}/{kind}", {"form_id": str(form_id), **fields})
    assert (answer.status_code, answer.location) == (303, f"{path}#{kind}")
    return form_id


def text(client: CheckedClient, path: str) -> str:
    """A page."""
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def banner(page: str) -> str:
    """Who it is, on top of a page."""
    return page.split('<header class="patient-head">')[1].split("</header>")[0]


def test_entries_stand_with_who_and_when_and_are_audited_without_what_they_say(
    site: Site, cast: Cast, amina: CheckedClient, path: str
) -> None:
    add(amina, path, "condition", what="COPD", detail="GOLD 3", happened_on="2019-05-02")
    add(amina, path, "surgery", what="Appendectomy")
    add(amina, path, "contact", what="Grace <b>", detail="daughter", phone="+254 711 000 222")
    page = text(amina, path)
    for words in (
        "COPD",
        "GOLD 3",
        "02-May-2019",
        "Appendectomy",
        "Grace &lt;b&gt;",
        'href="tel:+254711000222"',
        "Amina,",
    ):
        assert words in page, words
    rows = site.rows("SELECT patient_ids, detail::text FROM audit_entry WHERE action = 'record.added'")
    assert [row[0] for row in rows] == [[cast.achieng.patient_id]] * 3
    assert "COPD" not in str(rows)
    assert site.row("SELECT count(*) FROM audit_entry WHERE detail->>'view' = 'record'") == (1,)


def test_the_banner_of_every_page_shows_flags_and_allergies(
    site: Site, amina: CheckedClient, path: str
) -> None:
    patient = path.removesuffix("/record")
    assert "Not recorded" in banner(text(amina, patient))
    assert amina.submit(f"{path}/no-allergies").status_code == 303
    assert "None known" in banner(text(amina, patient))
    add(amina, path, "allergy", what="Penicillin", detail="Rash")
    add(amina, path, "flag", what="falls", detail="Fell twice at home, Dr Otieno")
    add(amina, path, "flag", what="do_not_resuscitate", detail="Agreed with the patient, Dr Otieno")
    for page in (patient, f"{patient}/notes", f"{patient}/tasks", f"{patient}/history", path):
        shown = banner(text(amina, page))
        assert "Penicillin" in shown
        assert shown.index("Do not resuscitate") < shown.index("Risk of falling")
        assert "None known" not in shown
    assert (
        "Penicillin was added."
        in site.row("SELECT ended_because FROM record_entry WHERE kind = 'no_allergies'")[0]
    )
    refused = amina.submit(f"{path}/no-allergies")
    assert (refused.status_code, "There are allergies in the record" in refused.get_data(as_text=True)) == (
        422,
        True,
    )


def test_the_oxygen_target_changes_no_score(site: Site, cast: Cast, amina: CheckedClient, path: str) -> None:
    add(amina, path, "flag", what="oxygen_88_92", detail="Blood gas of today, Dr Otieno")
    assert "decision of its own" in text(amina, path)
    assert site.row("SELECT spo2_scale FROM patient WHERE id = %s", cast.achieng.patient_id) == (1,)


def test_what_has_ended_stays_readable_with_the_reason(site: Site, amina: CheckedClient, path: str) -> None:
    entry = f"{path}/entries/{add(amina, path, 'flag', what='isolation', detail='MRSA')}/end"
    assert amina.submit(entry, {"detail": " "}).status_code == 422
    assert amina.submit(entry, {"detail": "Three swabs are clear."}).status_code == 303
    assert amina.submit(entry, {"detail": "Second thought."}).status_code == 303
    page = text(amina, path)
    assert "Three swabs are clear." in page
    assert "Second thought." not in page
    assert "Isolation" not in banner(page)
    assert "Back to the record" in text(amina, entry)
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'record.ended'") == (1,)
    add(amina, path, "flag", what="isolation", detail="MRSA again")


def test_a_resend_is_the_same_entry_and_a_flag_stands_once(
    site: Site, amina: CheckedClient, path: str
) -> None:
    form = {"form_id": str(clock.new_id()), "what": "falls", "detail": "Fell at home"}
    for _ in range(2):
        assert amina.submit(f"{path}/flag", form).status_code == 303
    again = amina.submit(f"{path}/flag", {**form, "form_id": str(clock.new_id())})
    assert (again.status_code, "End it first" in again.get_data(as_text=True)) == (422, True)
    assert site.row("SELECT count(*) FROM record_entry") == (1,)


@pytest.mark.parametrize(
    ("kind", "fields", "wrong"),
    [
        ("flag", {"what": "vip", "detail": "why not"}, ["what"]),
        ("flag", {"what": "falls"}, ["detail"]),
        ("allergy", {"what": "\0 "}, ["what"]),
        ("allergy", {"what": "x" * 201}, ["what"]),
        ("surgery", {"what": "Knee", "happened_on": "2099-01-01"}, ["happened_on"]),
        ("condition", {"what": "Gout", "happened_on": "soon"}, ["happened_on"]),
        ("contact", {"what": "Ann", "phone": "call me"}, ["phone"]),
        ("contact", {}, ["what", "phone"]),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    site: Site, amina: CheckedClient, path: str, kind: str, fields: dict[str, str], wrong: list[str]
) -> None:
    answer = amina.submit(f"{path}/{kind}", fields)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    for name in wrong:
        assert f'href="#{name}"' in page
    assert site.row("SELECT count(*) FROM record_entry") == (0,)


def test_an_unknown_part_of_a_record_and_a_foreign_entry_are_missing(
    site: Site, cast: Cast, amina: CheckedClient, path: str
) -> None:
    assert amina.get(f"{path}/secrets/new").status_code == 404
    assert amina.submit(f"{path}/no_allergies", {"what": "None"}).status_code == 404
    entry = add(amina, path, "allergy", what="Latex")
    other = f"/patients/{cast.baraka.patient_id}/record/entries/{entry}/end"
    assert amina.get(other).status_code == 404
    assert amina.submit(other, {"detail": "Not here"}).status_code == 404
    assert site.row("SELECT ended_at FROM record_entry") == (None,)


def test_a_correction_keeps_what_was_there(site: Site, cast: Cast, amina: CheckedClient, path: str) -> None:
    details = path.replace("/record", "/details")
    assert 'value="1950-03-04"' in text(amina, details)
    assert amina.submit(details, NEW).status_code == 303
    assert amina.submit(details, NEW).status_code == 303
    page = text(amina, path)
    for words in (
        "OTIENO, Zoë (Ms)",
        "KE-77",
        "14-Mar-1948",
        "Moi Avenue 1",
        "<s>Achieng</s> Otieno",
        "1 correction",
    ):
        assert words in page, words
    assert site.rows("SELECT detail->'fields' FROM audit_entry WHERE action = 'patient.changed'") == [
        (["address", "born_on", "family_name", "given_name", "hospital_number", "phone", "title"],)
    ]
    number = site.row("SELECT hospital_number FROM patient WHERE id = %s", cast.baraka.patient_id)[0]
    taken = amina.submit(details, {**NEW, "hospital_number": number})
    assert (taken.status_code, "Another patient has the hospital number" in taken.get_data(as_text=True)) == (
        422,
        True,
    )


def test_who_registers_a_patient_can_go_on_with_them(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    text(amina, "/patients/new")
    answer = amina.submit("/patients", NEW)
    assert answer.status_code == 303
    page = text(amina, answer.location)
    assert "OTIENO, Zoë (Ms)" in page
    assert "In no bed now" in page
    assert text(amina, answer.location.removesuffix("/record"))
    assert "OTIENO, Zoë" in text(amina, "/patients?q=otieno")
    bruno = site.browser()
    bruno.sign_in(people.bruno, PASSWORD)
    assert bruno.get(answer.location).status_code == 404
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'patient.registered'") == (1,)
    again = amina.submit("/patients", {**NEW, "given_name": "Ann", "sure": "yes"})
    assert (again.status_code, "There is a patient KE-77 already." in again.get_data(as_text=True)) == (
        422,
        True,
    )


def test_who_looks_like_somebody_known_is_asked_about_first(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    amina.submit("/patients", NEW)
    # Without the accent, and the names exchanged.
    twin = {**NEW, "hospital_number": "KE-78", "family_name": "ZOE", "given_name": "otieno"}
    asked = amina.submit("/patients", twin)
    page = asked.get_data(as_text=True)
    assert asked.status_code == 422
    assert "Is this patient registered already?" in page
    assert "<b>KE-77</b>" in page
    assert site.row("SELECT count(*) FROM audit_entry WHERE detail->>'view' = 'possible duplicates'") == (1,)
    assert site.row("SELECT count(*) FROM patient WHERE hospital_number = 'KE-78'") == (0,)
    assert amina.submit("/patients", {**twin, "sure": "yes"}).status_code == 303
    assert (
        amina.submit("/patients", {**NEW, "hospital_number": "KE-79", "born_on": "1948-03-15"}).status_code
        == 303
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("born_on", "1700-01-01"), ("born_on", "2099-01-01"), ("born_on", "x"), ("sex", "X"), ("family_name", " \0"),
     ("hospital_number", ""), ("address", "x" * 301), ("phone", "1" * 101)],
)  # fmt: skip
def test_details_that_are_wrong_are_sent_back(
    site: Site, cast: Cast, amina: CheckedClient, name: str, value: str
) -> None:
    before = site.row("SELECT count(*) FROM patient")
    answer = amina.submit("/patients", {**NEW, name: value})
    assert (answer.status_code, f'href="#{name}"' in answer.get_data(as_text=True)) == (422, True)
    assert site.row("SELECT count(*) FROM patient") == before


def test_an_emergency_opens_the_record_to_be_read(site: Site, cast: Cast, people: People, path: str) -> None:
    bruno = site.browser()
    bruno.sign_in(people.bruno, PASSWORD)
    assert bruno.get(path).status_code == 404
    number = site.row("SELECT hospital_number FROM patient WHERE id = %s", cast.achieng.patient_id)[0]
    bruno.submit(
        "/emergency-access", {"hospital_number": number, "reason": "Cardiac arrest", "password": PASSWORD}
    )
    assert "Add an allergy" not in text(bruno, path)
    for entry in (f"{path}/allergy", f"{path}/no-allergies", path.replace("/record", "/details")):
        assert bruno.submit(entry, {**NEW, "what": "Latex"}).status_code == 404


def test_a_name_or_number_has_no_sign_that_nobody_sees(site: Site, amina: CheckedClient) -> None:
    unseen = amina.submit("/patients", {**NEW, "family_name": "\u200b"})
    assert unseen.status_code == 422
    assert "Enter the family name." in unseen.get_data(as_text=True)
    turned = {**NEW, "hospital_number": "KE-\u202e77\u200b", "given_name": "Mi\u200dra"}
    assert amina.submit("/patients", turned).status_code == 303
    stored = site.row("SELECT hospital_number, given_name FROM patient WHERE family_name = 'Otieno'")
    assert stored == ("KE-77", "Mi\u200dra")
