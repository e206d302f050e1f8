"""One account: inviting it, approving it, and what an administrator changes about it."""

import re

import pytest

from silverwatch import clock, db
from silverwatch.domain.accounts.models import EmergencyAccess, Totp
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.web.administering import NONE, account, actions, add, number_of, registered


@pytest.fixture
def ada(site: Site, people: People) -> CheckedClient:
    """The administrator's browser."""
    site.client.sign_in(people.ada, PASSWORD)
    return site.client


PATHS = ("role", "wards", "deactivation", "reactivation", "sessions/end", "second-factor/reset", "invitation",
         "approval")  # fmt: skip


def test_who_does_not_exist_is_404(ada: CheckedClient, cast: Cast) -> None:
    fields = {"role": "technician", "hospital_number": "x"}
    for path in PATHS:
        assert ada.submit(f"/admin/users/{NONE}/{path}", fields).status_code == 404, path
    assert ada.get(f"/admin/users/{NONE}").status_code == 404


def test_changes_ask_for_the_password_again(site: Site, ada: CheckedClient, people: People) -> None:
    page = f"/admin/users/{account(site, people.amina)}"
    before = actions(site)
    with site.cursor() as cur:
        cur.execute("UPDATE login_session SET proved_at = proved_at - interval '11 minutes'")
    for target in ("/admin/users/invite", *(f"{page}/{path}" for path in PATHS)):
        answer = ada.submit(target, {"next": page})
        assert (answer.status_code, answer.location) == (303, f"/reauthenticate?next={page}"), target
    assert actions(site) == before


def test_inviting_a_nurse_sends_one_letter_with_a_link(site: Site, ada: CheckedClient, cast: Cast) -> None:
    fields = {
        "email": "New@B.test",
        "name": "L. Achieng",
        "role": "caregiver",
        "ward": str(cast.achieng.ward_id),
    }
    answer = ada.submit("/admin/users/invite", fields)
    made = account(site, "new@b.test")
    assert (answer.status_code, answer.location) == (303, f"/admin/users/{made}?done=invitation")
    letter = site.row("SELECT address, body FROM letter")
    assert letter[0] == "new@b.test"
    assert f"{site.config.base_url}/welcome/" in letter[1]
    assert site.row("SELECT ward_id FROM membership WHERE account_id = %s", made)[0] == cast.achieng.ward_id
    assert actions(site) == ["account.invited"]
    page = ada.get(answer.location).get_data(as_text=True)
    assert "The invitation is on its way." in page
    assert ada.submit(f"/admin/users/{made}/invitation").status_code == 303
    assert len(site.rows("SELECT 1 FROM letter")) == 2
    assert site.row("SELECT count(*) FROM one_time_link WHERE revoked_at IS NULL")[0] == 1


WRONG: list[tuple[dict[str, object], str]] = [
    ({"email": "nobody"}, "email"),
    ({"email": ""}, "email"),
    ({"email": "x" * 9000 + "@b.test"}, "email"),
    ({"email": "amina@a.example"}, "email"),
    ({"name": ""}, "name"),
    ({"name": "n" * 9000}, "name"),
    ({"name": "\0"}, "name"),
    ({"role": "display"}, "role"),
    ({"role": ""}, "role"),
    ({"ward": []}, "ward"),
    ({"ward": NONE}, "ward"),
    ({"ward": "\0' OR 1=1"}, "ward"),
    ({"role": "patient"}, "hospital_number"),
    ({"role": "patient", "hospital_number": "H\0-nothing"}, "hospital_number"),
]


def test_a_wrong_invitation_says_what_to_do(site: Site, ada: CheckedClient, cast: Cast) -> None:
    fields = {"email": "new@b.test", "name": "<i>New", "role": "caregiver", "ward": str(cast.achieng.ward_id)}
    for change, wrong in WRONG:
        answer = ada.submit("/admin/users/invite", {**fields, **change})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422
        assert "<title>Error: " in page
        assert re.findall(r'<li><a href="#(\w+)">', page) == [wrong]
        assert "<i>" not in page
        assert wrong == "name" or 'value="&lt;i&gt;New"' in page
    assert site.rows("SELECT 1 FROM letter") == []
    assert actions(site) == []


