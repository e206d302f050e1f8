"""Who gets in, where they land, and that leaving is leaving."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from silverwatch import clock, db
from silverwatch.domain import throttle
from silverwatch.domain.accounts import signing
from silverwatch.domain.throttle import Limit
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site

WRONG = "wrong horse battery"


def test_a_caregiver_lands_on_her_own_ward(site: Site, people: People) -> None:
    answer = site.client.sign_in(people.amina, PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/ward")
    assert site.client.get("/ward").location == "/ward/a"
    page = site.client.get("/ward/a").get_data(as_text=True)
    assert "ACHIENG, Test" in page
    assert "Secondary display: bedside monitors remain the primary alarm." in page


def test_a_wrong_password_and_an_unknown_address_look_the_same(site: Site, people: People) -> None:
    wrong = site.client.sign_in(people.amina, "wrong horse battery")
    unknown = site.client.sign_in("nobody@a.example", "wrong horse battery")
    assert wrong.status_code == unknown.status_code == 422
    assert "There is a problem" in wrong.get_data(as_text=True)
    tokens = re.compile(r'(X-CSRFToken": "|csrf_token" value=")[^"]+')
    first, second = (tokens.sub("", a.get_data(as_text=True)) for a in (wrong, unknown))
    assert first.replace(people.amina, "nobody@a.example") == second


def test_without_a_token_nothing_happens(site: Site, people: People) -> None:
    answer = site.client.post("/login", data={"email": people.amina, "password": PASSWORD})
    assert answer.status_code == 400
    assert "Reload" in answer.get_data(as_text=True)


def test_a_copied_cookie_is_dead_after_sign_out(site: Site, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    cookie = site.client.get_cookie("sw")
    assert cookie is not None
    thief = site.browser()
    thief.set_cookie("sw", cookie.value)
    assert thief.get("/ward/a").status_code == 200
    site.client.submit("/logout")
    assert thief.get("/ward/a").location == "/login?next=/ward/a"


def test_signing_in_leads_back_but_never_away(site: Site, people: People) -> None:
    for target, place in (("/ward/a?sort=acuity", "/ward/a?sort=acuity"), ("//evil.example", "/ward"),
                          ("https://evil.example", "/ward"), ("/\\evil.example", "/ward"),
                          # Browsers leave tabs and ends of lines out of an address: what is left is //evil.example.
                          ("/\t/evil.example", "/ward"), ("/\n/evil.example", "/ward"), ("/\r/evil.example", "/ward"),
                          ("javascript:alert(1)", "/ward"), (" //evil.example", "/ward")):  # fmt: skip
        answer = site.browser().submit(
            "/login", {"email": people.amina, "password": PASSWORD, "next": target}
        )
        assert answer.location == place


def test_each_role_has_its_home_and_no_other(site: Site, people: People) -> None:
    homes = {
        people.amina: "/ward",
        people.tekla: "/devices",
        people.patience: "/portal",
        people.ada: "/admin",
    }
    for email, home in homes.items():
        browser = site.browser()
        assert browser.sign_in(email, PASSWORD).location == home
        assert browser.get(home, follow_redirects=True).status_code == 200
    technician = site.browser()
    technician.sign_in(people.tekla, PASSWORD)
    refused = technician.get("/ward/a")
    assert refused.status_code == 403
    assert 'href="/' in refused.get_data(as_text=True)
    assert "ACHIENG" not in technician.get("/devices").get_data(as_text=True)


def test_another_ward_looks_like_none(site: Site, cast: Cast, people: People) -> None:
    site.client.sign_in(people.bruno, PASSWORD)
    none = "01900000-0000-7000-8000-000000000000"
    for mine, foreign in (
        ("/ward/{}", "a"),
        ("/wards/{}/board", cast.achieng.ward_id),
        ("/wards/{}/alarm-bar", cast.achieng.ward_id),
        ("/beds/{}/tile", cast.achieng.bed_id),
        ("/beds/{}/trend", cast.achieng.bed_id),
        ("/patients/{}/observations/new", cast.achieng.patient_id),
    ):
        seen, missing = site.client.get(mine.format(foreign)), site.client.get(mine.format(none))
        assert seen.status_code == missing.status_code == 404, mine
        assert seen.data == missing.data


def test_headers_stand_on_every_answer(site: Site, people: People) -> None:
    for path in ("/", "/login", "/ward", "/nothing", "/api/nothing/", "/healthz", "/static/css/base.css"):
        answer = site.client.get(path)
        answer.close()
        headers = answer.headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Access-Control-Allow-Origin" not in headers


def test_display_settings_are_kept(site: Site, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    site.client.submit("/display", {"theme": "night", "names": "initials", "next": "/ward/a"})
    page = site.client.get("/ward/a").get_data(as_text=True)
    assert 'data-theme="night"' in page
    assert "ACHIENG" not in page


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time stands still: on a slow machine no try comes back meanwhile."""
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)


def tries(
    browser: CheckedClient, email: str, times: int, password: str = WRONG, address: str = "192.0.2.1"
) -> list[int]:
    """The statuses of so many tries from an address."""
    token = browser.token()
    return [
        browser.post(
            "/login",
            data={"csrf_token": token, "email": email, "password": password},
            environ_overrides={"REMOTE_ADDR": address},
        ).status_code
        for _ in range(times)
    ]


