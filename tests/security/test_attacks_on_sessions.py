"""A review's attacks on sessions: less than what is owed opens less, and whoever is out stays out."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from silverwatch import clock, db
from silverwatch.domain.accounts import links, passwords
from silverwatch.domain.accounts import people as verbs
from silverwatch.web import letters
from tests.api.calling import log_in, me, post
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.web.factor import code_of, turn_on
from tests.web.office import NEW, account_id, administrator, mail, path_in

STEP_UP = "/admin/keys/new"


def signed_in_with_code(site: Site, email: str) -> CheckedClient:
    """A browser in which the password and the code were given, an hour ago."""
    seed, _ = turn_on(site, email)
    browser = site.browser()
    browser.sign_in(email, PASSWORD)
    assert browser.submit("/login/code", {"code": code_of(seed)}).status_code == 303
    with site.cursor() as cur:
        cur.execute("UPDATE login_session SET proved_at = proved_at - interval '1 hour'")
    return browser


@pytest.mark.parametrize("way", ["a locked screen", "a new password"])
def test_the_password_without_the_code_is_no_step_up_where_there_is_a_second_factor(
    site: Site, people: People, way: str
) -> None:
    ada = signed_in_with_code(site, people.ada)
    assert ada.get(STEP_UP).location == f"/reauthenticate?next={STEP_UP}", "it asks for password and code"
    token = ada.token()
    if way == "a locked screen":
        ada.post("/lock", data={"csrf_token": token})
        given = ada.post("/unlock", data={"csrf_token": token, "password": PASSWORD})
    else:
        given = ada.post("/profile/password", data={"csrf_token": token, "current": PASSWORD, "new": NEW})
    assert given.status_code == 303
    assert ada.get(STEP_UP).status_code == 303, "and it still does"
    ada.submit("/profile/second-factor/removal")
    assert site.row("SELECT count(*) FROM totp") == (1,)


def test_a_session_ends_after_twelve_hours_however_busy_it_is(site: Site, cast: Cast, people: People) -> None:
    """The page, its polls and the tokens of a program: with the last second of the session all are dead."""
    site.client.sign_in(people.amina, PASSWORD)
    tokens = log_in(site, people.amina)
    lengths = site.rows("SELECT expires_at - created_at FROM login_session")
    assert lengths == [(timedelta(hours=12),)] * 2
    with site.cursor() as cur:
        cur.execute("UPDATE login_session SET expires_at = now() + interval '1 hour', active_at = now()")
    assert site.client.get("/ward/a").status_code == 200
    assert me(site, tokens["access"]).status_code == 200
    with site.cursor() as cur:
        cur.execute("UPDATE login_session SET expires_at = now(), active_at = now()")
    assert site.client.get("/ward/a").location == "/login?next=/ward/a"
    assert site.client.get(f"/beds/{cast.achieng.bed_id}/tile").status_code == 303
    assert me(site, tokens["access"]).status_code == 401
    assert post(site, "refresh", {"refresh": tokens["refresh"]}).status_code == 401


def meanwhile(monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]) -> None:
    """While the next password is hashed, somebody else does this and commits."""
    true, done = passwords.fits, []

    def fits(password_hash: str | None, password: str) -> bool:
        answer = true(password_hash, password)
        if not done:
            done.append(True)
            other = threading.Thread(target=work)
            other.start()
            other.join()
        return answer

    monkeypatch.setattr(passwords, "fits", fits)


def test_a_sign_in_with_the_old_password_that_was_on_its_way_opens_nothing_after_a_reset(
    site: Site, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    amina = account_id(site, people.amina)

    def reset() -> None:
        now = clock.now()
        with site.app.app_context(), db.transaction() as session:
            token = links.make(session, kind="reset", account_id=amina, email=people.amina, now=now)
            verbs.reset_password(session, token=token, password=NEW, now=now, tell=letters.tell)

    thief = site.browser()
    meanwhile(monkeypatch, reset)
    thief.sign_in(people.amina, PASSWORD)
    assert thief.get("/ward/a").location == "/login?next=/ward/a"


def test_a_sign_in_that_meets_a_deactivation_is_refused_and_does_not_fail(
    site: Site, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, amina = administrator(site, people), account_id(site, people.amina)
    meanwhile(monkeypatch, lambda: office.deactivate(amina))
    assert site.browser().sign_in(people.amina, PASSWORD).status_code == 422


def test_who_does_not_have_the_second_factor_ends_nobodys_session(site: Site, people: People) -> None:
    """A stolen password is half of what is needed: it must not take the board away from who has both halves."""
    seed, _ = turn_on(site, people.amina)
    nurse = site.browser()
    nurse.sign_in(people.amina, PASSWORD)
    nurse.submit("/login/code", {"code": code_of(seed)})
    for _ in range(6):
        assert site.browser().sign_in(people.amina, PASSWORD).location == "/login/code"
    assert nurse.get("/ward/a").status_code == 200


def test_confirming_an_address_does_not_open_the_account_to_a_strangers_password(
    site: Site, cast: Cast, people: People
) -> None:
    """A stranger who registers the same address after the patient: her click must not let in his password."""
    patient, stranger = site.browser(), site.browser()
    sent: dict[str, Any] = {"name": "Pat", "email": "pat@x.example"}
    patient.submit("/register", {**sent, "password": "the patient's own words"})
    stranger.submit("/register", {**sent, "password": "what the stranger chose"})
    patient.submit(path_in(mail(site, "pat@x.example")[-1]), {"password": "the patient's own words"})
    account = account_id(site, "pat@x.example")
    if site.row("SELECT email_confirmed_at IS NOT NULL FROM account WHERE id = %s", account)[0]:
        administrator(site, people).approve(account, cast.baraka.patient_id)
    stranger.sign_in("pat@x.example", "what the stranger chose")
    assert stranger.get("/portal").status_code == 303
