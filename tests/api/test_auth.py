"""People who work with programs: what they get, who learns what, and when it is over."""

from uuid import UUID

import pytest

from silverwatch import clock, db
from silverwatch.domain.settings import service as settings
from tests.api.calling import account_id, log_in, me, next_code, post, refusals, set_up_factor
from tests.api.posting import problem
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site

NEW = {"email": "new@x.example", "password": "a lantern for zebras", "name": "Nia New"}


def test_a_password_gives_tokens_and_they_say_who_one_is(site: Site, cast: Cast, people: People) -> None:
    tokens = log_in(site, people.amina.upper())
    assert set(tokens) == {"access", "expires_in", "refresh", "token_type"}
    assert (tokens["expires_in"], tokens["token_type"]) == (600, "Bearer")
    assert tokens["refresh"].startswith("swr_")
    assert me(site, tokens["access"]).get_json() == {
        "id": str(account_id(people.amina)), "email": people.amina, "name": "Amina", "role": "caregiver",
        "wards": [{"slug": "a", "name": "Ward A"}], "patient": None,
    }  # fmt: skip
    patient = me(site, log_in(site, people.patience)["access"]).get_json()
    assert (patient["role"], patient["patient"], patient["wards"]) == (
        "patient", str(cast.achieng.patient_id), []
    )  # fmt: skip


def test_no_secret_is_stored_as_it_is(site: Site, people: People) -> None:
    tokens = log_in(site, people.amina)
    stored = site.row("SELECT (SELECT string_agg(r::text, '') FROM refresh_token r)"
                      " || (SELECT string_agg(s::text, '') FROM login_session s)"
                      " || (SELECT string_agg(e::text, '') FROM audit_entry e)")[0]  # fmt: skip
    assert tokens["refresh"][4:] not in stored
    assert tokens["access"].split(".")[2] not in stored
    assert PASSWORD not in stored


def test_a_wrong_password_and_an_unknown_address_are_the_same(site: Site, people: People) -> None:
    answers = [
        problem(post(site, "login", {"email": email, "password": "wrong horse battery"}), 401)
        for email in (people.amina, "nobody@a.example")
    ]
    for answer in answers:
        del answer["request_id"]
    assert answers[0] == answers[1]
    assert answers[0]["type"] == "about:blank"
    assert refusals(site) == [("session.opened", "wrong")] * 2


@pytest.mark.parametrize("lacks", ["email_confirmed_at", "approved_at"])
def test_an_account_that_waits_gets_no_token(site: Site, people: People, lacks: str) -> None:
    with site.cursor() as cur:
        cur.execute(f"UPDATE account SET {lacks} = NULL WHERE email = %s".encode(), [people.amina])
    assert post(site, "login", {"email": people.amina, "password": "wrong horse battery"}).status_code == 401
    problem(post(site, "login", {"email": people.amina, "password": PASSWORD}), 403)
    assert len(refusals(site)) == 2
    assert site.row("SELECT count(*) FROM login_session") == (0,)


def test_tries_are_counted_together_with_those_of_the_page(site: Site, people: People) -> None:
    for _ in range(3):
        site.browser().sign_in(people.amina, "wrong horse battery")
    for _ in range(2):
        assert (
            post(site, "login", {"email": people.amina, "password": "wrong horse battery"}).status_code == 401
        )
    late = post(site, "login", {"email": people.amina, "password": PASSWORD})
    problem(late, 429)
    assert int(late.headers["Retry-After"]) > 0
    assert refusals(site)[-1] == ("session.opened", "too many tries")
    assert len(refusals(site)) == 6
    assert log_in(site, people.bruno)["access"]


def test_the_second_factor_is_asked_for_after_the_password_only(site: Site, people: People) -> None:
    app, recovery = set_up_factor(site, people.amina)
    known = {"email": people.amina, "password": PASSWORD}
    stranger = post(site, "login", {**known, "password": "wrong horse battery", "otp": next_code(app)})
    assert problem(stranger, 401)["type"] == "about:blank"
    asked = problem(post(site, "login", known), 401)
    assert asked["type"] == "urn:silverwatch:second-factor-needed"
    assert asked["detail"] == "A code of your second factor is needed: send it as otp."
    wrong = problem(post(site, "login", {**known, "otp": "000000"}), 401)
    assert wrong["type"] == asked["type"]
    assert site.row("SELECT count(*) FROM login_session") == (0,)
    assert refusals(site) == [
        ("session.opened", "wrong"), ("session.second_factor", "no code"), ("session.second_factor", "wrong code"),
    ]  # fmt: skip
    code = next_code(app)
    tokens = log_in(site, people.amina, otp=code)
    assert me(site, tokens["access"]).status_code == 200
    assert post(site, "refresh", {"refresh": tokens["refresh"]}).status_code == 200
    problem(post(site, "login", {**known, "otp": code}), 401)
    assert log_in(site, people.amina, otp=recovery[0])
    problem(post(site, "login", {**known, "otp": recovery[0]}), 401)


