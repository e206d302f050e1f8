"""The audit as people see it: administrators all of it, patients who opened their own record."""

import csv
import io
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from silverwatch import clock, db
from silverwatch.blueprints.admin import audit_export
from silverwatch.domain import audit
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.audit import anchors, queries, words
from silverwatch.schema import MIGRATIONS
from silverwatch.web import spreadsheet
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site

SOURCES = [
    path.read_text("utf-8")
    for folder in ("silverwatch", "api")
    for path in (MIGRATIONS.parent / folder).rglob("*.py")
]


def act(action: str, *, name: str = "Nurse", **more: Any) -> None:
    """One row by somebody."""
    actor = Actor(account_id=clock.new_id(), role=Role.CAREGIVER, name=name)
    audit.set_who(audit.Who(actor=actor, address="10.0.0.9", session_id=clock.new_id()))
    with db.transaction() as session:
        audit.record(session, action, **more)
    audit.set_who(audit.Who())


@pytest.fixture
def admin(site: Site, people: People) -> Site:
    """The site with an administrator signed in."""
    site.client.sign_in(people.ada, PASSWORD)
    return site


def page(site: Site, query: str = "") -> str:
    """The page of the audit."""
    answer = site.client.get(f"/admin/audit{query}")
    assert answer.status_code == 200, answer.status
    return answer.get_data(as_text=True)


