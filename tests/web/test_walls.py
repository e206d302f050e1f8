"""Wall screens: pairing them, what they may see, and taking them away."""

import re
from typing import Any

import pytest

from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site

FOREIGN = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def admin(site: Site, people: People) -> CheckedClient:
    """The administrator's browser."""
    browser = site.browser()
    browser.sign_in(people.ada, PASSWORD)
    return browser


def code_of(page: str) -> str:
    """The code that the answer shows."""
    found = re.search(r'<p class="code">([2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4})</p>', page)
    assert found
    return found[1]


def add(admin: CheckedClient, cast: Cast, *, name: str = "Nurses' station") -> str:
    """A wall screen in ward A; gives its code."""
    answer = admin.submit("/admin/displays", {"name": name, "ward": str(cast.achieng.ward_id)})
    assert answer.status_code == 200
    return code_of(answer.get_data(as_text=True))


def paired(site: Site, code: str) -> CheckedClient:
    """A browser that has typed the code."""
    screen = site.browser()
    assert pair(screen, code).location == "/wall"
    return screen


def pair(screen: CheckedClient, code: str) -> Any:
    """Type a code."""
    token = screen.get("/wall").get_data(as_text=True).split('name="csrf_token" value="')[1].split('"')[0]
    return screen.post("/wall", data={"csrf_token": token, "code": code})


def audited(site: Site, *names: str) -> list[Any]:
    """What the audit says of these."""
    rows = site.rows("SELECT action, outcome, role FROM audit_entry ORDER BY seq")
    return [tuple(row) for row in rows if row[0] in names]


def test_a_paired_screen_shows_its_ward_and_nothing_else(
    site: Site, cast: Cast, people: People, admin: CheckedClient
) -> None:
    screen = paired(site, add(admin, cast))
    assert screen.get("/wall").location == "/ward/a/wall"
    assert screen.get("/").location == "/wall"
    answer = screen.get("/ward/a/wall")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "ACHIENG" not in page
    assert "T.A." in page
    assert "Leave wall display" not in page
    assert screen.get(f"/wards/{cast.achieng.ward_id}/alarm-bar").status_code == 200
    for path, status in (
        ("/ward/b/wall", 404),
        (f"/wards/{cast.chebet.ward_id}/board", 404),
        ("/ward", 403),
        ("/ward/a", 403),
        (f"/patients/{cast.achieng.patient_id}/observations/new", 403),
        ("/profile/sessions", 403),
        ("/unlock", 403),
        ("/admin/displays", 403),
        ("/devices", 403),
    ):
        assert screen.get(path).status_code == status, path
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    taken = screen.post(f"/alerts/{FOREIGN}/acknowledgement", data={"csrf_token": token})
    assert taken.status_code == 403


def test_a_screen_stays_signed_in_and_never_locks(
    site: Site, cast: Cast, people: People, admin: CheckedClient
) -> None:
    screen = paired(site, add(admin, cast))
    site.rows("UPDATE login_session SET active_at = active_at - interval '90 days' RETURNING id")
    page = screen.get("/ward/a/wall").get_data(as_text=True)
    assert "data-locked" not in page
    assert "lock-panel" not in page


def test_a_code_works_once_and_not_for_long(
    site: Site, cast: Cast, people: People, admin: CheckedClient
) -> None:
    code = add(admin, cast)
    assert code.replace("-", "") not in str(site.rows("SELECT * FROM display"))
    paired(site, f" {code.lower().replace('-', ' ')} ")
    again = pair(site.browser(), code)
    assert again.status_code == 422
    assert "Ask for a new one." in again.get_data(as_text=True)
    late = add(admin, cast, name="Corridor")
    site.rows(
        "UPDATE display SET code_expires_at = now() - interval '1 s' WHERE code_hash IS NOT NULL RETURNING id"
    )
    assert pair(site.browser(), late).status_code == 422
    assert audited(site, "display.paired") == [
        ("display.paired", "done", "display"),
        ("display.paired", "refused", None),
        ("display.paired", "refused", None),
    ]


def test_paired_anew_the_old_browser_is_out(
    site: Site, cast: Cast, people: People, admin: CheckedClient
) -> None:
    old = paired(site, add(admin, cast))
    (display_id,) = site.row("SELECT id FROM display")
    answer = admin.submit(f"/admin/displays/{display_id}/code")
    assert old.get("/ward/a/wall").status_code == 200
    new = paired(site, code_of(answer.get_data(as_text=True)))
    assert old.get("/ward/a/wall").location == "/login?next=/ward/a/wall"
    assert new.get("/ward/a/wall").status_code == 200


