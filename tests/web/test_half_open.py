"""Sessions that owe a code, or the password once more: what they may not do, and how often they may try."""

import re
from dataclasses import replace

import pytest

from silverwatch import clock
from silverwatch.app import create_app
from silverwatch.blueprints.auth import known
from silverwatch.domain.accounts import codes, second_factor
from silverwatch.web.gates import gate_of
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.web.factor import account_of, audit_of, code_of, half_open, offered, require, turn_on


def test_a_half_open_session_sees_nothing_else(site: Site, cast: Cast, people: People) -> None:
    turn_on(site, people.amina)
    browser = half_open(site, people.amina)
    ids = {"ward": cast.achieng.ward_id, "bed": cast.achieng.bed_id, "patient": cast.achieng.patient_id}
    walked = 0
    for rule in site.app.url_map.iter_rules():
        gate = gate_of(site.app.view_functions[rule.endpoint])
        assert gate is not None
        if gate.public or gate.machine or rule.websocket or rule.endpoint == "static":
            continue
        kind = "ward" if "/wards/" in rule.rule else "bed" if "/beds/" in rule.rule else "patient"
        path = re.sub(r"<int:\w+>", "1", re.sub(r"<uuid:\w+>", str(ids[kind]), rule.rule))
        path = re.sub(r"<[^>]+>", "a", path)
        for method in {"GET", "POST", "DELETE"} & (rule.methods or set()):
            if rule.rule in {"/login/code"}:
                continue
            answer = browser.open(path, method=method, data={"csrf_token": browser.token()})
            assert answer.status_code in {303, 404}, (method, path)
            assert (answer.location or "").startswith(("/login/code", "/ward", "/")), (method, path)
            if not gate.half_open:
                assert answer.location.startswith("/login/code"), (method, path)
            assert b"ACHIENG" not in answer.data
            walked += 1
    assert walked > 15
    assert site.row("SELECT second_factor_at FROM login_session WHERE ended_at IS NULL") == (None,)


def test_who_owes_a_code_cannot_set_up_an_app_of_their_own(site: Site, people: People) -> None:
    turn_on(site, people.amina)
    browser = half_open(site, people.amina)
    assert browser.get("/second-factor/setup").location == "/login/code"
    seed, session_id = codes.new_seed(), site.row("SELECT id FROM login_session WHERE ended_at IS NULL")[0]
    offer = second_factor.offer(seed, session_id=session_id, keys=codes.keys_of(site.config), now=clock.now())
    answer = browser.submit("/second-factor/setup", {"offer": offer, "code": code_of(seed)})
    assert answer.location == "/login/code"
    assert browser.submit("/reauthenticate", {"password": PASSWORD}).location == "/login/code"
    assert browser.get("/ward/a").location == "/login/code?next=/ward/a"


def test_staff_must_set_one_up_where_the_site_requires_it_and_patients_need_not(
    site: Site, people: People
) -> None:
    require()
    patient = site.browser()
    assert patient.sign_in(people.patience, PASSWORD).location == "/portal"
    assert patient.get("/portal").status_code == 200
    fields = {"email": people.amina, "password": PASSWORD, "next": "/ward/a?sort=acuity"}
    answer = site.client.submit("/login", fields)
    assert answer.location == "/second-factor/setup?next=/ward/a%3Fsort%3Dacuity"
    assert site.client.get("/ward/a").location == "/second-factor/setup?next=/ward/a"
    seed, offer = offered(site.client.get(answer.location).get_data(as_text=True))
    done = site.client.submit(
        "/second-factor/setup", {"offer": offer, "code": code_of(seed), "next": "/ward/a?sort=acuity"}
    )
    assert 'href="/ward/a?sort=acuity">' in done.get_data(as_text=True)
    assert site.client.get("/ward/a").status_code == 200


def test_a_seed_is_offered_only_after_a_fresh_password(site: Site, people: People) -> None:
    require()
    site.client.sign_in(people.amina, PASSWORD)
    with site.cursor() as cur:
        cur.execute("UPDATE login_session SET proved_at = proved_at - interval '11 min'")
    asked = site.client.get("/second-factor/setup?next=/ward/a")
    assert asked.location == "/reauthenticate?next=/second-factor/setup%3Fnext%3D/ward/a"
    assert site.client.get(asked.location).status_code == 200
    given = site.client.submit(
        "/reauthenticate", {"password": PASSWORD, "next": "/second-factor/setup?next=/ward/a"}
    )
    assert given.location == "/second-factor/setup?next=/ward/a"
    assert site.client.get(given.location).status_code == 200