def test_a_patient_is_looked_at_before_the_letter_goes_out(
    site: Site, ada: CheckedClient, cast: Cast
) -> None:
    number = number_of(site, cast.baraka.patient_id)
    fields = {"email": "b@b.test", "name": "B", "role": "patient", "hospital_number": number}
    check = ada.submit("/admin/users/invite", fields)
    assert check.status_code == 200
    assert "BARAKA, Test" in check.get_data(as_text=True)
    assert "04-Mar-1950" in check.get_data(as_text=True)
    assert site.rows("SELECT 1 FROM letter") == []
    other = {**fields, "confirmed": str(cast.chebet.patient_id)}
    assert ada.submit("/admin/users/invite", other).status_code == 200
    assert site.rows("SELECT 1 FROM letter") == []
    done = ada.submit("/admin/users/invite", {**fields, "confirmed": str(cast.baraka.patient_id)})
    assert done.status_code == 303
    assert site.row("SELECT patient_id FROM account WHERE email = 'b@b.test'")[0] == cast.baraka.patient_id
    taken = {**fields, "email": "c@b.test", "confirmed": str(cast.baraka.patient_id)}
    again = ada.submit("/admin/users/invite", taken)
    assert again.status_code == 422
    assert 'href="#hospital_number"' in again.get_data(as_text=True)
    views = site.rows("SELECT patient_ids FROM audit_entry WHERE action = 'record.viewed'")
    assert views == [([cast.baraka.patient_id],)]


def test_approving_shows_whose_record_it_is_first(site: Site, ada: CheckedClient, cast: Cast) -> None:
    page = f"/admin/users/{registered()}"
    assert f'href="{page}/approval"' in ada.get(page).get_data(as_text=True)
    for number in ("", "nothing", "\0", "x" * 9000):
        assert ada.submit(f"{page}/approval", {"hospital_number": number}).status_code == 422
    fields = {"hospital_number": number_of(site, cast.baraka.patient_id)}
    check = ada.submit(f"{page}/approval", fields).get_data(as_text=True)
    assert "BARAKA, Test" in check
    assert "04-Mar-1950" in check
    assert site.row("SELECT approved_at FROM account WHERE email = 'wanjiru@home.example'") == (None,)
    done = ada.submit(f"{page}/approval", {**fields, "confirmed": str(cast.baraka.patient_id)})
    assert (done.status_code, done.location) == (303, f"{page}?done=approval")
    assert actions(site) == ["account.approved"]
    assert site.row("SELECT address FROM letter")[0] == "wanjiru@home.example"
    again = ada.submit(f"{page}/approval", {**fields, "confirmed": str(cast.baraka.patient_id)})
    assert again.status_code == 409


def test_a_taken_record_cannot_be_given_twice(site: Site, ada: CheckedClient, cast: Cast) -> None:
    page = f"/admin/users/{registered()}"
    fields = {"hospital_number": number_of(site, cast.achieng.patient_id)}
    answer = ada.submit(f"{page}/approval", {**fields, "confirmed": str(cast.achieng.patient_id)})
    assert answer.status_code == 409
    assert "another account" in answer.get_data(as_text=True)
    assert "ACHIENG" not in answer.get_data(as_text=True)


def test_a_role_is_changed_on_a_page_that_says_what_follows(
    site: Site, ada: CheckedClient, people: People
) -> None:
    amina = site.browser()
    amina.sign_in(people.amina, PASSWORD)
    page = f"/admin/users/{account(site, people.amina)}"
    assert "is signed out everywhere at once" in ada.get(f"{page}/role").get_data(as_text=True)
    for role in ("", "display", "patient", "\0"):
        assert ada.submit(f"{page}/role", {"role": role}).status_code == 422
    answer = ada.submit(f"{page}/role", {"role": "technician"})
    assert (answer.status_code, answer.location) == (303, f"{page}?done=role")
    assert amina.get("/ward/a").location.startswith("/login")
    assert actions(site) == ["account.role_changed"]


def test_wards_are_any_ward_of_the_site(site: Site, ada: CheckedClient, cast: Cast, people: People) -> None:
    with site.cursor() as cur:
        cur.execute("DELETE FROM membership WHERE account_id = %s", (account(site, people.ada),))
    amina = account(site, people.amina)
    form = ada.get(f"/admin/users/{amina}/wards").get_data(as_text=True)
    assert f'value="{cast.achieng.ward_id}" checked' in form
    assert f'value="{cast.chebet.ward_id}"' in form
    answer = ada.submit(f"/admin/users/{amina}/wards", {"ward": [str(cast.chebet.ward_id)] * 2})
    assert answer.status_code == 303
    assert site.rows("SELECT ward_id FROM membership WHERE account_id = %s", amina) == [
        (cast.chebet.ward_id,)
    ]
    assert ada.submit(f"/admin/users/{amina}/wards", {"ward": NONE}).status_code == 422
    assert ada.submit(f"/admin/users/{amina}/wards").status_code == 303
    assert site.rows("SELECT ward_id FROM membership WHERE account_id = %s", amina) == []
    assert actions(site) == ["account.wards_changed"] * 2