def test_codes_cannot_be_guessed_here_either(site: Site, people: People) -> None:
    set_up_factor(site, people.amina)
    guesses = [
        post(site, "login", {"email": people.amina, "password": PASSWORD, "otp": f"{n:06}"}).status_code
        for n in range(11)
    ]
    assert guesses == [401] * 10 + [429]
    assert len(refusals(site)) == 11


def test_staff_without_the_factor_that_is_owed_set_it_up_in_the_browser(site: Site, people: People) -> None:
    with db.transaction() as session:
        settings.set_security(session, settings.Security(), by=None, now=clock.now())
    refused = problem(post(site, "login", {"email": people.amina, "password": PASSWORD}), 403)
    assert "Set up the second factor in the browser first" in refused["detail"]
    assert refusals(site) == [("session.second_factor", "not set up")]
    assert log_in(site, people.patience)


def test_who_sets_up_a_factor_signs_in_again_with_it(site: Site, people: People) -> None:
    tokens = log_in(site, people.amina)
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO totp (account_id, secret, created_at, confirmed_at) VALUES (%s, '', now(), now())",
            [account_id(people.amina)],
        )
    problem(me(site, tokens["access"]), 401)
    problem(post(site, "refresh", {"refresh": tokens["refresh"]}), 401)


def test_registering_as_an_admin_makes_a_patient_who_waits(site: Site, people: People) -> None:
    answer = post(site, "register", {
        **NEW, "role": "admin", "is_staff": True, "approved_at": "2020-01-01T00:00:00Z", "patient_id": "x",
        "email_confirmed_at": "2020-01-01T00:00:00Z", "ward_ids": ["a"], "id": str(UUID(int=7)),
    })  # fmt: skip
    assert answer.status_code == 202
    assert site.row(
        "SELECT role, approved_at, email_confirmed_at, patient_id, deactivated_at FROM account WHERE email = %s",
        NEW["email"],
    ) == ("patient", None, None, None, None)
    assert site.row("SELECT count(*) FROM membership m JOIN account a ON a.id = m.account_id WHERE a.email = %s",
                    NEW["email"]) == (0,)  # fmt: skip
    refused = post(site, "login", {"email": NEW["email"], "password": NEW["password"]})
    problem(refused, 403)


def test_nobody_learns_who_has_an_account(site: Site, people: People) -> None:
    before = site.rows("SELECT a::text FROM account a ORDER BY id")
    known = post(site, "register", {**NEW, "email": people.amina})
    assert site.rows("SELECT a::text FROM account a ORDER BY id") == before
    unknown = post(site, "register", NEW)
    assert (known.status_code, known.data) == (unknown.status_code, unknown.data) == (202, known.data)
    assert site.row("SELECT count(*) FROM letter") == (2,)


def test_a_registration_that_does_not_fit_says_where(site: Site) -> None:
    found = problem(
        post(site, "register", {"email": "no address", "password": "short", "name": "\u0007"}), 422
    )
    assert [error["pointer"] for error in found["errors"]] == ["/email", "/name", "/password"]
    missing = problem(post(site, "register", {"email": "a@b.example", "password": PASSWORD}), 422)
    assert "name" in missing["errors"][0]["detail"]
    assert site.row("SELECT count(*) FROM account") == (0,)


def test_registrations_are_limited(site: Site) -> None:
    answers = [post(site, "register", {**NEW, "email": f"n{n}@x.example"}).status_code for n in range(21)]
    assert answers == [202] * 20 + [429]


def test_bodies_are_read_strictly(site: Site, people: People) -> None:
    good = {"email": people.amina, "password": PASSWORD}
    for bad, status in (
        (b"", 400), (b"{", 400), (b'{"email": "a", "email": "b"}', 400), (b"\xff", 400), (b"[" * 50_000, 400),
        (b'{"email": NaN, "password": ""}', 400), (b'{"email": "a\\u0000", "password": "x"}', 400),
        (b"[]", 422), (b"null", 422), (b'{"email": 1, "password": "x"}', 422), (b'{"email": "a"}', 422),
        (b'{"email": "a", "password": ["x"]}', 422), (b'{"email": "a", "password": "x", "otp": 123456}', 422),
        (b'{"email": "a", "password": "x", "kind": "browser"}', 422), (b" " * 70_000, 413),
        (b'{"email": "' + b"a" * 300 + b'", "password": "x"}', 422),
    ):  # fmt: skip
        answer = site.browser().post("/api/auth/login/", data=bad, content_type="application/json")
        problem(answer, status)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"):
        problem(site.browser().post("/api/auth/login/", data=b"{}", content_type=kind), 415)
    pointed = problem(post(site, "login", {**good, "password": 5}), 422)
    assert pointed["errors"] == [{"pointer": "/password", "detail": "Expected `str`, got `int`"}]
    assert refusals(site) == []


def test_addresses_and_methods_answer_as_the_contract_says(site: Site) -> None:
    for path in ("register", "login", "refresh", "logout", "me"):
        assert (
            site.client.open(f"/api/auth/{path}", method="GET" if path == "me" else "POST").status_code == 308
        )
        wrong = site.client.open(f"/api/auth/{path}/", method="POST" if path == "me" else "GET")
        problem(wrong, 405)
    for answer in (post(site, "login", {}), site.client.get("/api/auth/me/")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers
