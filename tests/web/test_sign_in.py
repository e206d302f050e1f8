"""Who gets in, where they land, and that leaving is leaving."""

import re

from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site


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
                          ("https://evil.example", "/ward"), ("/\\evil.example", "/ward")):  # fmt: skip
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