@pytest.mark.usefixtures("still")
def test_too_many_tries_are_answered_alike_for_everybody(site: Site, people: People) -> None:
    answers = []
    for email in (people.amina, "nobody@a.example"):
        browser = site.browser()
        assert tries(browser, email, 5) == [422] * 5
        answer = browser.submit(
            "/login", {"email": email, "password": PASSWORD}, environ_overrides={"REMOTE_ADDR": "192.0.2.99"}
        )
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 180
        answers.append(answer.get_data(as_text=True).replace(email, "somebody"))
    tokens = re.compile(r'(X-CSRFToken": "|csrf_token" value=")[^"]+')
    first, second = (tokens.sub("", text) for text in answers)
    assert first == second
    assert "Too many tries. Wait 3 minutes, then try again." in first
    assert 'value="somebody"' in first
    refused = site.rows(
        "SELECT detail->>'because', count(*) FROM audit_entry WHERE action = 'session.opened' GROUP BY 1 ORDER BY 1"
    )
    assert refused == [("too many tries", 2), ("wrong", 10)]


@pytest.mark.usefixtures("still")
def test_tries_come_back_and_only_failures_count(site: Site, people: People) -> None:
    for _ in range(8):
        assert tries(site.browser(), people.amina, 1, PASSWORD) == [303]
    assert tries(site.browser(), people.amina, 6) == [422] * 5 + [429]
    with site.cursor() as cur:
        cur.execute("UPDATE throttle_bucket SET at = at - interval '3 min 1 s'")
    assert tries(site.browser(), people.amina, 1, PASSWORD) == [303], "one in three minutes"
    assert tries(site.browser(), people.amina, 2) == [422, 429]


def drain(limit: Limit, *who: str, but: int = 0) -> None:
    """Somebody has used up the tries of a bucket."""
    with db.transaction() as session:
        for _ in range(limit.tries - but):
            assert throttle.take(session, limit, *who, now=clock.now()) is None


@pytest.mark.usefixtures("still")
def test_strangers_do_not_lock_out_who_has_signed_in_there_before(site: Site, people: People) -> None:
    own = site.browser()
    own.sign_in(people.amina, PASSWORD)
    own.submit("/logout")
    drain(signing.BY_EMAIL, people.amina, but=1)
    for limit in (signing.BY_NETWORK, signing.BY_EMAIL_AND_NETWORK):
        drain(limit, *([people.amina] if limit is signing.BY_EMAIL_AND_NETWORK else []), "127.0.0.0/24")
    elsewhere = [tries(site.browser(), people.amina, 1, address=f"203.0.{net}.1")[0] for net in range(2)]
    assert elsewhere == [422, 429], "30 an hour, wherever from"
    assert own.sign_in(people.amina, PASSWORD).location == "/ward"
    own.submit("/logout")
    assert tries(own, people.amina, 11) == [422] * 10 + [429], "but it is no way to guess for ever"
    assert tries(own, people.bruno, 6)[-1] == 429, "and it is known for her account alone"


@pytest.mark.usefixtures("still")
def test_one_network_cannot_try_every_address(site: Site, people: People) -> None:
    drain(signing.BY_NETWORK, "192.0.2.0/24", but=1)
    statuses = [tries(site.browser(), f"guess{n}@a.example", 1, address=f"192.0.2.{n}")[0] for n in range(2)]
    assert statuses == [422, 429]
    assert tries(site.browser(), people.amina, 1, PASSWORD, address="192.0.2.200") == [429]
    assert tries(site.browser(), people.amina, 1, PASSWORD, address="192.0.3.200") == [303]


@pytest.mark.usefixtures("still")
def test_many_tries_at_once_are_many(site: Site, people: People) -> None:
    def guess(_: int) -> int:
        return tries(site.browser(), people.amina, 1)[0]

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(guess, range(8)))
    assert statuses == [422] * 5 + [429] * 3


def test_a_second_sign_in_ends_the_first_of_this_browser(site: Site, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    first = site.client.get_cookie("sw")
    assert first is not None
    site.client.post(
        "/login",
        data={"csrf_token": csrf_of(site.client, "/ward/a"), "email": people.bruno, "password": PASSWORD},
    )
    thief = site.browser()
    thief.set_cookie("sw", first.value)
    assert thief.get("/ward/a").location == "/login?next=/ward/a"


def csrf_of(browser: CheckedClient, path: str) -> str:
    page = browser.get(path).get_data(as_text=True)
    return page.split('name="csrf_token" value="')[1].split('"')[0]


def test_signing_out_clears_what_the_browser_keeps(site: Site, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    answer = site.client.submit("/logout")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert site.row("SELECT ended_because FROM login_session") == ("signed out",)


def test_cookies_are_kept_from_scripts_and_other_sites(site: Site, people: People) -> None:
    answer = site.client.submit("/login", {"email": people.amina, "password": PASSWORD})
    set_cookies = answer.headers.getlist("Set-Cookie")
    assert {text.split("=")[0] for text in set_cookies} == {"sw", "sw_known"}
    for text in set_cookies:
        assert "HttpOnly" in text
        assert "SameSite=Lax" in text
        assert "Path=/" in text
        assert "Domain" not in text


@pytest.mark.parametrize("text", ["\0", "x" * 100_000, "é\0@", "'; DROP TABLE account;--", "a@b\r\nBcc: c@d"])
def test_no_text_breaks_the_sign_in(site: Site, people: People, text: str) -> None:
    assert site.client.submit("/login", {"email": text, "password": text, "next": text}).status_code == 422
    assert site.client.submit("/login", {"email": [text] * 3, "password": [text] * 3}).status_code == 422
    assert site.client.get("/login", query_string={"next": text, "because": text}).status_code == 200
