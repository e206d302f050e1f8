"""Screens that lock and open where they stand: alarms go on, names and hands do not."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from silverwatch import clock, db
from silverwatch.adapters.redis_bus import Bus
from silverwatch.domain.accounts import displays, pins, sessions
from silverwatch.domain.accounts import service as accounts
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.accounts.sessions import Browser, SignedIn
from silverwatch.live.clients import Client
from silverwatch.live.hub import Hub
from silverwatch.live.places import Where
from silverwatch.live.wire import Connection
from silverwatch.web.audience import Audience
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.jobs.posting import judge, post
from tests.live.test_hub import Peer, say, within

NURSE = Audience("caregiver", may_take_alarms=True)
FRAME, TILE = '{"target": "#', "tile-"
NAME, INITIALS = "ACHIENG", "T.A."
BUTTON = 'class=\\"ack\\"'


@dataclass
class Screen:
    """A browser with the tile of Achieng's bed and the alarm bar of ward A."""

    peer: Any
    client: Client
    found: SignedIn

    def frames(self, region: str) -> list[str]:
        """The frames of the region so far."""
        return [part for part in self.peer.heard().split(FRAME)[1:] if part.startswith(region)]

    def shows(self, text: str, *, without: str, region: str = TILE) -> bool:
        """Is the newest frame one with the one text and without the other, in time?"""

        def look() -> bool:
            frames = self.frames(region)
            return bool(frames) and text in frames[-1] and without not in frames[-1]

        return within(look)


class Ends(Peer):
    """The ends of one socket; notes with which code the server closed it."""

    code: int | None = None

    def close(self, code: int | None = None, reason: str = "") -> None:
        """The server says goodbye, or the test gives both ends back."""
        if code is None:
            super().close()
        else:
            self.code = code


@pytest.fixture
def hub(site: Site) -> Iterator[Hub]:
    """A hub of its own."""
    made = Hub(Bus(site.config.redis_url), limit=10)
    yield made
    made.close_all()
    for thread in made._threads:
        # It may hold a connection of the site that goes away now.
        thread.join(10)


def nurse(people: People) -> SignedIn:
    """Amina's session."""
    with db.transaction() as session:
        entered = accounts.sign_in(session, email=people.amina, password=PASSWORD, now=clock.now())
    assert isinstance(entered, accounts.Entered)
    return entered.signed_in


@contextmanager
def screen(hub: Hub, cast: Cast, found: SignedIn, audience: Audience = NURSE) -> Iterator[Screen]:
    """A screen, as long as the block lasts."""
    peer: Any = Ends()
    client = Client(
        connection=Connection(peer),
        session_id=found.session_id,
        account_id=found.actor.account_id,
        audience=audience,
        regions={
            ("tile", cast.achieng.bed_id): Where(cast.achieng.ward_id),
            ("alarm-bar", cast.achieng.ward_id): Where(cast.achieng.ward_id),
        },
    )
    thread = threading.Thread(target=hub.serve, args=(client,))
    thread.start()
    try:
        # The hub's own tick may come before the snapshot: what was drawn tells that the screen is complete.
        assert peer.hears("tick")
        assert peer.hears(FRAME)
        yield Screen(peer, client, found)
    finally:
        client.connection.drop()
        thread.join()
        peer.close()


def lock(found: SignedIn) -> None:
    """She walks away."""
    with db.transaction() as session:
        pins.lock(session, found, now=clock.now())


def unlock(found: SignedIn) -> None:
    """She is back."""
    with db.transaction() as session:
        assert pins.unlock(session, found, password=PASSWORD, now=clock.now()) != pins.Refused(left=4)


def test_a_screen_loses_names_and_gets_them_back_where_it_stands(
    site: Site, cast: Cast, people: People, hub: Hub
) -> None:
    with screen(hub, cast, nurse(people)) as shown:
        assert shown.peer.hears('{"locked": false}')
        assert shown.shows(NAME, without=INITIALS)
        lock(shown.found)
        assert shown.peer.hears('{"locked": true}')
        assert shown.shows(INITIALS, without=NAME)
        unlock(shown.found)
        assert within(lambda: shown.peer.heard().count('{"locked": false}') == 2)
        assert shown.shows(NAME, without=INITIALS)
        assert shown.client.connection.alive


def test_idle_time_locks_without_anybody_saying_so(site: Site, cast: Cast, people: People, hub: Hub) -> None:
    with screen(hub, cast, nurse(people)) as shown:
        site.rows("UPDATE login_session SET active_at = active_at - %s RETURNING id", timedelta(minutes=16))
        assert shown.peer.hears('{"locked": true}')
        assert shown.shows(INITIALS, without=NAME)


