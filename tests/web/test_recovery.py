"""Getting back into an account and keeping it: forgotten and changed passwords, a new address, how often."""

from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from silverwatch import clock
from silverwatch.domain.accounts import people as verbs
from silverwatch.domain.errors import DomainError
from silverwatch.web import letters
from tests.cast import PASSWORD, People
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
    text_of,
)


@pytest.fixture
def ada(site: Site, people: People) -> Office:
    """The administrator."""
    return administrator(site, people)


# Forgotten passwords


def forgot(site: Site, email: str) -> TestResponse:
    return site.browser().submit("/forgot", {"email": email})


def test_a_reset_ends_every_session_and_keeps_the_second_factor(
    site: Site, ada: Office, people: People
) -> None:
    with site.cursor() as cur:
        amina = account_id(site, people.amina)
        cur.execute(
            "INSERT INTO totp (account_id, secret, created_at, confirmed_at) VALUES (%s, 'x', now(), now())",
            (amina,),
        )
    assert site.client.sign_in(people.amina, PASSWORD).location.startswith("/login/code")
    forgot(site, f" {people.amina.upper()} ")
    path = path_in(mail(site, people.amina)[0])
    assert site.browser().get(path).status_code == 200
    answer = site.browser().submit(path, {"password": NEW})
    assert (answer.status_code, answer.location) == (303, "/login?done=reset")
    assert site.client.get("/ward").location.startswith("/login?")
    assert site.rows("SELECT 1 FROM login_session WHERE account_id = %s AND ended_at IS NULL", amina) == []
    assert "was changed" in mail(site, people.amina)[1]
    assert site.browser().sign_in(people.amina, PASSWORD).status_code == 422
    assert site.browser().sign_in(people.amina, NEW).location.startswith("/login/code")
    assert site.browser().get(path).status_code == 404
    assert audited(site, "password.reset") == [("done", f"account:{amina}")]


def test_nobody_learns_who_has_an_account(site: Site, ada: Office, people: People) -> None:
    ada.invite("invited@a.example")
    ada.deactivate(account_id(site, people.bruno))
    sent = site.rows("SELECT count(*) FROM letter")
    unknown = ("nobody@a.example", people.bruno, "invited@a.example")
    answers = [forgot(site, email) for email in unknown]
    assert site.rows("SELECT count(*) FROM letter") == sent
    answers.append(forgot(site, people.amina))
    assert len(mail(site, people.amina)) == 1
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, "/forgot/sent")}
    assert len({text_of(answer) for answer in answers}) == 1
    outcomes = [outcome for outcome, _ in audited(site, "password.reset_requested")]
    assert outcomes == ["refused", "refused", "refused", "done"]
    assert site.rows("SELECT 1 FROM one_time_link WHERE kind = 'reset'") == [(1,)]


def test_an_hour_later_the_reset_link_is_dead(
    site: Site, ada: Office, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgot(site, people.amina)
    path = path_in(mail(site, people.amina)[0])
    with later(monkeypatch, timedelta(minutes=61)):
        assert site.client.submit(path, {"password": NEW}).status_code == 404
    assert site.client.submit(path, {"password": NEW}).status_code == 303


def test_a_link_in_a_letter_never_begins_with_the_host_of_the_request(site: Site, people: People) -> None:
    token = site.client.token()
    fields = {"email": people.amina, "csrf_token": token}
    site.client.post("/forgot", data=fields, headers={"X-Forwarded-Host": "evil.example"})
    (letter,) = mail(site, people.amina)
    assert "evil" not in letter
    path_in(letter)


# How often


@pytest.mark.parametrize("page", ["/register", "/forgot"])
def test_after_five_letters_to_an_address_one_waits(
    site: Site, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"name": "Mary", "email": "mary@b.example", "password": NEW}
    browser = site.browser()
    assert {browser.submit(page, fields).status_code for _ in range(5)} == {303}
    written = site.rows("SELECT count(*) FROM letter")
    refused = browser.submit(page, {**fields, "email": "MARY@b.example"})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 720
    assert "Too many tries" in text_of(refused)
    assert site.rows("SELECT count(*) FROM letter") == written
    assert browser.submit(page, {**fields, "email": "other@b.example"}).status_code == 303
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    assert browser.submit(page, fields, environ_overrides=elsewhere).status_code == 303
    with later(monkeypatch, timedelta(minutes=13)):
        assert browser.submit(page, fields).status_code == 303
    action = {"/register": "account.registered", "/forgot": "password.reset_requested"}[page]
    reasons = site.rows("SELECT detail->>'because' FROM audit_entry WHERE action = %s ORDER BY seq", action)
    assert [reason for (reason,) in reasons].count("too many tries") == 1


def test_twenty_addresses_an_hour_are_enough_for_one_network(site: Site) -> None:
    browser = site.browser()
    answers = [browser.submit("/forgot", {"email": f"p{n}@b.example"}).status_code for n in range(21)]
    assert answers == [303] * 20 + [429]


# Changing what somebody has


def test_a_new_password_ends_the_other_sessions(site: Site, ada: Office, people: People) -> None:
    here, there = site.browser(), site.browser()
    here.sign_in(people.amina, PASSWORD)
    (mine,) = site.row("SELECT id FROM login_session")
    there.sign_in(people.amina, PASSWORD)
    amina = account_id(site, people.amina)

    def change(current: str, new: str) -> None:
        with ada.session() as session:
            verbs.change_password(
                session, account_id=amina, current=current, new=new, keep_session=mine, now=clock.now(),
                tell=letters.tell,
            )  # fmt: skip

    with pytest.raises(verbs.WrongPasswordError):
        change("not the one I have", NEW)
    for new in (PASSWORD, "short", "amina at the door"):
        with pytest.raises(DomainError):
            change(PASSWORD, new)
    assert there.get("/ward").status_code in {302, 303}
    assert mail(site, people.amina) == []
    change(PASSWORD, NEW)
    assert here.get("/ward/a").status_code == 200
    assert there.get("/ward/a").location.startswith("/login")
    assert len(mail(site, people.amina)) == 1
    assert audited(site, "password.changed") == [("done", f"account:{amina}")]


def test_a_new_address_counts_once_its_link_was_opened(site: Site, ada: Office, people: People) -> None:
    here, there = site.browser(), site.browser()
    for browser in (here, there):
        browser.sign_in(people.amina, PASSWORD)
    change_address(ada, people.amina, "amina@new.example")
    path = path_in(mail(site, "amina@new.example")[0])
    assert here.get(path).status_code == 200
    assert account_id(site, people.amina)
    token = here.get(path).get_data(as_text=True).split('name="csrf_token" value="')[1].split('"')[0]
    answer = here.post(path, data={"csrf_token": token})
    assert (answer.status_code, answer.location) == (303, "/email")
    assert here.get("/email").status_code == 200
    assert here.get("/ward/a").status_code == 200
    assert there.get("/ward/a").location.startswith("/login")
    assert "another e-mail address" in mail(site, people.amina)[0]
    assert "amina@new" not in mail(site, people.amina)[0]
    assert site.browser().sign_in(people.amina, PASSWORD).status_code == 422
    assert site.browser().sign_in("amina@new.example", PASSWORD).status_code == 303


def test_an_address_that_somebody_has_is_told_to_them_alone(site: Site, ada: Office, people: People) -> None:
    change_address(ada, people.amina, people.bruno)
    (letter,) = mail(site, people.bruno)
    assert "/email/" not in letter
    assert "nothing was changed" in letter
    with pytest.raises(DomainError, match="already"):
        change_address(ada, people.amina, people.amina)


def test_an_address_taken_meanwhile_ends_the_link(site: Site, ada: Office, people: People) -> None:
    change_address(ada, people.amina, "wanted@a.example")
    path = path_in(mail(site, "wanted@a.example")[0])
    ada.invite("wanted@a.example")
    assert site.client.submit(path).status_code == 404
    assert account_id(site, people.amina)


def change_address(ada: Office, email: str, new: str) -> None:
    with ada.session() as session:
        verbs.request_email_change(
            session, account_id=account_id(ada.site, email), email=new, base_url=BASE, now=clock.now(),
            tell=letters.tell,
        )  # fmt: skip
