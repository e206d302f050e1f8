"""Tokens that are not ours, or not for this: each is refused with exactly one row in the audit and no 5xx."""

from dataclasses import replace
from typing import Any

import pytest

from tests.api.calling import log_in, me, post, refusals
from tests.api.forging import ATTACKS, claims, header, opened, part
from tests.api.posting import problem
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site


@pytest.mark.parametrize("about", ATTACKS)
def test_a_forged_token_is_refused_once(site: Site, people: People, about: str) -> None:
    tokens = log_in(site, people.amina)
    seen = {name: refusal(site, forge(site, tokens)) for name, forge in ATTACKS[about].items()}
    assert seen == dict.fromkeys(ATTACKS[about], [(401, "Bearer", ["access.refused"])] * 2)
    assert me(site, tokens["access"]).status_code == 200


def refusal(site: Site, forged: str) -> list[tuple[int, str, list[str]]]:
    """What reading and changing something with this token gives: status, scheme and rows of the audit."""
    seen = []
    for method, path in (("GET", "me"), ("POST", "logout")):
        before = len(refusals(site))
        answer = site.browser().open(
            f"/api/auth/{path}/", method=method, headers={"Authorization": f"Bearer {forged}"}
        )
        assert answer.content_type == "application/problem+json"
        actions = [action for action, _ in refusals(site)[before:]]
        seen.append((answer.status_code, answer.headers.get("WWW-Authenticate", "")[:6], actions))
    return seen


def test_the_true_token_made_by_hand_is_good(site: Site, people: People) -> None:
    """So that the attacks fail for what they change, and not for how they are made."""
    tokens = log_in(site, people.amina)
    for forge in (header(), claims()):
        assert me(site, forge(site, tokens)).status_code == 200


def test_a_header_that_is_no_bearer_is_refused_once(site: Site, people: People) -> None:
    token = log_in(site, people.amina)["access"]
    for sent in (f"Basic {part(b'amina@a.example:' + PASSWORD.encode())}", f"Token {token}", token, "Bearer\t" + token,
                 "Digest username=a"):  # fmt: skip
        before = len(refusals(site))
        problem(site.browser().get("/api/auth/me/", headers={"Authorization": sent}), 401)
        assert len(refusals(site)) == before + 1, sent


def test_no_token_at_all_is_asked_for_one_and_makes_no_row(site: Site, people: People) -> None:
    for headers in ({}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "Bearer  "}):
        answer = site.browser().get("/api/auth/me/", headers=headers)
        problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert refusals(site) == []


def test_the_key_of_a_device_opens_nothing_here(site: Site, cast: Cast, people: People) -> None:
    problem(me(site, cast.achieng.key), 401)
    problem(me(site, cast.gateway_site), 401)
    assert len(refusals(site)) == 2


def test_an_access_token_refreshes_nothing(site: Site, people: People) -> None:
    tokens = log_in(site, people.amina)
    for sent in (
        tokens["access"],
        tokens["access"][:150],
        "swr_",
        "swr_" + "A" * 43,
        "",
        "\u00e9",
        tokens["refresh"] + "A",
    ):
        before = len(refusals(site))
        answer = post(site, "refresh", {"refresh": sent})
        if answer.status_code == 422:
            # Longer than any token of ours.
            assert len(sent) > 200
            continue
        problem(answer, 401)
        assert len(refusals(site)) == before + 1
    assert post(site, "refresh", {"refresh": tokens["refresh"]}).status_code == 200


def test_a_cookie_is_nothing_to_the_api_and_a_token_nothing_to_pages(site: Site, people: People) -> None:
    browser = site.browser()
    browser.sign_in(people.amina, PASSWORD)
    assert browser.get("/ward/a").status_code == 200
    problem(browser.get("/api/auth/me/"), 401)
    problem(browser.post("/api/auth/logout/"), 401)
    assert browser.get("/ward/a").status_code == 200
    tokens = log_in(site, people.amina)
    for token in (tokens["access"], tokens["refresh"]):
        page = site.browser().get("/ward/a", headers={"Authorization": f"Bearer {token}"})
        assert page.location == "/login?next=/ward/a"
        thief = site.browser()
        thief.set_cookie("sw", token)
        assert thief.get("/ward/a").location == "/login?next=/ward/a"
        problem(thief.get("/api/auth/me/"), 401)
        problem(site.browser().get(f"/api/auth/me/?access_token={token}"), 401)


def test_a_key_that_was_rotated_verifies_until_it_is_taken_out(site: Site, people: People) -> None:
    tokens = log_in(site, people.amina)
    old, new = site.config.secret_key, "another secret of the tests, 32 characters or more"
    site.app.extensions["config"] = replace(site.config, secret_key=new, secret_key_fallbacks=(old,))
    assert me(site, tokens["access"]).status_code == 200
    fresh = post(site, "refresh", {"refresh": tokens["refresh"]}).get_json()
    assert opened(fresh["access"])[0]["kid"] != opened(tokens["access"])[0]["kid"]
    site.app.extensions["config"] = replace(site.config, secret_key=new)
    problem(me(site, tokens["access"]), 401)
    assert me(site, fresh["access"]).status_code == 200


def test_a_flood_of_bad_tokens_holds_up_nobody_with_a_good_one(
    site: Site, people: People, monkeypatch: Any
) -> None:
    from api import bearer

    monkeypatch.setattr(bearer, "WRONG", replace(bearer.WRONG, tries=3))
    token = log_in(site, people.amina)["access"]
    answers = [me(site, "x.y.z") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert len(refusals(site)) == 3
    assert me(site, token).status_code == 200
