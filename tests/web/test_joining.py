"""Getting an account: who is let in, what is told to whom, and what nobody learns."""

import threading
from datetime import timedelta

import pytest

from silverwatch import clock, db
from silverwatch.domain.access import Role
from silverwatch.domain.accounts import links, passwords
from silverwatch.domain.accounts import people as verbs
from silverwatch.domain.errors import ConflictError, DomainError
from tests.cast import Cast, People
from tests.conftest import Site
from tests.web.office import (
    BASE,
    NEW,
    Office,
    account_id,
    administrator,
    audited,
    later,
    mail,
    path_in,
    register,
    text_of,
)


@pytest.fixture
def ada(site: Site, people: People) -> Office:
    """The administrator."""
    return administrator(site, people)


# Invitations


def test_an_invited_person_chooses_a_password_and_signs_in(site: Site, ada: Office, cast: Cast) -> None:
    ada.invite(ward_ids=[cast.achieng.ward_id])
    assert site.browser().sign_in("new@a.example", NEW).status_code == 422
    (letter,) = mail(site, "new@a.example")
    path = path_in(letter)
    page = site.client.get(path)
    assert page.status_code == 200
    assert "Nia New" in text_of(page)
    assert "Caregiver" in text_of(page)
    answer = site.client.submit(path, {"password": NEW})
    assert (answer.status_code, answer.location) == (303, "/login?done=welcome")
    assert "Your account is ready" in text_of(site.client.get(answer.location))
    assert site.client.sign_in("new@a.example", NEW).location == "/ward"
    assert [outcome for outcome, _ in audited(site, "account.invited")] == ["done"]
    assert [outcome for outcome, _ in audited(site, "invitation.accepted")] == ["done"]


def test_a_bad_password_does_not_use_the_link_up(site: Site, ada: Office) -> None:
    ada.invite()
    path = path_in(mail(site, "new@a.example")[0])
    for password in ("", "short", "password1234", "x" * 300):
        answer = site.client.submit(path, {"password": password})
        assert answer.status_code == 422
        assert "<title>Error: " in text_of(answer)
    assert site.client.submit(path, {"password": NEW}).status_code == 303


