"""What another site can make this browser do: nothing."""

import pytest

from silverwatch import clock, db
from silverwatch.domain.accounts import sessions
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.jobs.posting import held, judge, post
from tests.security.routes import visits

EVIL = "https://evil.example"


def refusals(site: Site) -> list[str]:
    """Why requests were refused, in the audit."""
    return [row[0] for row in site.rows(
        "SELECT detail->>'because' FROM audit_entry WHERE action = 'access.refused' ORDER BY seq")]  # fmt: skip


def test_no_form_works_without_the_token_of_the_session(site: Site, cast: Cast, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    stranger = site.browser()
    tried = 0
    for route in visits(site.app):
        if "POST" in route.methods and not route.rule.startswith("/api/"):
            tried += 1
            for token in (None, "wrong", stranger.token()):
                fields = {} if token is None else {"csrf_token": token}
                answer = site.client.post(route.path({"alert_id": cast.achieng.bed_id}), data=fields)
                assert answer.status_code == 400, (route.rule, token)
    assert tried > 4
    assert site.client.get("/ward/a").status_code == 200, "and nobody was signed out by it"


@pytest.mark.parametrize("said", ["cross-site", "same-site"])
def test_a_browser_that_says_it_comes_from_elsewhere_is_believed(
    site: Site, people: People, said: str
) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    token = site.client.token()
    answer = site.client.post("/logout", data={"csrf_token": token}, headers={"Sec-Fetch-Site": said})
    assert answer.status_code == 403
    assert site.client.get("/ward/a").status_code == 200
    assert refusals(site) == ["foreign site"]


@pytest.mark.parametrize(
    "origin",
    [
        EVIL, "null", "", "http://localhost.evil.example", "http://localhost:81", "http://localhost/",
        "https://localhost", "http://evil.example/http://localhost", "http://notlocalhost", "http://localhost@evil.example",
        "HTTP://LOCALHOST", "localhost",
    ],
)  # fmt: skip
def test_a_foreign_page_opens_no_socket(site: Site, cast: Cast, people: People, origin: str) -> None:
    """As a server sees it: the upgrade comes by http, so that what begins like our own address is tried as well."""
    site.client.sign_in(people.amina, PASSWORD)
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"} | ({"Origin": origin} if origin else {})
    url = f"/ws/live/?r=counts-{cast.achieng.ward_id}"
    answer = site.client.get(url, headers=headers, base_url="http://localhost")
    assert answer.status_code == 403
    assert refusals(site) == ["foreign origin"]


def test_a_page_of_ours_passes_that_check(site: Site, cast: Cast, people: People) -> None:
    """Else the refusals above would say nothing about the address."""
    site.client.sign_in(people.amina, PASSWORD)
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Origin": "http://localhost"}
    site.client.get(
        f"/ws/live/?r=counts-{cast.achieng.ward_id}", headers=headers, base_url="http://localhost"
    )
    assert refusals(site) == []


def test_a_token_that_was_read_before_the_sign_in_is_none_after_it(site: Site, people: People) -> None:
    """Whoever planted a cookie in this browser knows the token of its forms, too."""
    planted = site.client.token()
    site.client.sign_in(people.amina, PASSWORD)
    assert site.client.post("/lock", data={"csrf_token": planted}).status_code == 400
    assert refusals(site) == ["no token of this session"]
    assert site.client.post("/lock", data={"csrf_token": site.client.token()}).status_code == 303


def test_the_token_of_a_long_open_page_survives_a_password_given_again(
    site: Site, cast: Cast, people: People
) -> None:
    """A nurse's board is open in one tab while she opens something in another: her button must still work."""
    post(site, cast.achieng.key, held("oxygen_saturation", 78, seconds=30))
    judge()
    site.client.sign_in(people.amina, PASSWORD)
    old = site.client.token()
    (alert_id,) = site.row("SELECT id FROM alert")
    with site.client.session_transaction() as kept:
        token_before = kept["_user_id"]
    with db.transaction() as session:
        found = sessions.find(session, token=token_before, now=clock.now())
        assert found is not None
        renewed = sessions.renew(session, found.session_id, now=clock.now())
    assert renewed != token_before
    assert site.client.get("/ward/a").location == "/login?next=/ward/a", "the old token is dead"
    with site.client.session_transaction() as kept:
        kept["_user_id"] = renewed
    answer = site.client.post(f"/alerts/{alert_id}/acknowledgement", data={"csrf_token": old})
    assert answer.status_code == 303
    assert site.row("SELECT count(*) FROM acknowledgement") == (1,)


def test_no_page_may_be_read_by_another_origin(site: Site, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    for path in ("/ward/a", "/api/readings/", "/healthz"):
        for method in ("GET", "OPTIONS"):
            answer = site.client.open(path, method=method, headers={"Origin": EVIL})
            assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