def test_revoked_it_shows_nothing_more(site: Site, cast: Cast, people: People, admin: CheckedClient) -> None:
    screen = paired(site, add(admin, cast))
    (display_id,) = site.row("SELECT id FROM display")
    assert "Showing" in admin.get("/admin/displays").get_data(as_text=True)
    assert admin.submit(f"/admin/displays/{display_id}/revoke").location == "/admin/displays"
    assert screen.get("/ward/a/wall").location == "/login?next=/ward/a/wall"
    assert "No wall screens yet." in admin.get("/admin/displays").get_data(as_text=True)
    assert admin.submit(f"/admin/displays/{display_id}/revoke").status_code == 404
    assert admin.submit(f"/admin/displays/{display_id}/code").status_code == 404
    assert audited(site, "display.added", "display.revoked") == [
        ("display.added", "done", "admin"),
        ("display.revoked", "done", "admin"),
    ]


def test_guessing_is_slow_for_the_guesser_alone(
    site: Site, cast: Cast, people: People, admin: CheckedClient
) -> None:
    code = add(admin, cast)
    stranger = site.browser()
    stranger.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    for _ in range(5):
        assert pair(stranger, "AAAA-AAAA").status_code == 422
    refused = pair(stranger, code)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "Wait" in refused.get_data(as_text=True)
    assert audited(site, "access.refused") == [("access.refused", "refused", None)]
    paired(site, code)


def test_who_was_signed_in_here_is_not_any_more(
    site: Site, cast: Cast, people: People, admin: CheckedClient
) -> None:
    code = add(admin, cast)
    browser = site.browser()
    browser.sign_in(people.amina, PASSWORD)
    cookie = browser.get_cookie("sw")
    assert cookie is not None
    assert "Amina is signed in here." in browser.get("/wall").get_data(as_text=True)
    pair(browser, code)
    assert browser.get("/").location == "/wall"
    thief = site.browser()
    thief.set_cookie("sw", cookie.value)
    assert thief.get("/ward/a").location == "/login?next=/ward/a"


@pytest.mark.parametrize(
    "fields",
    [{}, {"name": "", "ward": ""}, {"name": "x" * 100_000, "ward": FOREIGN}, {"name": "\0", "ward": "\0"},
     {"name": "Door", "ward": FOREIGN}, {"name": "Door\u202e", "ward": "A"}],
)  # fmt: skip
def test_bad_input_adds_nothing(
    site: Site, people: People, admin: CheckedClient, fields: dict[str, str]
) -> None:
    answer = admin.submit("/admin/displays", fields)
    assert answer.status_code == 422
    assert "Error: Wall screens" in answer.get_data(as_text=True)
    assert site.rows("SELECT id FROM display") == []


@pytest.mark.parametrize("code", ["", " ", "\0", "x" * 100_000, "ÄÖÜß", "0000-0000"])
def test_a_bad_code_pairs_nothing(site: Site, people: People, code: str) -> None:
    assert pair(site.browser(), code).status_code == 422


def test_adding_a_screen_needs_the_password_lately(
    site: Site, cast: Cast, people: People, admin: CheckedClient
) -> None:
    site.rows("UPDATE login_session SET proved_at = proved_at - interval '11 minutes' RETURNING id")
    fields = {"name": "Door", "ward": str(cast.achieng.ward_id), "next": "/admin/displays"}
    assert admin.submit("/admin/displays", fields).location == "/reauthenticate?next=/admin/displays"
    assert site.rows("SELECT id FROM display") == []


def test_only_administrators_and_only_for_their_wards(site: Site, cast: Cast, people: People) -> None:
    nurse = site.browser()
    nurse.sign_in(people.amina, PASSWORD)
    assert nurse.get("/admin/displays").status_code == 403
    site.rows(
        "DELETE FROM membership WHERE ward_id = %s AND account_id = (SELECT id FROM account WHERE email = %s)"
        " RETURNING ward_id",
        cast.chebet.ward_id,
        people.ada,
    )
    admin = site.browser()
    admin.sign_in(people.ada, PASSWORD)
    answer = admin.submit("/admin/displays", {"name": "Door", "ward": str(cast.chebet.ward_id)})
    assert answer.status_code == 422
    assert site.rows("SELECT id FROM display") == []