def test_dangerous_steps_ask_for_password_and_code_again(site: Site, people: People) -> None:
    seed, fresh = turn_on(site, people.amina)
    browser = half_open(site, people.amina)
    browser.submit("/login/code", {"code": code_of(seed)})
    with site.cursor() as cur:
        cur.execute("UPDATE login_session SET proved_at = proved_at - interval '11 min'")
    fields = {"next": "/profile/second-factor"}
    way = browser.submit("/profile/second-factor/codes", fields).location
    assert way == "/reauthenticate?next=/profile/second-factor"
    assert 'name="code"' in browser.get(way).get_data(as_text=True)
    before = browser.get_cookie("sw")
    for wrong in (
        {},
        {"password": PASSWORD},
        {"password": "x", "code": fresh[0]},
        {"password": PASSWORD, "code": "1"},
    ):
        assert browser.submit("/reauthenticate", fields | wrong).status_code == 422
    right = fields | {"password": PASSWORD, "code": fresh[0]}
    assert browser.submit("/reauthenticate", right).location == "/profile/second-factor"
    assert before is not None
    assert browser.get_cookie("sw") != before
    assert browser.submit("/profile/second-factor/codes", fields).status_code == 200
    assert audit_of(site, "session.proved") == ["refused", "refused", "done"]


@pytest.mark.parametrize("page", ["/login/code", "/reauthenticate"])
def test_the_fifth_wrong_try_ends_the_session(site: Site, people: People, page: str) -> None:
    seed, _ = turn_on(site, people.amina)
    browser = half_open(site, people.amina)
    if page == "/reauthenticate":
        browser.submit("/login/code", {"code": code_of(seed)})
    for _ in range(4):
        assert browser.submit(page, {"password": "wrong", "code": "000000"}).status_code == 422
    last = browser.submit(page, {"password": "wrong", "code": "000000", "next": "/ward/a"})
    assert last.location == "/login?next=/ward/a&because=tries"
    assert "fifth wrong try" in browser.get(last.location).get_data(as_text=True)
    assert site.row("SELECT ended_because FROM login_session") == ("too many wrong tries",)
    assert audit_of(site, "session.ended") == ["done"]


def test_guessing_codes_in_many_sessions_is_throttled(
    site: Site, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    seed, fresh = turn_on(site, people.amina)
    own = half_open(site, people.amina)
    own.submit("/login/code", {"code": code_of(seed)})
    own.submit("/logout")
    statuses = []
    for _ in range(3):
        thief = half_open(site, people.amina)
        statuses += [thief.submit("/login/code", {"code": "000000"}).status_code for _ in range(4)]
    assert statuses == [422] * 10 + [429] * 2
    full = half_open(site, people.amina).submit("/login/code", {"recovery": fresh[0]})
    assert full.status_code == 429
    assert int(full.headers["Retry-After"]) <= 90
    # Her own computer is not that of the thief.
    own.sign_in(people.amina, PASSWORD)
    assert own.submit("/login/code", {"recovery": fresh[0]}).location == "/ward"


def test_the_code_must_come_soon_after_the_password(site: Site, people: People) -> None:
    seed, _ = turn_on(site, people.amina)
    browser = half_open(site, people.amina)
    token = browser.token()
    with site.cursor() as cur:
        cur.execute("UPDATE login_session SET proved_at = proved_at - interval '11 min'")
    late = browser.post("/login/code", data={"csrf_token": token, "code": code_of(seed)})
    assert late.location == "/login?because=late"
    assert "longer than 10 minutes" in browser.get(late.location).get_data(as_text=True)
    assert site.row("SELECT ended_because FROM login_session") == ("code too late",)


@pytest.mark.parametrize("text", ["", "\0", "é" * 9, "9" * 100_000, "１２３４５６", "<svg>", "ABCDE-FGHJK\n"])
def test_no_text_breaks_a_page(site: Site, people: People, text: str) -> None:
    turn_on(site, people.amina)
    browser = half_open(site, people.amina)
    for fields in ({"code": text}, {"recovery": text}, {"code": [text, text], "next": text}):
        assert browser.submit("/login/code", fields).status_code == 422
    other = site.browser()
    other.sign_in(people.bruno, PASSWORD)
    for path in ("/second-factor/setup", "/reauthenticate"):
        answer = other.submit(path, {"code": text, "offer": text, "password": text, "next": text})
        assert answer.status_code == 422


def test_the_cookie_of_a_known_browser_survives_the_rotation(site: Site, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    cookie = site.client.get_cookie("sw_known")
    assert cookie is not None
    assert str(account_of(people.amina)) not in cookie.value
    rotated = create_app(
        replace(site.config, secret_key="another secret of the tests, 32 or more",
                secret_key_fallbacks=(site.config.secret_key,))
    )  # fmt: skip
    with rotated.test_request_context(headers={"Cookie": f"sw_known={cookie.value}"}):
        assert known.name_for(account_of(people.amina)) is not None
        assert known.name_for(account_of(people.bruno)) is None
    with site.app.test_request_context(headers={"Cookie": f"sw_known={cookie.value[:-3]}abc"}):
        assert known.name_for(account_of(people.amina)) is None
