"""A review's attacks on the audit: refusals are noted, what was not done is not, and alarms do not wait for it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from silverwatch import clock
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site

MOST_OF_A_STRANGER = 300


def refusals(site: Site) -> int:
    found: int = site.row("SELECT count(*) FROM audit_entry WHERE outcome = 'refused'")[0]
    return found


@contextmanager
def held_by_another(site: Site, statement: str) -> Iterator[None]:
    """Another connection holds a lock as long as the block lasts."""
    with psycopg.connect(site.config.owner_url.replace("+psycopg", "")) as owner:
        owner.execute(statement.encode())
        try:
            yield
        finally:
            owner.rollback()


def test_a_socket_on_another_ward_is_refused_with_one_row(site: Site, cast: Cast, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        site.client.get(
            f"/ws/live/?r=alarm-bar-{cast.chebet.ward_id}",
            base_url="ws://localhost",
            headers={
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Origin": "ws://localhost",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
                "Sec-WebSocket-Version": "13",
            },
            environ_overrides={"werkzeug.socket": theirs},
        )
        assert b"unknown region" in ours.recv(4096)
    assert refusals(site) == 1


def test_a_stranger_cannot_add_as_many_rows_as_they_like(site: Site, people: People) -> None:
    """Each row takes the one lock of the chain, and nobody can ever delete it."""
    stranger = site.browser()
    for _ in range(MOST_OF_A_STRANGER + 50):
        stranger.get("/reset/x")
    assert refusals(site) <= MOST_OF_A_STRANGER


def test_observations_that_were_refused_are_not_noted_as_done(site: Site, cast: Cast, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    url = f"/patients/{cast.achieng.patient_id}/observations"
    assert site.client.submit(url, {"heart_rate": "9999"}).status_code == 422
    query = "SELECT outcome FROM audit_entry WHERE action = 'observations.recorded'"
    assert ("done",) not in site.rows(query)


def test_a_form_that_is_sent_twice_is_noted_once(site: Site, cast: Cast, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    url = f"/patients/{cast.achieng.patient_id}/observations"
    form = {"heart_rate": "80", "form_id": str(clock.new_id()), "measured_at": clock.now().isoformat()}
    for _ in range(2):
        assert site.client.submit(url, form).status_code == 303
    query = "SELECT outcome FROM audit_entry WHERE action = 'observations.recorded'"
    assert site.rows(query) == [("done",)]


def test_an_open_region_goes_on_while_the_audit_cannot_be_read(
    site: Site, cast: Cast, people: People
) -> None:
    """Architecture 5.8: no audit, no patient page, while an open live region goes on."""
    site.client.sign_in(people.amina, PASSWORD)
    assert site.client.get("/ward/a").status_code == 200
    with held_by_another(site, "LOCK TABLE audit_entry IN ACCESS EXCLUSIVE MODE"):
        assert site.client.get(f"/beds/{cast.achieng.bed_id}/tile").status_code == 200
