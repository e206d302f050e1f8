"""A person's own sessions, locking and unlocking, and the PIN."""

import re
from datetime import timedelta
from typing import Any

import pytest

from silverwatch import clock, db
from silverwatch.domain.accounts import pins
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.errors import DomainError
from silverwatch.domain.settings import service as settings
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site

PIN = "2741"
FOREIGN = "01900000-0000-7000-8000-000000000000"


def signed_in(site: Site, email: str) -> CheckedClient:
    """A browser of this person."""
    browser = site.browser()
    assert browser.sign_in(email, PASSWORD).status_code == 303
    return browser


def give_pin(site: Site, email: str, pin: str = PIN) -> None:
    """A PIN for the account."""
    with db.transaction() as session:
        account = session.query(Account).filter_by(email=email).one()
        pins.set_pin(session, account.id, pin)


def wait(site: Site, email: str, **time: float) -> None:
    """Nobody does anything with the sessions of this person for so long."""
    site.rows(
        "UPDATE login_session s SET active_at = active_at - %s FROM account a"
        " WHERE a.id = s.account_id AND a.email = %s RETURNING s.id",
        timedelta(**time),
        email,
    )


def actions(site: Site, *names: str) -> list[Any]:
    """What the audit says of these."""
    return [
        (action, outcome, detail)
        for action, outcome, detail in site.rows(
            "SELECT action, outcome, detail FROM audit_entry ORDER BY seq"
        )
        if action in names
    ]


def session_ids(site: Site, email: str) -> list[Any]:
    """The open sessions, oldest first."""
    rows = site.rows(
        "SELECT s.id FROM login_session s JOIN account a ON a.id = s.account_id"
        " WHERE a.email = %s AND s.ended_at IS NULL ORDER BY s.created_at",
        email,
    )
    return [row[0] for row in rows]


def test_who_is_signed_in_twice_sees_and_ends_the_other_session(site: Site, people: People) -> None:
    ward_pc = signed_in(site, people.amina)
    phone = site.browser()
    phone.submit(
        "/login",
        {"email": people.amina, "password": PASSWORD},
        headers={"User-Agent": "Mozilla/5.0 (Linux; Android 14) Gecko/130.0 Firefox/130.0"},
    )
    page = ward_pc.get("/profile/sessions").get_data(as_text=True)
    assert "2 open sessions" in page
    assert "Firefox on Android" in page
    assert page.count("This browser") == 1
    _, other = session_ids(site, people.amina)
    assert ward_pc.submit(f"/profile/sessions/{other}/end").location == "/profile/sessions"
    assert phone.get("/ward/a").location == "/login?next=/ward/a"
    assert ward_pc.get("/ward/a").status_code == 200
    assert actions(site, "session.ended") == [("session.ended", "done", {"because": "ended by its person"})]


def test_a_foreign_session_looks_like_none(site: Site, people: People) -> None:
    mine, theirs = signed_in(site, people.amina), signed_in(site, people.bruno)
    (foreign,) = session_ids(site, people.bruno)
    seen = mine.submit(f"/profile/sessions/{foreign}/end")
    missing = mine.submit(f"/profile/sessions/{FOREIGN}/end")
    assert (seen.status_code, seen.data) == (404, missing.data)
    assert theirs.get("/ward/b").status_code == 200
    assert len(actions(site, "access.refused")) == 2


def test_ending_all_others_leaves_this_one(site: Site, people: People) -> None:
    others = [signed_in(site, people.amina) for _ in range(2)]
    mine = signed_in(site, people.amina)
    mine.submit("/profile/sessions/end-others")
    assert [other.get("/ward").location for other in others] == ["/login?next=/ward"] * 2
    assert mine.get("/profile/sessions").status_code == 200
    assert actions(site, "session.ended")[0][2]["sessions"] == 2


def test_ending_this_session_signs_out(site: Site, people: People) -> None:
    mine = signed_in(site, people.amina)
    (here,) = session_ids(site, people.amina)
    assert mine.submit(f"/profile/sessions/{here}/end").location == "/login"
    assert mine.get("/profile/sessions").location == "/login?next=/profile/sessions"


def test_after_the_idle_time_everything_but_the_board_asks_for_the_pin(site: Site, people: People) -> None:
    give_pin(site, people.amina)
    browser = signed_in(site, people.amina)
    wait(site, people.amina, minutes=16)
    assert browser.get("/profile/sessions").location == "/unlock?next=/profile/sessions"
    board = browser.get("/ward/a").get_data(as_text=True)
    assert "data-locked" in board
    assert re.search(r'id="lock-panel"[^>]*(?<! hidden)>', board)
    assert "ACHIENG" not in board
    assert "T.A." in board
    answer = browser.submit("/unlock", {"pin": PIN, "next": "/profile/sessions"})
    assert answer.location == "/profile/sessions"
    assert browser.get("/profile/sessions").status_code == 200
    assert "ACHIENG" in browser.get("/ward/a").get_data(as_text=True)


