"""What is set for the site, who changed it, and the keys of programs."""

import re

import pytest

from silverwatch import clock, db
from silverwatch.domain.settings import service
from silverwatch.domain.settings.service import Security
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.web.administering import NONE, actions

SECURITY = "/admin/settings/security"


@pytest.fixture
def ada(site: Site, people: People) -> CheckedClient:
    """The administrator's browser."""
    site.client.sign_in(people.ada, PASSWORD)
    return site.client


def present() -> Security:
    """What is set."""
    with db.transaction(read_only=True) as session:
        return service.security(session)


def test_settings_say_what_is_set_and_lead_on(ada: CheckedClient) -> None:
    page = ada.get("/admin/settings").get_data(as_text=True)
    assert "not required" in page
    assert "15 minutes without a hand" in page
    for path in (SECURITY, "/admin/access", "/admin/displays", "/admin/keys", "/admin/emergencies"):
        assert f'href="{path}"' in page


def test_a_stricter_setting_is_saved_at_once_with_who_and_what(site: Site, ada: CheckedClient) -> None:
    answer = ada.submit(SECURITY, {"require_second_factor": "no", "idle_minutes": " 5 "})
    assert (answer.status_code, answer.location) == (303, "/admin/settings?done=security")
    assert present() == Security(require_second_factor=False, idle_minutes=5)
    detail = site.row("SELECT detail FROM audit_entry WHERE action = 'settings.changed'")[0]
    assert detail == {
        "group": "security",
        "from": {"require_second_factor": False, "idle_minutes": 15},
        "to": {"require_second_factor": False, "idle_minutes": 5},
    }
    assert ", Ada</span>" in ada.get("/admin/settings").get_data(as_text=True)
    ada.submit(SECURITY, {"require_second_factor": "no", "idle_minutes": "5"})
    assert actions(site) == ["settings.changed"]


def test_what_loosens_is_shown_before_it_is_saved(site: Site, ada: CheckedClient) -> None:
    with db.transaction() as session:
        service.set_security(session, Security(), by=None, now=clock.now())
    with site.cursor() as cur:
        cur.execute("UPDATE login_session SET second_factor_at = now()")
    fields = {"require_second_factor": "no", "idle_minutes": "60"}
    check = ada.submit(SECURITY, fields)
    page = check.get_data(as_text=True)
    assert check.status_code == 200
    assert "60 minutes instead of 15" in page
    assert "no second factor is asked" in page
    assert present() == Security()
    assert actions(site) == []
    assert ada.submit(SECURITY, {**fields, "confirmed": "yes"}).status_code == 303
    assert present() == Security(require_second_factor=False, idle_minutes=60)


def test_wrong_settings_change_nothing(site: Site, ada: CheckedClient) -> None:
    before = present()
    for change, wrong in (
        ({"idle_minutes": "0"}, ["idle_minutes"]),
        ({"idle_minutes": "61"}, ["idle_minutes"]),
        ({"idle_minutes": "9" * 5000}, ["idle_minutes"]),
        ({"idle_minutes": "1.5\0"}, ["idle_minutes"]),
        ({"idle_minutes": "<b>"}, ["idle_minutes"]),
        ({"require_second_factor": "maybe"}, ["require_second_factor"]),
        ({"idle_minutes": "", "require_second_factor": ""}, ["idle_minutes", "require_second_factor"]),
    ):
        answer = ada.submit(
            SECURITY, {"require_second_factor": "yes", "idle_minutes": "5", "confirmed": "yes", **change}
        )
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422
        assert "<title>Error: " in page
        assert sorted(re.findall(r'<li><a href="#(\w+)">', page)) == wrong
        assert '<b>"' not in page
    assert present() == before
    assert actions(site) == []


