"""A review's attacks on what is answered, logged and queued."""

import logging
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from silverwatch import clock, db
from silverwatch.domain.accounts import links
from tests.cast import People
from tests.conftest import Site
from tests.web.office import NEW, account_id


@pytest.mark.parametrize("target", ["//[", "//a\u2100b"])
def test_a_next_that_is_no_address_fails_nothing(site: Site, people: People, target: str) -> None:
    stranger = site.browser()
    assert stranger.submit("/profile", {"next": target}).status_code == 303


@pytest.fixture
def owner(site: Site) -> Iterator[psycopg.Connection]:
    """A connection of somebody who holds a lock."""
    with psycopg.connect(site.config.owner_url.replace("+psycopg", "")) as connection:
        yield connection
        connection.rollback()


def told(caplog: pytest.LogCaptureFixture) -> str:
    """The log as an operator reads it, traces included."""
    formatter = logging.Formatter("%(name)s %(message)s")
    return "\n".join(formatter.format(record) for record in caplog.records)


def test_the_log_holds_no_parameters_of_a_query_that_failed(
    site: Site, people: People, owner: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    owner.execute("LOCK TABLE account IN ACCESS EXCLUSIVE MODE")
    sent = {"name": "Zebedee Quux", "email": "zebedee@q.example", "password": NEW}
    with caplog.at_level(logging.DEBUG):
        assert site.client.post("/api/auth/register/", json=sent).status_code == 503
    assert "Quux" not in told(caplog)
    assert "zebedee@q.example" not in told(caplog)


def test_an_address_that_was_taken_meanwhile_is_an_ended_link_and_its_token_is_in_no_log(
    site: Site, people: People, owner: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    amina = account_id(site, people.amina)
    with db.transaction() as session:
        token = links.make(session, kind="email", account_id=amina, email="new@x.example", now=clock.now())
    owner.execute("UPDATE account SET email = 'new@x.example' WHERE email = %s", (people.bruno,))
    answers: list[int] = []
    csrf = site.client.token()
    with caplog.at_level(logging.DEBUG):
        thread = threading.Thread(
            target=lambda: answers.append(
                site.client.post(f"/email/{token}", data={"csrf_token": csrf}).status_code
            )
        )
        thread.start()
        time.sleep(0.5)
        owner.commit()
        thread.join()
    assert token not in told(caplog)
    assert "new@x.example" not in told(caplog)
    assert answers == [404]


def test_codes_of_wall_screens_are_limited_by_network(site: Site, people: People) -> None:
    """Whoever has one IPv6 address has a whole /64 of them."""
    answers = []
    for number in range(1, 7):
        browser = site.browser()
        answer = browser.submit(
            "/wall", {"code": "AAAA2222"}, environ_overrides={"REMOTE_ADDR": f"2001:db8::{number}"}
        )
        answers.append(answer.status_code)
    assert answers == [422] * 5 + [429]
