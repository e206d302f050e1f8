"""Passwords, tokens and names: where they may be, and where they may not."""

import logging
import re

import pytest

from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.jobs.posting import judge, post
from tests.security.routes import Visitor, visits


def public_pages(site: Site) -> dict[str, str]:
    """What anybody may read."""
    visitor = Visitor(site, People(), "anonymous")
    return {
        route.rule: visitor.visit(route, "GET").get_data(as_text=True)
        for route in visits(site.app)
        if "GET" in route.methods and not route.is_socket and route.rule != "/static/<path:filename>"
    }


def test_fields_hide_what_is_typed_and_let_it_be_pasted(site: Site, people: People) -> None:
    pages = public_pages(site)
    site.client.sign_in(people.amina, PASSWORD)
    for path in ("/profile/password", "/profile/email", "/reauthenticate", "/emergency-access"):
        pages[path] = site.client.get(path).get_data(as_text=True)
    fields = [tag for page in pages.values() for tag in re.findall(r"<input [^>]*>", page)]
    secret = [tag for tag in fields if re.search(r'name="(password|current|new)"', tag)]
    assert len(secret) >= 6
    for tag in secret:
        assert 'type="password"' in tag
        assert re.search(r'autocomplete="(current|new)-password"', tag), tag
        assert not re.search(r"onpaste|readonly|maxlength", tag), tag


def test_a_password_is_taken_as_it_was_typed(site: Site, people: People) -> None:
    assert site.browser().sign_in(people.amina, PASSWORD).status_code == 303
    for other in (
        PASSWORD.upper(),
        f" {PASSWORD}",
        f"{PASSWORD} ",
        f"{PASSWORD}\t",
        PASSWORD[:-1],
        f"{PASSWORD}\0",
    ):
        assert site.browser().sign_in(people.amina, other).status_code in {422, 429}, repr(other)


def test_nobody_asks_for_hints_or_secret_answers(site: Site) -> None:
    for rule, page in public_pages(site).items():
        assert not re.search(
            r"secret question|security question|password hint|maiden", page, re.IGNORECASE
        ), rule


def token_of(browser: object) -> str:
    """The secret in the cookie."""
    with browser.session_transaction() as kept:  # type: ignore[attr-defined]
        return str(kept["_user_id"])


def test_tokens_of_sessions_are_random_and_kept_as_hashes(site: Site, people: People) -> None:
    tokens = set()
    for _ in range(5):
        browser = site.browser()
        browser.sign_in(people.amina, PASSWORD)
        tokens.add(token_of(browser))
    assert len(tokens) == 5
    assert all(len(token) >= 43 for token in tokens), "256 bits"
    stored = " ".join(
        str(row) for row in site.rows("SELECT s::text, encode(token_hash, 'escape') FROM login_session s")
    )
    assert not [token for token in tokens if token in stored]


def test_signing_in_again_makes_the_old_token_dead(site: Site, people: People) -> None:
    site.client.get("/login")
    planted = site.client.get_cookie("sw")
    site.client.sign_in(people.amina, PASSWORD)
    first = token_of(site.client)
    after = site.client.get_cookie("sw")
    assert planted is None or after is None or planted.value != after.value
    assert site.client.submit("/reauthenticate", {"password": PASSWORD}).status_code == 303
    assert token_of(site.client) != first
    thief = site.browser()
    with thief.session_transaction() as kept:
        kept["_user_id"] = first
    assert thief.get("/ward/a").location == "/login?next=/ward/a"


@pytest.mark.parametrize(
    "path",
    [
        "/.git/HEAD",
        "/.env",
        "/static/",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/pyproject.toml",
        "/migrations/HEAD",
    ],
)
def test_nothing_but_the_static_files_is_served(site: Site, path: str) -> None:
    assert site.client.get(path).status_code == 404


def test_the_log_holds_no_secret_and_no_patient(
    site: Site, cast: Cast, people: People, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    site.client.sign_in(people.amina, "wrong horse battery")
    site.client.sign_in(people.amina, PASSWORD)
    token = token_of(site.client)
    post(site, cast.achieng.key, [(1, {"oxygen_saturation": 71})])
    judge()
    site.client.post("/api/readings/", data=b"{", headers={"Authorization": f"Bearer {cast.achieng.key}"})
    site.client.post("/api/readings/", json={}, headers={"Authorization": "Bearer swd_nobody"})
    for path in (
        "/ward/a",
        f"/patients/{cast.achieng.patient_id}",
        f"/patients/{cast.chebet.patient_id}",
        "/nothing",
    ):
        site.client.get(path)
    for word in (PASSWORD, "wrong horse", token, cast.achieng.key, "ACHIENG", "Achieng", people.amina):
        assert word not in caplog.text, word
