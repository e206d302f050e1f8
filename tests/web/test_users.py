"""Who has access: the list, its search and its pages."""

import re

import pytest
from sqlalchemy import event

from silverwatch import clock, db
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.web.administering import NONE, account, actions, add, registered


@pytest.fixture
def ada(site: Site, people: People) -> CheckedClient:
    """The administrator's browser."""
    site.client.sign_in(people.ada, PASSWORD)
    return site.client


def names(page: str) -> list[str]:
    """The names in the list, from the top."""
    return re.findall(r'<th scope="row" role="rowheader"><a href="[^"]+">([^<]+)', page)


def listed(client: CheckedClient, query: str = "") -> list[str]:
    """Whom the list shows."""
    answer = client.get(f"/admin/users{query}")
    assert answer.status_code == 200
    return names(answer.get_data(as_text=True))


def test_the_list_shows_everybody_by_name_and_who_waits_first(site: Site, ada: CheckedClient) -> None:
    assert listed(ada) == ["Ada", "Amina", "Bruno", "Patience", "Tekla"]
    registered("Zuri")
    page = ada.get("/admin/users").get_data(as_text=True)
    assert names(page) == ["Zuri", "Ada", "Amina", "Bruno", "Patience", "Tekla"]
    assert '<span class="badge">1</span>' in page


EVERYBODY = ["100% Care", "Ada", "Amina", "Bruno", "Patience", "Tekla", "Zoë Núñez"]


def test_searching(ada: CheckedClient) -> None:
    add("Zoë Núñez", "z@b.test")
    add("100% Care", "c@b.test", deactivated_at=clock.now())
    for query, found in (
        ("?q=AMIN", ["Amina"]),
        ("?q=a.example", ["Amina", "Patience", "Tekla"]),
        ("?q=nunez zoe", ["Zoë Núñez"]),
        ("?q=ZO%C3%8B", ["Zoë Núñez"]),
        ("?q=%25", ["100% Care"]),
        ("?q=_", []),
        ("?q=%00ada", ["Ada"]),
        ("?q=" + "a" * 5000, []),
        ("?role=technician", ["Tekla"]),
        ("?role=god&state=x&ward=y&page=-1", EVERYBODY),
        ("?state=deactivated", ["100% Care"]),
        ("?q=a&role=caregiver&state=active", ["Amina", "Bruno"]),
        ("?page=" + "9" * 400, EVERYBODY),
        ("?page=%C2%B2", EVERYBODY),
    ):
        assert listed(ada, query) == found, query[:40]


def test_filtering_by_ward(ada: CheckedClient, cast: Cast) -> None:
    assert listed(ada, f"?ward={cast.chebet.ward_id}") == ["Ada", "Bruno"]
    assert listed(ada, f"?ward={NONE}") == []


def test_states_are_told_apart(site: Site, ada: CheckedClient) -> None:
    registered()
    add("In", "in@b.test", password_hash=None)
    add("Con", "con@b.test", email_confirmed_at=None, approved_at=None, role="patient")
    for state, name in (("invited", "In"), ("confirmation", "Con"), ("approval", "Wanjiru Njoroge")):
        assert listed(ada, f"?state={state}") == [name]


def test_nobody_found_says_what_to_do(ada: CheckedClient) -> None:
    page = ada.get("/admin/users?q=<b>").get_data(as_text=True)
    assert "Nobody matches “&lt;b&gt;”." in page
    assert 'href="/admin/users/invite"' in page


def test_the_fragment_is_the_part_of_the_page(ada: CheckedClient) -> None:
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"}
    fragment = ada.get("/admin/users?q=amina", headers=headers).get_data(as_text=True).strip()
    page = ada.get("/admin/users?q=amina").get_data(as_text=True)
    assert fragment.startswith('<div id="user-rows"')
    ages = re.compile(r"\d+ s ago")
    assert ages.sub("", fragment) in ages.sub("", page)


def test_pages_of_fifty_and_few_statements_for_any_number(site: Site, ada: CheckedClient) -> None:
    few = statements(ada)
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO account (id, email, password_hash, role, name, created_at, email_confirmed_at, approved_at)"
            " SELECT gen_random_uuid(), 'n' || n || '@b.test', 'x', 'caregiver', 'Nurse ' || lpad(n::text, 2, '0'),"
            " now(), now(), now() FROM generate_series(0, 59) n"
        )
    assert statements(ada) == few
    first = ada.get("/admin/users?q=nurse").get_data(as_text=True)
    assert len(names(first)) == 50
    assert 'rel="next" href="/admin/users?q=nurse&amp;page=2"' in first
    second = ada.get("/admin/users?q=nurse&page=2").get_data(as_text=True)
    assert names(second) == [f"Nurse {number}" for number in range(50, 60)]
    assert 'rel="prev" href="/admin/users?q=nurse"' in second


def statements(client: CheckedClient) -> int:
    """How many SQL statements the list costs."""
    seen: list[str] = []

    def note(*event: object) -> None:
        seen.append(str(event[2]))

    engine = db.engine()
    event.listen(engine, "before_cursor_execute", note)
    client.get("/admin/users")
    event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def test_only_administrators_see_any_of_it(site: Site, people: People) -> None:
    somebody = account(site, people.amina)
    for email in (people.amina, people.tekla, people.patience):
        browser = site.browser()
        browser.sign_in(email, PASSWORD)
        for path in ("", "/invite", f"/{somebody}", f"/{somebody}/role"):
            assert browser.get(f"/admin/users{path}").status_code == 403
        assert browser.submit(f"/admin/users/{somebody}/deactivation").status_code == 403
    assert actions(site) == ["access.refused"] * 15