def test_a_board_that_reads_itself_again_is_no_sign_of_life(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    for _ in range(4):
        wait(site, people.amina, minutes=4)
        assert browser.get("/ward/a").status_code == 200
    assert browser.get("/profile/sessions").location == "/unlock?next=/profile/sessions"


def test_a_hand_on_the_board_is_a_sign_of_life(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    for _ in range(4):
        wait(site, people.amina, minutes=4)
        assert browser.submit("/session/activity").status_code == 204
    assert browser.get("/profile/sessions").status_code == 200


def test_a_hand_does_not_open_what_is_locked(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    token = browser.token()
    wait(site, people.amina, minutes=16)
    answer = browser.post("/session/activity", data={"csrf_token": token}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/unlock")
    assert browser.get("/profile/sessions").location == "/unlock?next=/profile/sessions"


def test_what_a_board_polls_says_whether_it_is_locked(site: Site, cast: Cast, people: People) -> None:
    browser = signed_in(site, people.amina)
    tile = f"/beds/{cast.achieng.bed_id}/tile"
    seen = browser.get(tile)
    assert (seen.headers["Silver-Locked"], "ACHIENG" in seen.get_data(as_text=True)) == ("false", True)
    wait(site, people.amina, minutes=16)
    seen = browser.get(tile)
    assert (seen.headers["Silver-Locked"], "ACHIENG" in seen.get_data(as_text=True)) == ("true", False)


def test_patients_do_not_lock(site: Site, people: People) -> None:
    browser = signed_in(site, people.patience)
    wait(site, people.patience, hours=2)
    page = browser.get("/portal")
    assert page.status_code == 200
    assert 'action="/lock"' not in page.get_data(as_text=True)


def test_locking_by_hand_and_opening_with_the_password(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    cookie = browser.get_cookie("sw")
    assert cookie is not None
    token = browser.token()
    assert browser.post("/lock", data={"csrf_token": token, "next": "/ward/a"}).location == "/ward/a"
    assert "data-locked" in browser.get("/ward/a").get_data(as_text=True)
    assert browser.post("/unlock", data={"csrf_token": token, "password": PASSWORD}).location == "/ward"
    assert "data-locked" not in browser.get("/ward/a").get_data(as_text=True)
    thief = site.browser()
    thief.set_cookie("sw", cookie.value)
    assert thief.get("/ward/a").location == "/login?next=/ward/a"
    assert actions(site, "session.locked", "session.unlocked") == [
        ("session.locked", "done", {}),
        ("session.unlocked", "done", {"with": "password"}),
    ]
    # A board in another tab still holds the token that it was drawn with.
    assert browser.post("/session/activity", data={"csrf_token": token}).status_code == 204


def test_every_tab_may_lock_what_is_locked(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    token = browser.token()
    for _ in range(2):
        answer = browser.post("/lock", data={"csrf_token": token}, headers={"HX-Request": "true"})
        assert answer.status_code == 204
    assert actions(site, "session.locked") == [("session.locked", "done", {})]


def test_an_alarm_cannot_be_taken_while_locked(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    token = browser.token()
    browser.post("/lock", data={"csrf_token": token})
    answer = browser.post(f"/alerts/{FOREIGN}/acknowledgement", data={"csrf_token": token})
    assert answer.location == "/unlock"


def test_five_wrong_tries_end_the_session(site: Site, people: People) -> None:
    give_pin(site, people.amina)
    browser = signed_in(site, people.amina)
    token = browser.token()
    browser.post("/lock", data={"csrf_token": token})
    for left in (4, 3, 2):
        answer = browser.post("/unlock", data={"csrf_token": token, "pin": "9999"})
        assert answer.status_code == 422
        assert f"{left} tries left" in answer.get_data(as_text=True)
    by_script = browser.post(
        "/unlock",
        data={"csrf_token": token, "password": "wrong horse battery"},
        headers={"HX-Request": "true"},
    )
    assert (by_script.status_code, by_script.get_json()) == (422, {"left": 1})
    last = browser.post("/unlock", data={"csrf_token": token, "pin": "9999", "next": "/ward/a"})
    assert last.status_code == 403
    assert 'href="/login?next=/ward/a"' in last.get_data(as_text=True)
    assert browser.get("/ward/a").location == "/login?next=/ward/a"
    refused = actions(site, "session.unlocked")
    assert [(outcome, detail["left"]) for _, outcome, detail in refused] == [
        ("refused", left) for left in (4, 3, 2, 1, 0)
    ]
    assert len(actions(site, "session.ended")) == 1


def test_the_right_pin_gives_five_tries_again(site: Site, people: People) -> None:
    give_pin(site, people.amina)
    browser = signed_in(site, people.amina)
    token = browser.token()
    for pin in ("1", "2", "3", "4", PIN) * 2:
        browser.post("/lock", data={"csrf_token": token})
        browser.post("/unlock", data={"csrf_token": token, "pin": pin})
    assert browser.get("/profile/sessions").status_code == 200


def test_a_pin_opens_no_session_that_owes_a_code(site: Site, people: People) -> None:
    give_pin(site, people.amina)
    browser = signed_in(site, people.amina)
    token = browser.token()
    with db.transaction() as session:
        settings.set_security(
            session, settings.Security(require_second_factor=True), by=None, now=clock.now()
        )
    for fields in ({"pin": PIN}, {"password": PASSWORD}):
        answer = browser.post("/unlock", data={"csrf_token": token, **fields})
        assert answer.location == "/second-factor/setup"
    assert browser.get("/ward/a").location == "/second-factor/setup?next=/ward/a"


@pytest.mark.parametrize(
    "fields",
    [{}, {"pin": ""}, {"pin": "\0"}, {"pin": "1" * 100_000}, {"password": "x\0" * 500}, {"pin": "٣٤٥٦"}],
)
def test_bad_input_is_refused_and_opens_nothing(site: Site, people: People, fields: dict[str, str]) -> None:
    give_pin(site, people.amina)
    browser = signed_in(site, people.amina)
    token = browser.token()
    browser.post("/lock", data={"csrf_token": token})
    answer = browser.post("/unlock", data={"csrf_token": token, "next": "//evil.example", **fields})
    assert answer.status_code == 422
    assert "Error: Unlock" in answer.get_data(as_text=True)
    assert "evil" not in answer.get_data(as_text=True)


def test_unlocking_leads_to_this_site_only(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    assert browser.get("/unlock?next=//evil.example").location == "/ward"
    assert browser.get("/unlock?next=/profile/sessions").location == "/profile/sessions"
    assert site.browser().get("/unlock").location == "/login?next=/unlock"


def test_a_pin_is_chosen_and_removed(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    assert "Choose a PIN" in browser.get("/profile/pin").get_data(as_text=True)
    differs = browser.submit("/profile/pin", {"pin": PIN, "again": "2742"})
    assert differs.status_code == 422
    assert "Enter the same PIN again." in differs.get_data(as_text=True)
    assert browser.submit("/profile/pin", {"pin": PIN, "again": PIN}).location == "/profile/sessions"
    kept = site.row("SELECT pin_hash FROM account WHERE email = %s", people.amina)[0]
    assert kept.startswith("$argon2id$")
    assert "Remove the PIN" in browser.get("/profile/pin").get_data(as_text=True)
    browser.submit("/profile/pin", {"action": "remove"})
    assert site.row("SELECT pin_hash FROM account WHERE email = %s", people.amina) == (None,)
    assert [action for action, _, _ in actions(site, "pin.set", "pin.removed")] == ["pin.set", "pin.removed"]


def test_a_pin_needs_the_password_lately(site: Site, people: People) -> None:
    browser = signed_in(site, people.amina)
    site.rows("UPDATE login_session SET proved_at = proved_at - interval '11 minutes' RETURNING id")
    assert browser.get("/profile/pin").location == "/reauthenticate?next=/profile/pin"
    answer = browser.submit("/profile/pin", {"pin": PIN, "again": PIN, "next": "/profile/pin"})
    assert answer.location == "/reauthenticate?next=/profile/pin"
    assert site.row("SELECT pin_hash FROM account WHERE email = %s", people.amina) == (None,)


@pytest.mark.parametrize("pin", ["", "274", "123456789", "27a1", "27 41", "٢٧٤١", "1111", "1234", "8765", "7890",
                                 "2468", "1212", "123123", "1122", "2272"])  # fmt: skip
def test_what_is_easy_to_guess_becomes_no_pin(pin: str) -> None:
    with pytest.raises(DomainError, match="PIN"):
        pins.check_new(pin)


@pytest.mark.parametrize("pin", ["2741", "0917", "19841", "27418053"])
def test_other_digits_do(pin: str) -> None:
    pins.check_new(pin)
