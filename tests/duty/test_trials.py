"""A test of a channel: through the same gateway and rows, with the outcome on the page, and never an alarm."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.notices import queries, trials
from silverwatch.jobs import notify
from silverwatch.web import outgoing, trying
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.duty.crew import actor_of
from tests.duty.gateways import Gateway, open_gateway
from tests.duty.test_gateways import NUMBER, reach, set_up
from tests.jobs.post_office import PostOffice, open_office, use

PAGE = "/profile/channels"
ADMIN = "/admin/settings/notices"


@pytest.fixture
def gateway(site: Site, people: People) -> Iterator[Gateway]:
    """A company for SMS."""
    with open_gateway() as found:
        set_up(site, people, found)
        outgoing.configure(site.config)
        yield found


@pytest.fixture
def office(site: Site) -> Iterator[PostOffice]:
    """A mail server."""
    with open_office() as found:
        use(site, found.url)
        yield found


@pytest.fixture
def amina(site: Site, people: People, gateway: Gateway) -> Actor:
    """Amina can be told by SMS."""
    actor = actor_of(people.amina)
    reach(site, actor, "sms", NUMBER)
    return actor


@pytest.fixture
def sender() -> Iterator[None]:
    """Somebody who sends notices, as the scheduler does."""
    stop = threading.Event()
    thread = threading.Thread(target=notify.run, args=(stop,))
    thread.start()
    yield
    stop.set()
    thread.join()


def own(site: Site) -> str:
    return str(site.row("SELECT id FROM notice_address WHERE channel = 'sms' AND removed_at IS NULL")[0])


def row(site: Site) -> Any:
    return site.row("SELECT kind, alert_id, channel, attempts, delivered_at IS NOT NULL, error FROM notice")


def test_a_test_goes_to_my_phone_and_the_page_says_so(
    site: Site, people: People, amina: Actor, gateway: Gateway, sender: None
) -> None:
    browser = site.browser()
    browser.sign_in(people.amina, PASSWORD)
    assert browser.submit(f"{PAGE}/test", {"address_id": own(site)}).status_code == 303
    (sms,) = gateway.taken
    assert sms["to"] == NUMBER
    assert sms["text"].startswith("TEST: Silver Watch reaches you here. Nothing to do. http://")
    assert row(site) == ("test", None, "sms", 1, True, None)
    assert site.row("SELECT outcome FROM notice_attempt") == ("delivered",)
    assert ">Delivered<" in browser.get(PAGE).get_data(as_text=True)
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'notice.tested'")[0] == 1


def test_a_refusal_is_shown_in_words_and_tried_once(
    site: Site, people: People, amina: Actor, gateway: Gateway, sender: None
) -> None:
    gateway.mood = "broken"
    browser = site.browser()
    browser.sign_in(people.amina, PASSWORD)
    browser.submit(f"{PAGE}/test", {"address_id": own(site)})
    page = browser.get(PAGE).get_data(as_text=True)
    assert ">Refused<" in page
    assert site.row("SELECT error FROM notice")[0] in page.replace("&#39;", "'")
    assert site.row("SELECT next_attempt_at FROM notice")[0] is None
    # It is nobody's alarm: no other way, no channel that looks down, no figure of what was not delivered.
    assert site.rows("SELECT 1 FROM notice_way WHERE failures > 0") == []
    with db.transaction() as session:
        failing = queries.failing(session, now=clock.now())
    assert (failing.failed, failing.waiting) == (0, 0)


def test_the_address_of_the_account_is_tested_by_a_letter(
    site: Site, people: People, amina: Actor, office: PostOffice, sender: None
) -> None:
    browser = site.browser()
    browser.sign_in(people.amina, PASSWORD)
    browser.submit(f"{PAGE}/test")
    (letter,) = office.letters
    assert letter["To"] == people.amina
    assert letter["Subject"].startswith("TEST: ")
    assert "It is no alarm." in letter.get_content()


def test_three_tests_are_enough_for_a_while(
    site: Site, people: People, amina: Actor, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "MOST_S", 0.0)
    browser = site.browser()
    browser.sign_in(people.amina, PASSWORD)
    answers = [browser.submit(f"{PAGE}/test", {"address_id": own(site)}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [303, 303, 303, 422]
    assert "Three tests were sent just now." in answers[-1].get_data(as_text=True)
    assert "On its way" in browser.get(PAGE).get_data(as_text=True)


@pytest.mark.parametrize("other", ["", "x", "00000000-0000-4000-8000-000000000000"])
def test_nobody_tests_a_foreign_address(
    site: Site, people: People, amina: Actor, gateway: Gateway, other: str
) -> None:
    browser = site.browser()
    browser.sign_in(people.bruno, PASSWORD)
    wanted = other or own(site)
    assert browser.submit(f"{PAGE}/test", {"address_id": wanted}).status_code == 404
    assert site.rows("SELECT 1 FROM notice") == []


def test_an_administrator_tests_a_gateway_with_an_address_that_is_used_once(
    site: Site, cast: Cast, people: People, gateway: Gateway, sender: None
) -> None:
    browser = site.browser()
    browser.sign_in(people.ada, PASSWORD)
    wrong = browser.submit(f"{ADMIN}/test", {"channel": "sms", "address": "0711"})
    assert wrong.status_code == 422
    assert gateway.taken == []
    assert browser.submit(f"{ADMIN}/test", {"channel": "sms", "address": NUMBER}).status_code == 303
    assert [sms["to"] for sms in gateway.taken] == [NUMBER]
    page = browser.get(ADMIN).get_data(as_text=True)
    assert ">Delivered<" in page
    assert site.row("SELECT verified_at, removed_at IS NOT NULL FROM notice_address") == (None, True)


def test_a_test_that_nobody_sent_is_given_up_and_stands_behind_alarms(
    site: Site, people: People, amina: Actor, gateway: Gateway
) -> None:
    with db.transaction() as session:
        trials.ask(session, amina.account_id, channel="email", address_id=None, now=clock.now())
    assert site.row("SELECT priority FROM notice")[0] == "low"
    with site.cursor() as cur:
        cur.execute("UPDATE notice SET created_at = created_at - %s", (timedelta(minutes=31),))
    notify.drain("email")
    assert site.row("SELECT failed_at IS NOT NULL, error FROM notice")[1].startswith("Given up")