def test_changing_asks_for_the_password_again(site: Site, ada: CheckedClient) -> None:
    with site.cursor() as cur:
        cur.execute("UPDATE login_session SET proved_at = proved_at - interval '11 minutes'")
    for path in (SECURITY, "/admin/keys/new", f"/admin/keys/{NONE}/revocation"):
        assert ada.get(path).location == f"/reauthenticate?next={path}"
    answer = ada.submit(SECURITY, {"require_second_factor": "no", "idle_minutes": "1", "next": SECURITY})
    assert answer.location == f"/reauthenticate?next={SECURITY}"
    assert (
        ada.submit("/admin/keys", {"next": "/admin/keys/new"}).location
        == "/reauthenticate?next=/admin/keys/new"
    )
    assert ada.get("/admin/settings").status_code == ada.get("/admin/keys").status_code == 200
    assert present().idle_minutes == 15


def test_only_administrators_set_anything(site: Site, people: People) -> None:
    for email in (people.amina, people.tekla, people.patience):
        browser = site.browser()
        browser.sign_in(email, PASSWORD)
        for path in ("/admin/settings", SECURITY, "/admin/keys", "/admin/keys/new", "/admin/access"):
            assert browser.get(path).status_code == 403
        assert (
            browser.submit(SECURITY, {"require_second_factor": "no", "idle_minutes": "60"}).status_code == 403
        )
        assert browser.submit("/admin/keys").status_code == 403


def test_a_key_is_shown_once(site: Site, ada: CheckedClient, cast: Cast) -> None:
    assert "No keys yet." in ada.get("/admin/keys").get_data(as_text=True)
    fields = {
        "name": "Lab <b>",
        "scope": ["readings.read", "patients.read"],
        "ward": str(cast.achieng.ward_id),
        "days": "30",
    }
    made = ada.submit("/admin/keys", fields)
    page = made.get_data(as_text=True)
    assert made.status_code == 200
    assert made.headers["Cache-Control"].startswith("no-store")
    key = re.findall(r"<code>(swk_[\w-]{43})</code>", page)[0]
    row = site.row("SELECT id, name, scopes, ward_ids, expires_at - created_at FROM api_key")
    assert row[1:4] == ("Lab <b>", ["patients.read", "readings.read"], [cast.achieng.ward_id])
    assert row[4].days == 30
    listed = ada.get("/admin/keys").get_data(as_text=True)
    assert key not in listed
    assert f"swk_…{key[-4:]}" in listed
    assert "Lab &lt;b&gt;" in listed
    assert ada.get(f"/admin/keys/{row[0]}/revocation").status_code == 200
    assert ada.submit(f"/admin/keys/{row[0]}/revocation").location == "/admin/keys?done=revocation"
    assert "Revoked on" in ada.get("/admin/keys").get_data(as_text=True)
    assert actions(site) == ["api_key.created", "api_key.revoked"]


def test_a_wrong_key_is_not_made(site: Site, ada: CheckedClient) -> None:
    good = {"name": "Lab", "scope": "readings.read", "days": "30"}
    for change, wrong in (
        ({"name": ""}, "name"),
        ({"name": "n" * 9000}, "name"),
        ({"scope": []}, "scope"),
        ({"scope": ["readings.read", "god"]}, "scope"),
        ({"ward": NONE}, "ward"),
        ({"ward": "x"}, "ward"),
        ({"days": "9999"}, "days"),
        ({"days": "31"}, "days"),
        ({"days": ""}, "days"),
    ):
        answer = ada.submit("/admin/keys", {**good, **change})
        assert answer.status_code == 422
        assert re.findall(r'<li><a href="#(\w+)">', answer.get_data(as_text=True)) == [wrong]
    assert site.rows("SELECT 1 FROM api_key") == []
    assert ada.submit("/admin/keys", {**good, "name": "a\u202eb"}).status_code == 200
    assert site.rows("SELECT name FROM api_key") == [("ab",)]  # hidden signs are left out
    assert ada.get(f"/admin/keys/{NONE}/revocation").status_code == 404
    assert ada.submit(f"/admin/keys/{NONE}/revocation").status_code == 404