def test_what_others_were_sent_meanwhile_does_not_hold_it_back(
    site: Site, cast: Cast, people: People, hub: Hub
) -> None:
    mine, colleague = nurse(people), nurse(people)
    with screen(hub, cast, mine) as shown, screen(hub, cast, colleague) as other:
        for value in (71, 72, 73):
            say(site, cast, value)
            assert other.peer.hears(f">{value}<")
        lock(mine)
        assert shown.shows(INITIALS, without=NAME)
        say(site, cast, 94)
        assert other.shows(">94<", without=INITIALS)
        assert shown.shows(">94<", without=NAME)
        lock(colleague)
        assert other.shows(INITIALS, without=NAME)
        unlock(mine)
        assert shown.shows(NAME, without=INITIALS)


def test_an_alarm_comes_to_a_locked_screen_without_a_button(
    site: Site, cast: Cast, people: People, hub: Hub
) -> None:
    with screen(hub, cast, nurse(people)) as shown:
        lock(shown.found)
        assert shown.peer.hears('{"locked": true}')
        post(site, cast.achieng.key, [(0.5, {"oxygen_saturation": 72})])
        judge()
        assert shown.shows("unacked", without=BUTTON)
        assert shown.shows('data-state=\\"new\\"', without=BUTTON, region="alarm-bar")
        unlock(shown.found)
        assert shown.shows(BUTTON, without=INITIALS)
        assert shown.shows(BUTTON, without=INITIALS, region="alarm-bar")


def test_a_page_that_comes_again_hears_at_once_whether_it_is_locked(
    site: Site, cast: Cast, people: People, hub: Hub
) -> None:
    found = nurse(people)
    lock(found)
    with screen(hub, cast, found, NURSE.turned(locked=True)) as shown:
        heard = shown.peer.heard()
        assert 0 <= heard.find('{"locked": true}') < heard.find(FRAME)
        assert shown.shows(INITIALS, without=NAME)


def test_a_screen_that_could_not_be_turned_is_turned_again(
    site: Site, cast: Cast, people: People, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with screen(hub, cast, nurse(people)) as shown:
        assert shown.shows(NAME, without=INITIALS)
        draw, failed = hub._draw, threading.Event()

        def fail_once(*args: Any) -> None:
            if args[1] == [shown.client] and not failed.is_set():
                failed.set()
                raise RuntimeError("the database went away in this moment")
            draw(*args)

        monkeypatch.setattr(hub, "_draw", fail_once)
        lock(shown.found)
        assert failed.wait(10)
        assert shown.shows(INITIALS, without=NAME)


def test_an_ended_session_loses_its_socket(site: Site, cast: Cast, people: People, hub: Hub) -> None:
    with screen(hub, cast, nurse(people)) as shown:
        with db.transaction() as session:
            sessions.end(session, [shown.found.session_id], because="a test", now=clock.now())
        assert within(lambda: shown.peer.code == 4401)


def test_a_wall_screen_says_that_it_is_there_until_it_is_revoked(
    site: Site, cast: Cast, people: People, hub: Hub
) -> None:
    admin = site.row("SELECT id FROM account WHERE email = %s", people.ada)[0]
    long_ago = clock.now() - timedelta(hours=2)
    with db.transaction() as session:
        by = sessions.Actor(
            account_id=session.get_one(Account, admin).id,
            role=sessions.Role.ADMIN,
            name="Ada",
            ward_ids=frozenset({cast.achieng.ward_id}),
        )
        display, code = displays.create(
            session, by=by, ward_id=cast.achieng.ward_id, name="Door", now=long_ago
        )
        made = displays.pair(session, code=code, browser=Browser(), now=long_ago)
        assert made is not None
        found = sessions.find(session, token=made[0], now=clock.now())
        assert found is not None
    with screen(hub, cast, found, Audience("display", wall=True)) as shown:
        assert within(lambda: state(by) == "on")
        with db.transaction() as session:
            displays.revoke(session, by=by, display_id=display.id, now=clock.now())
        began = time.monotonic()
        assert within(lambda: shown.peer.code == 4401)
        print(f"revoked to dark: {time.monotonic() - began:.2f} s")


def state(by: Any) -> str:
    """What the list of wall screens says of the only one."""
    with db.transaction(read_only=True) as session:
        (only,) = displays.screens(session, by, now=clock.now())
    return only.state