def test_dead_links_of_every_kind_look_the_same(
    site: Site, ada: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada.invite()
    replaced = path_in(mail(site, "new@a.example")[0])
    ada.invite()
    used = path_in(mail(site, "new@a.example")[1])
    site.client.submit(used, {"password": NEW})
    ada.invite("late@a.example")
    late = path_in(mail(site, "late@a.example")[0])
    void = ada.invite("void@a.example")
    ended = path_in(mail(site, "void@a.example")[0])
    ada.deactivate(void)
    other_kind = used.replace("/welcome/", "/reset/")
    before = len(audited(site, "access.refused"))
    with later(monkeypatch, timedelta(hours=72, seconds=1)):
        answers = [site.client.get(late), site.client.submit(late, {"password": NEW})]
    for path in (replaced, used, ended, other_kind, "/welcome/x", "/confirm/" + "y" * 5000, "/email/%00%ff"):
        answers += [site.client.get(path), site.client.submit(path, {"password": NEW})]
    assert {answer.status_code for answer in answers} == {404}
    assert len({text_of(answer) for answer in answers}) == 1
    assert "This link has ended" in text_of(answers[0])
    assert len(audited(site, "access.refused")) == before + len(answers)
    routes = site.rows("SELECT detail->>'route' FROM audit_entry WHERE action = 'access.refused'")
    assert ("/welcome/<token>",) in routes


def test_a_link_still_works_in_its_last_minute(
    site: Site, ada: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada.invite()
    path = path_in(mail(site, "new@a.example")[0])
    with later(monkeypatch, timedelta(hours=71, minutes=59)):
        assert site.client.submit(path, {"password": NEW}).status_code == 303


def test_of_two_who_use_a_link_at_once_one_gets_in(site: Site, ada: Office) -> None:
    ada.invite()
    token = path_in(mail(site, "new@a.example")[0]).rsplit("/", 1)[1]
    start, ends = threading.Barrier(4), []

    def accept(number: int) -> None:
        start.wait()
        try:
            with db.transaction() as session:
                verbs.accept_invitation(
                    session, token=token, password=f"{NEW} number {number}", now=clock.now()
                )
            ends.append("in")
        except links.LinkEndedError:
            ends.append("ended")

    threads = [threading.Thread(target=accept, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["ended", "ended", "ended", "in"]


def test_tokens_are_random_and_only_their_hash_is_kept(site: Site, ada: Office) -> None:
    ada.invite()
    token = path_in(mail(site, "new@a.example")[0]).rsplit("/", 1)[1]
    (row,) = site.row("SELECT l::text FROM one_time_link l")
    assert token not in row
    assert len(token) == 43
    assert token not in str(site.rows("SELECT a::text FROM audit_entry a"))


def test_an_address_in_use_cannot_be_invited(site: Site, ada: Office, people: People) -> None:
    with pytest.raises(ConflictError):
        ada.invite(people.amina.upper())
    assert mail(site, people.amina) == []


def test_a_registration_that_nobody_approved_does_not_block_an_invitation(site: Site, ada: Office) -> None:
    """Else a stranger could keep a nurse out by registering her address; nor does the stranger's password work."""
    register(site, "nurse@a.example", password="the strangers own words")
    found = account_id(site, "nurse@a.example")
    confirm = path_in(mail(site, "nurse@a.example")[0])
    assert ada.invite("nurse@a.example", role=Role.TECHNICIAN) == found
    assert site.client.get(confirm).status_code == 404
    assert site.browser().sign_in("nurse@a.example", "the strangers own words").status_code == 422
    site.client.submit(path_in(mail(site, "nurse@a.example")[1]), {"password": NEW})
    assert site.client.sign_in("nurse@a.example", NEW).location == "/devices"


def test_an_invitation_says_what_is_wrong_with_it(site: Site, ada: Office, cast: Cast) -> None:
    nowhere = clock.new_id()
    for more in (
        {"email": "nobody"},
        {"name": "a\0b"},
        {"name": ""},
        {"role": Role.DISPLAY},
        {"role": Role.PATIENT},
        {"role": Role.PATIENT, "patient_id": nowhere},
        {"role": Role.PATIENT, "patient_id": cast.achieng.patient_id},  # patience has it
        {"role": Role.PATIENT, "patient_id": cast.baraka.patient_id, "ward_ids": [cast.achieng.ward_id]},
        {"ward_ids": [nowhere]},
    ):
        with pytest.raises(DomainError):
            ada.invite(**more)  # type: ignore[arg-type]
    assert site.rows("SELECT 1 FROM letter") == []
    assert site.rows("SELECT 1 FROM account WHERE email LIKE 'new@%%'") == []


# Registration


def test_who_registers_is_a_patient_who_waits_whatever_else_the_form_says(
    site: Site, ada: Office, cast: Cast
) -> None:
    answer = register(
        site, role="admin", is_staff="true", approved_at="2020-01-01", ward_ids=str(cast.achieng.ward_id),
        patient_id=str(cast.baraka.patient_id), email_confirmed_at="2020-01-01",
    )  # fmt: skip
    assert (answer.status_code, answer.location) == (303, "/register/sent")
    row = site.row(
        "SELECT role, patient_id, approved_at, email_confirmed_at FROM account WHERE email = 'mary@b.example'"
    )
    assert row == ("patient", None, None, None)
    assert site.rows(
        "SELECT 1 FROM membership m JOIN account a ON a.id = m.account_id WHERE a.email LIKE 'mary%%'"
    ) == []  # fmt: skip


def test_from_registration_to_the_first_page(site: Site, ada: Office, cast: Cast) -> None:
    register(site)
    browser = site.browser()
    assert "Open the link that we sent" in text_of(browser.sign_in("mary@b.example", NEW))
    mary = account_id(site, "mary@b.example")
    with pytest.raises(ConflictError, match="not confirmed"):
        ada.approve(mary, cast.baraka.patient_id)
    path = path_in(mail(site, "mary@b.example")[0])
    assert browser.get(path).status_code == 200
    assert site.row("SELECT email_confirmed_at FROM account WHERE id = %s", mary) == (
        None,
    )  # a scanner's GET
    assert browser.submit(path, {"password": "short"}).status_code == 422
    assert browser.submit(path, {"password": NEW}).location == "/confirm"
    assert browser.get("/confirm").status_code == 200
    assert "waits for an administrator" in text_of(browser.sign_in("mary@b.example", NEW))
    with pytest.raises(ConflictError, match="another account"):
        ada.approve(mary, cast.achieng.patient_id)
    ada.approve(mary, cast.baraka.patient_id)
    assert f"{BASE}/login" in mail(site, "mary@b.example")[1]
    assert browser.sign_in("mary@b.example", NEW).location == "/portal"
    with pytest.raises(ConflictError):
        ada.approve(mary, cast.baraka.patient_id)
    for action in ("account.registered", "account.confirmed", "account.approved"):
        assert audited(site, action) == [("done", f"account:{mary}")]


def test_a_known_address_gets_the_same_answer_and_another_letter(
    site: Site, ada: Office, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = []
    true = passwords.hash_new
    monkeypatch.setattr(passwords, "hash_new", lambda *a, **k: hashes.append(1) or true(*a, **k))
    before = site.row("SELECT a::text FROM account a WHERE email = %s", people.amina)
    answers = [register(site, email) for email in ("unknown@b.example", people.amina.upper())]
    assert len(hashes) == 2
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, "/register/sent")}
    assert len({text_of(answer) for answer in answers}) == 1
    assert site.row("SELECT a::text FROM account a WHERE email = %s", people.amina) == before
    (known,) = mail(site, people.amina)
    assert "nothing was changed" in known
    assert len(mail(site, "unknown@b.example")) == 1
    # What a stranger typed never stands in a letter to somebody else.
    assert "Mary" not in known + mail(site, "unknown@b.example")[0]


def test_the_password_is_that_of_who_holds_the_mailbox(site: Site, ada: Office) -> None:
    register(site)
    register(site, password="what a stranger typed")
    first, second = (path_in(letter) for letter in mail(site, "mary@b.example"))
    assert site.client.submit(first, {"password": NEW}).status_code == 404
    assert site.client.submit(second, {"password": NEW}).status_code == 303
    assert "do not fit" in text_of(site.browser().sign_in("mary@b.example", "what a stranger typed"))
    assert "waits for" in text_of(site.browser().sign_in("mary@b.example", NEW))
    register(site, password="what a stranger typed")
    assert "waits for" in text_of(site.browser().sign_in("mary@b.example", NEW))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Mary\u202e Wanjiru"}, "name"),
        ({"name": "Mary\nWanjiru"}, "name"),
        ({"name": "n" * 100_000}, "name"),
        ({"email": "mary"}, "email"),
        ({"email": "a@b.example\r\nBcc: c@b.example"}, "email"),
        ({"email": "\0" * 3000}, "email"),
        ({"password": ""}, "password"),
        ({"password": "Password1234"}, "password"),
        ({"password": "mary wanjiru 1"}, "password"),
        ({"password": "x" * 100_000}, "password"),
    ],
)
def test_bad_input_comes_back_with_what_to_do(site: Site, fields: dict[str, str], field: str) -> None:
    answer = register(site, **fields)
    assert answer.status_code == 422
    page = text_of(answer)
    assert "There is a problem" in page
    assert f'id="{field}-error"' in page
    assert "<title>Error: " in page
    assert NEW not in page
    assert site.rows("SELECT 1 FROM account") == []
    assert site.rows("SELECT 1 FROM letter") == []


def test_missing_and_repeated_fields_are_no_fault(site: Site) -> None:
    browser = site.browser()
    assert browser.submit("/register").status_code == 422
    assert (
        browser.submit("/register", {"name": ["a", "b"], "email": ["x@a.example", "y@a.example"]}).status_code
        == 422
    )
    assert browser.submit("/forgot").status_code == 422
    assert browser.post("/register", data=b"\xff\xfe", content_type="text/plain").status_code == 400