def test_access_ends_at_once_and_can_begin_again(site: Site, ada: CheckedClient, people: People) -> None:
    amina = site.browser()
    amina.sign_in(people.amina, PASSWORD)
    page = f"/admin/users/{account(site, people.amina)}"
    check = ada.get(f"{page}/deactivation").get_data(as_text=True)
    assert "Amina is signed out everywhere at once and cannot come back." in check
    assert "Are you sure" not in check
    assert ada.submit(f"{page}/deactivation").status_code == 303
    assert amina.get("/ward/a").location.startswith("/login")
    assert "Access ended on" in ada.get(page).get_data(as_text=True)
    assert ada.submit(f"{page}/reactivation").status_code == 303
    assert amina.sign_in(people.amina, PASSWORD).status_code == 303
    assert actions(site) == ["account.deactivated", "account.reactivated"]


def test_nobody_ends_themselves_and_an_administrator_stays(
    site: Site, ada: CheckedClient, people: People
) -> None:
    page = f"/admin/users/{account(site, people.ada)}"
    assert f"{page}/deactivation" not in ada.get(page).get_data(as_text=True)
    for path, fields in (("deactivation", {}), ("role", {"role": "technician"})):
        answer = ada.submit(f"{page}/{path}", fields)
        assert answer.status_code == 409
        assert "There is a problem" in answer.get_data(as_text=True)
    assert actions(site) == []


def test_sessions_are_listed_and_ended(site: Site, ada: CheckedClient, people: People) -> None:
    amina = site.browser()
    amina.sign_in(people.amina, PASSWORD)
    page = f"/admin/users/{account(site, people.amina)}"
    assert ada.get(page).get_data(as_text=True).count("<b>Unknown browser") == 1
    assert ada.submit(f"{page}/sessions/end").location == f"{page}?done=sessions"
    assert amina.get("/ward/a").location.startswith("/login")
    assert "Signed in nowhere." in ada.get(page).get_data(as_text=True)
    assert ada.submit(f"/admin/users/{account(site, people.ada)}/sessions/end").status_code == 303
    assert ada.get("/admin").status_code == 200
    assert actions(site) == ["session.ended"]


def test_a_lost_second_factor_is_taken_away(site: Site, ada: CheckedClient, people: People) -> None:
    amina = account(site, people.amina)
    page, now = f"/admin/users/{amina}", clock.now()
    with db.transaction() as session:
        session.add(Totp(account_id=amina, secret=b"x", created_at=now, confirmed_at=now))
    assert "0 recovery codes left" in ada.get(page).get_data(as_text=True)
    assert ada.submit(f"{page}/second-factor/reset").status_code == 303
    assert site.rows("SELECT 1 FROM totp") == []
    assert ada.submit(f"{page}/second-factor/reset").status_code == 422
    assert actions(site) == ["second_factor.reset"]


def test_an_emergency_is_listed_without_whom_it_was_to(
    site: Site, ada: CheckedClient, cast: Cast, people: People
) -> None:
    amina, now = account(site, people.amina), clock.now()
    with db.transaction() as session:
        session.add(EmergencyAccess(
            id=clock.new_id(), account_id=amina, patient_id=cast.chebet.patient_id, reason="Chebet fell down",
            begun_at=now, ends_at=now,
        ))  # fmt: skip
    page = ada.get(f"/admin/users/{amina}").get_data(as_text=True)
    assert "waits for a review" in page
    assert "Chebet" not in page


@pytest.mark.parametrize("state", ["active", "invited", "confirmation", "approval", "deactivated"])
def test_a_page_stands_in_every_state(site: Site, ada: CheckedClient, state: str) -> None:
    more: dict[str, dict[str, object]] = {
        "active": {},
        "invited": {"password_hash": None, "email_confirmed_at": None},
        "confirmation": {"role": "patient", "email_confirmed_at": None, "approved_at": None},
        "approval": {"role": "patient", "approved_at": None},
        "deactivated": {"deactivated_at": clock.now()},
    }
    made = add("<b>Odd", "odd@b.test", **more[state])
    page = ada.get(f"/admin/users/{made}?done=nonsense").get_data(as_text=True)
    assert f'class="stage {state}"' in page
    assert "<b>Odd" not in page
    for path in ("role", "wards", "deactivation", "second-factor/reset", "approval"):
        assert ada.get(f"/admin/users/{made}/{path}").status_code == 200
