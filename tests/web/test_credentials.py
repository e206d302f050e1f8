"""A new password, a new e-mail address: only with the present password, and everybody concerned is told."""

from typing import Any

from silverwatch.blueprints.auth import credentials
from tests.cast import PASSWORD, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.web.account_steps import audited, id_of, signed_in

NEW = "another horse entirely"
NEW_EMAIL = "amina@new.example"


def letters_to(site: Site, email: str) -> list[Any]:
    """Subjects and bodies of what was written to this address."""
    return site.rows("SELECT subject, body FROM letter WHERE address = %s ORDER BY created_at", email)


def change_password(browser: CheckedClient, current: str = PASSWORD, new: str = NEW) -> Any:
    """Send the form."""
    return browser.submit("/profile/password", {"current": current, "new": new})


def change_email(browser: CheckedClient, current: str = PASSWORD, email: str = NEW_EMAIL) -> Any:
    """Send the form."""
    return browser.submit("/profile/email", {"current": current, "email": email})


def test_a_changed_password_ends_every_other_sign_in(site: Site, people: People) -> None:
    here, elsewhere = signed_in(site, people.amina), signed_in(site, people.amina)
    cookie = here.get_cookie("sw")
    assert cookie is not None
    assert change_password(here).location == "/profile?saved=password"
    assert "Your password is changed." in here.get("/profile?saved=password").get_data(as_text=True)
    assert elsewhere.get("/profile").location == "/login?next=/profile"
    thief = site.browser()
    thief.set_cookie("sw", cookie.value)
    assert thief.get("/profile").location == "/login?next=/profile"
    assert site.browser().sign_in(people.amina, PASSWORD).status_code == 422
    assert site.browser().sign_in(people.amina, NEW).status_code == 303
    assert [row[0] for row in audited(site, "password.changed")] == ["done"]
    assert len(letters_to(site, people.amina)) == 1


def test_a_password_is_changed_only_with_the_present_one(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    page = change_password(browser, current="wrong horse battery")
    assert page.status_code == 422
    text = page.get_data(as_text=True)
    assert "<title>Error: Change your password" in text
    assert 'id="current-error"' in text
    assert NEW not in text
    assert [row[:2] for row in audited(site, "password.changed")] == [
        ("refused", {"because": "wrong password"})
    ]
    assert site.browser().sign_in(people.amina, PASSWORD).status_code == 303


def test_five_wrong_passwords_end_the_session(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    answers = [change_password(browser, current="wrong horse") for _ in range(3)]
    answers += [change_email(browser, current="wrong horse") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [422] * 4 + [303]
    assert answers[-1].location.startswith("/login")
    assert browser.get("/profile").location == "/login?next=/profile"
    assert site.rows("SELECT 1 FROM login_session WHERE ended_at IS NULL") == []


def test_a_new_password_must_be_a_good_one(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    for new in ("", "short", "x" * 257, PASSWORD):
        answer = change_password(browser, new=new)
        assert answer.status_code == 422, new
        assert 'id="new-error"' in answer.get_data(as_text=True)
    assert change_password(browser, current="").status_code == 422
    assert site.browser().sign_in(people.amina, PASSWORD).status_code == 303
    assert audited(site, "password.changed") == []
    assert change_password(browser).status_code == 303


def test_a_new_address_is_asked_first(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    answer = change_email(browser, email=" Amina@New.example ")
    assert answer.location == "/profile/email?sent=1"
    page = browser.get("/profile/email?sent=1").get_data(as_text=True)
    assert "We have sent a letter to the new address." in page
    assert id_of(site, people.amina)
    ((_, body),) = letters_to(site, NEW_EMAIL)
    assert f"{site.config.base_url}/email/" in body
    assert [row[0] for row in audited(site, "email.change_requested")] == ["done"]


def test_whose_an_address_is_stays_unsaid(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    free, taken = change_email(browser), change_email(browser, email=people.bruno)
    assert (free.status_code, free.location) == (taken.status_code, taken.location)
    assert free.data == taken.data
    ((_, body),) = letters_to(site, people.bruno)
    assert "/email/" not in body


def test_an_address_that_cannot_be_is_refused(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    for email in (
        "",
        "amina",
        "a@b",
        people.amina,
        "x" * 300 + "@a.example",
        "a@a.example\nBcc: b@b.example",
    ):
        answer = change_email(browser, email=email)
        text = answer.get_data(as_text=True)
        assert answer.status_code == 422, email
        assert "<title>Error: Change your e-mail address" in text
        assert 'id="email-error"' in text
    wrong = change_email(browser, current="wrong horse battery")
    assert wrong.status_code == 422
    assert NEW_EMAIL in wrong.get_data(as_text=True)
    assert site.rows("SELECT 1 FROM letter") == []


def test_a_mailbox_is_not_filled(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    tries = credentials.LETTERS.tries
    codes = [change_email(browser).status_code for _ in range(tries + 1)]
    assert codes == [303] * tries + [422]
    assert len(letters_to(site, NEW_EMAIL)) == tries
