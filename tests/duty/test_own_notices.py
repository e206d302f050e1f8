"""What a person was told on screen, and a count of the unseen that is never of anything else."""

import re
from datetime import timedelta
from uuid import UUID

import pytest

from silverwatch import clock, db
from silverwatch.domain import events
from silverwatch.domain.notices import own
from silverwatch.domain.notices.facts import NoticesSeen
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.duty.alarms import pass_time, sound, steps, take
from tests.duty.crew import accept, actor_of, join


@pytest.fixture
def amina(site: Site, cast: Cast, people: People) -> CheckedClient:
    """Amina, a nurse on duty in ward A, at her browser."""
    accept(actor_of(people.amina), cast.achieng.ward_id)
    accept(join("Dan", cast.achieng.ward_id, usual="doctor"), cast.achieng.ward_id)
    browser = site.browser()
    browser.sign_in(people.amina, PASSWORD)
    return browser


def ring(cast: Cast, count: int, *, since: int = 0) -> list[UUID]:
    """Alarms of so many kinds, each told to Amina."""
    found = [sound(cast.achieng.patient_id, kind=f"kind_{since + number}") for number in range(count)]
    steps()
    return found


def count(browser: CheckedClient, page: str = "/profile") -> int:
    """What the badge in the rail says."""
    text = browser.get(page).get_data(as_text=True)
    badge = re.search(r'id="notice-badge-[^>]*>([0-9]*)', text)
    assert badge is not None
    return int(badge[1] or 0)


def unseen_lines(browser: CheckedClient) -> int:
    return browser.get("/notices").get_data(as_text=True).count("· not seen")


def test_the_count_is_of_what_the_list_shows(site: Site, cast: Cast, amina: CheckedClient) -> None:
    assert count(amina) == unseen_lines(amina) == 0
    assert "Accept duty to be told" in amina.get("/notices").get_data(as_text=True)
    ring(cast, 3)
    assert count(amina) == count(amina, "/ward/a") == unseen_lines(amina) == 3
    page = amina.get("/notices").get_data(as_text=True)
    assert "SpO₂ too low" in page
    assert "achieng" not in page.lower()


def test_opening_an_alarm_marks_its_notices_seen_and_no_others(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    alarms = ring(cast, 3)
    amina.get(f"/alerts/{alarms[1]}/detail")
    assert count(amina) == 3  # a region that renews itself is nobody's look
    amina.get(f"/alerts/{alarms[1]}")
    assert count(amina) == unseen_lines(amina) == 2
    seen = site.row("SELECT alert_id FROM notice WHERE seen_at IS NOT NULL")[0]
    assert seen == alarms[1]


def test_all_are_marked_but_not_what_came_since_the_page(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    ring(cast, 2)
    page = amina.get("/notices").get_data(as_text=True)
    until = re.search(r'name="until" value="([^"]+)"', page)
    assert until is not None
    assert "Mark all 2 as seen" in page
    ring(cast, 1, since=2)
    assert amina.submit("/notices/seen", {"until": until[1]}).status_code == 303
    assert count(amina) == unseen_lines(amina) == 1
    for wrong in ("", "x", "2026-01-01T00:00:00"):
        assert amina.submit("/notices/seen", {"until": wrong}).status_code == 303


def test_taking_it_elsewhere_keeps_the_count_true(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    (alarm,) = ring(cast, 1)
    take(site, people.amina, alarm)
    assert count(amina) == unseen_lines(amina) == 1
    assert "somebody has taken it" in amina.get("/notices").get_data(as_text=True)
    pass_time(site, timedelta(days=8))
    assert count(amina) == unseen_lines(amina) == 0


def test_notices_of_a_ward_that_is_no_more_theirs_are_neither_listed_nor_counted(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    ring(cast, 2)
    me = actor_of(people.amina).account_id
    with site.cursor() as cur:
        cur.execute("DELETE FROM membership WHERE account_id = %s", (me,))
    with db.transaction() as session:
        assert own.unseen(session, [me], clock.now())[me].count == 0
        assert own.listed(session, me, now=clock.now(), limit=10) == []


def test_nobody_marks_notices_of_others_and_sockets_hear_of_it(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    ring(cast, 1)
    bruno = site.browser()
    bruno.sign_in(people.bruno, PASSWORD)
    bruno.submit("/notices/seen")
    assert count(amina) == 1
    told: list[events.Fact] = []
    db.on_commit(lambda facts: told.extend(fact for _, fact in facts))
    amina.submit("/notices/seen")
    db.on_commit(None)
    me = actor_of(people.amina).account_id
    assert [fact for fact in told if isinstance(fact, NoticesSeen)] == [NoticesSeen(account_id=me)]
    assert count(amina) == 0


def test_the_list_renews_itself_and_marks_what_stood_on_it(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    me = actor_of(people.amina).account_id
    page = amina.get("/notices").get_data(as_text=True)
    assert f"r=notices-{me}" in page
    assert "data-live" in page
    assert "js/quiet.js" in page
    ring(cast, 1)
    part = amina.get(f"/accounts/{me}/notices").get_data(as_text=True)
    assert "Mark as seen" in part or "Mark 1 as seen" in part
    assert part.count('class="alarm-row') == 1
    bruno = site.browser()
    bruno.sign_in(people.bruno, PASSWORD)
    assert bruno.get(f"/accounts/{me}/notices").status_code == 404