def sentences(markup: str) -> list[str]:
    """What the rows say, newest first."""
    found = re.findall(r'<th scope="row".*?</th>', markup, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<small.*?</small>|<[^>]+>", "", item)).strip() for item in found]


def test_rows_stand_in_words_with_numbers_instead_of_names(admin: Site, cast: Cast, people: People) -> None:
    nurse = admin.browser()
    nurse.sign_in(people.amina, PASSWORD)
    nurse.get("/ward/a")
    markup = page(admin)
    assert sentences(markup)[:2] == ["Look at the ward board", "Sign in"]
    number = admin.row("SELECT hospital_number FROM patient WHERE id = %s", cast.achieng.patient_id)[0]
    assert number in markup
    assert "Amina" in markup
    assert "127.0.0.1" in markup
    assert "ACHIENG" not in markup
    assert "Achieng" not in markup
    session_id = admin.row("SELECT session_id FROM audit_entry WHERE action = 'record.viewed' LIMIT 1")[0]
    assert session_id.hex[-6:] in markup


def test_filters_narrow(admin: Site, cast: Cast, people: People) -> None:
    nurse = admin.browser()
    nurse.sign_in(people.amina, PASSWORD)
    nurse.get("/ward/a")
    admin.browser().sign_in(people.bruno, "a wrong password")
    number = admin.row("SELECT hospital_number FROM patient WHERE id = %s", cast.achieng.patient_id)[0]
    today = clock.now().date()
    assert sentences(page(admin, "?person=amin")) == ["Look at the ward board", "Sign in"]
    assert sentences(page(admin, "?person=AMINA@a.example")) == ["Look at the ward board", "Sign in"]
    assert sentences(page(admin, "?person=%25")) == []
    assert sentences(page(admin, f"?patient={number}&person=amina")) == ["Look at the ward board"]
    assert sentences(page(admin, "?outcome=refused")) == ["Refused Sign in"]
    assert set(sentences(page(admin, "?action=session.opened&outcome=done"))) == {"Sign in"}
    assert (
        len(sentences(page(admin, f"?from={today - timedelta(days=1)}&to={today + timedelta(days=1)}"))) >= 4
    )
    assert sentences(page(admin, f"?to={today - timedelta(days=2)}")) == []
    assert sentences(page(admin, f"?from={today + timedelta(days=2)}")) == []


def test_what_is_mistyped_is_said_and_nothing_breaks(admin: Site) -> None:
    for query, advice in (
        ("from=yesterday", "year-month-day"),
        ("to=2026-13-01", "year-month-day"),
        ("to=0001-01-01", "year-month-day"),
        ("from=2026-11-22&to=2026-11-21", "not before the first one"),
        ("patient=none", "no patient with this number"),
        ("patient=%00", None),
        ("person=%00%ff" + "x" * 5000, None),
        ("action=nonsense&outcome=nonsense&before=-1&after=x", None),
        ("before=99999999999999999999999", None),
        ("person=a&person=b&from=&to=", None),
    ):
        for path in ("/admin/audit", "/admin/audit.csv"):
            answer = admin.client.get(f"{path}?{query}")
            assert answer.status_code == (422 if advice else 200), (path, query)
            if advice:
                assert advice in answer.get_data(as_text=True)
                assert "<title>Error: Audit" in answer.get_data(as_text=True)


def test_the_pager_goes_by_number_and_skips_nothing(admin: Site) -> None:
    for number in range(120):
        act("alert.resolved", detail={"number": number})
    seen, path = [], "?action=alert.resolved"
    while path:
        markup = page(admin, path)
        seen += [int(found) for found in re.findall(r"number</span> (\d+)", markup)]
        # A row that comes meanwhile moves nothing.
        act("alert.resolved", detail={"number": 999})
        older = re.search(r'rel="next" href="/admin/audit([^"]+)"', markup)
        path = older[1].replace("&amp;", "&") if older else ""
    assert seen == list(range(119, -1, -1))
    back = re.search(r'rel="prev" href="/admin/audit([^"]+)"', markup)
    assert back is not None
    newer = page(admin, back[1].replace("&amp;", "&"))
    assert [int(found) for found in re.findall(r"number</span> (\d+)", newer)] == list(range(69, 19, -1))


def test_htmx_gets_the_rows_alone(admin: Site) -> None:
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"}
    page(admin)
    answer = admin.client.get("/admin/audit?outcome=done", headers=headers)
    markup = answer.get_data(as_text=True)
    assert markup.lstrip().startswith('<div id="audit-rows"')
    assert markup.strip() in page(admin, "?outcome=done")
    wrong = admin.client.get("/admin/audit?from=x", headers=headers)
    assert wrong.status_code == 422
    assert "There is a problem" in wrong.get_data(as_text=True)


def test_reading_the_audit_is_audited_once(admin: Site) -> None:
    for _ in range(3):
        page(admin)
    assert admin.row("SELECT count(*) FROM audit_entry WHERE detail->>'view' = 'audit'") == (1,)


def test_the_chain_is_shown_and_not_walked(admin: Site, tmp_path: Path) -> None:
    assert "set AUDIT_ANCHOR" in page(admin)
    head = admin.row("SELECT seq, mac FROM audit_entry ORDER BY seq DESC LIMIT 1")
    path = tmp_path / "anchors"
    config = admin.app.extensions["config"]
    admin.app.extensions["config"] = type(config)(
        **{**{name: getattr(config, name) for name in config.__slots__}, "audit_anchor": path}
    )
    assert "Nothing was written down yet." in page(admin)
    anchors.append(path, queries.Head(seq=head[0], mac=head[1]), at=clock.now())
    act("alert.resolved")
    markup = page(admin)
    assert f"row {head[0]}" in markup
    assert "1 row since then" in markup
    assert "silverwatch audit verify" in markup


def test_only_administrators_read_it(site: Site, people: People) -> None:
    for email in (people.amina, people.tekla, people.patience):
        browser = site.browser()
        browser.sign_in(email, PASSWORD)
        for path in ("/admin/audit", "/admin/audit.csv", "/admin/emergencies"):
            assert browser.get(path).status_code == 403
    assert site.browser().get("/admin/audit").location == "/login?next=/admin/audit"


def rows_of(site: Site, query: str = "") -> list[dict[str, str]]:
    """The exported rows."""
    answer = site.client.get(f"/admin/audit.csv{query}")
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert re.fullmatch(r'attachment; filename="audit-[\w-]+\.csv"', answer.headers["Content-Disposition"])
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


def test_the_export_holds_the_filtered_rows_and_is_audited(admin: Site, cast: Cast) -> None:
    act("alert.resolved", patient_ids=[cast.achieng.patient_id])
    act("alert.acknowledged", patient_ids=[cast.baraka.patient_id])
    number = admin.row("SELECT hospital_number FROM patient WHERE id = %s", cast.achieng.patient_id)[0]
    assert [row["action"] for row in rows_of(admin, f"?patient={number}")] == ["alert.resolved"]
    found = rows_of(admin)
    assert found[0]["action"] == "audit.exported"
    assert int(found[0]["number"]) == len(found)
    last = admin.row("SELECT detail, outcome FROM audit_entry ORDER BY seq DESC LIMIT 1")
    assert last == ({"filters": {}, "rows": len(found), "cut": False}, "done")
    exported = admin.row(
        "SELECT detail FROM audit_entry WHERE action = 'audit.exported' ORDER BY seq LIMIT 1"
    )[0]
    assert exported == {"filters": {"patient": number}, "rows": 1, "cut": False}


def test_the_export_asks_for_the_password_again(admin: Site) -> None:
    with admin.cursor() as cur:
        cur.execute("UPDATE login_session SET proved_at = now() - interval '11 minutes'")
    answer = admin.client.get("/admin/audit.csv?outcome=done")
    assert answer.status_code == 303
    assert answer.location.startswith("/reauthenticate?next=/admin/audit.csv")
    assert page(admin)


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_becomes_a_formula(value: str) -> None:
    assert spreadsheet.cell(value) == f"'{value}"
    assert spreadsheet.cell("a=1") == "a=1"


def test_a_name_that_is_a_formula_is_exported_as_text(admin: Site) -> None:
    act("alert.resolved", name='=HYPERLINK("http://x.example","y")', detail={"note": 'a "quoted", line'})
    row = next(row for row in rows_of(admin) if row["action"] == "alert.resolved")
    assert row["name"] == '\'=HYPERLINK("http://x.example","y")'
    assert row["detail"] == 'note: a "quoted", line'


def test_a_long_export_is_cut_and_says_so(admin: Site) -> None:
    for _ in range(7):
        act("alert.resolved")
    with patch.multiple(audit_export, MOST=5, AT_ONCE=2):
        found = rows_of(admin, "?action=alert.resolved")
        assert len(found) == 6
        assert found[-1]["number"] == "Cut after 5 rows: choose fewer days."
    assert admin.row("SELECT detail->'rows', detail->'cut' FROM audit_entry WHERE action = 'audit.exported'") == (
        5, True)  # fmt: skip


def test_every_action_and_view_has_words() -> None:
    actions = {
        name for source in SOURCES for name in re.findall(r'\brecord\(\s*\w+,\s*"([a-z_]+\.[a-z_]+)"', source)
    }
    assert len(actions) > 20
    assert actions - words.ACTIONS.keys() == set()
    views = {name for source in SOURCES for name in re.findall(r'\bviewed\(\s*"([^"]+)"', source)}
    assert views - words.VIEWS.keys() == set()
    assert words.sentence("thing.done", {}) == "thing.done"


def test_what_people_write_stays_text(admin: Site) -> None:
    act("alert.resolved", name="<b>x</b>{{7*7}}", detail={"note": "<script>alert(1)</script>{{7*7}}"})
    markup = page(admin)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in markup
    assert "&lt;b&gt;x&lt;/b&gt;{{7*7}}" in markup


def test_a_row_names_whose_account_it_is_about(admin: Site, people: People) -> None:
    account_id = admin.row("SELECT id FROM account WHERE email = %s", people.tekla)[0]
    act("account.deactivated", subject=("account", account_id))
    act("account.deactivated", subject=("account", clock.new_id()))
    markup = page(admin, "?action=account.deactivated")
    assert sentences(markup) == ["Deactivate an account"] * 2
    assert re.findall(rf'<a href="/admin/users/{account_id}">(.*?)</a>', markup) == ["Tekla"]
    assert "whom" not in page(admin, "?action=session.opened")
