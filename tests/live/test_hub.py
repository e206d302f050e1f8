"""What a screen is told when a fact and the screen miss each other: sockets that join late, a bus that was away."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from silverwatch import clock, db
from silverwatch.adapters.redis_bus import Bus
from silverwatch.domain.accounts import service as accounts
from silverwatch.live.clients import Client
from silverwatch.live.frames import Frames
from silverwatch.live.hub import Hub
from silverwatch.live.places import Where
from silverwatch.live.wire import Connection
from silverwatch.web.audience import Audience
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.jobs.posting import judge, post

NURSE = Audience("caregiver", may_take_alarms=True)
WITHIN_S = 10
"""Well below the 15 s after which a tile is read again by the clock."""


class Peer:
    """The ends of one socket: a server's side as simple-websocket has it, and what arrives at the other."""

    def __init__(self) -> None:
        self.sock, self._other = socket.socketpair()
        self.event = threading.Event()
        self._heard = b""

    def receive(self, timeout: float) -> None:
        """A browser that says nothing."""
        self.event.wait(timeout)

    def heard(self) -> str:
        """All that has arrived."""
        self._other.setblocking(False)
        while True:
            try:
                data = self._other.recv(1 << 16)
            except BlockingIOError:
                return self._heard.decode(errors="replace")
            if not data:
                return self._heard.decode(errors="replace")
            self._heard += data

    def close(self) -> None:
        """Give both ends back."""
        self.sock.close()
        self._other.close()

    def hears(self, text: str) -> bool:
        """Does this arrive in time?"""
        return within(lambda: text in self.heard())


def within(true: Callable[[], bool]) -> bool:
    """Wait for something."""
    until = time.monotonic() + WITHIN_S
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def hub(site: Site) -> Iterator[Hub]:
    """A hub of its own."""
    made = Hub(Bus(site.config.redis_url), limit=10)
    yield made
    made.close_all()


@contextmanager
def screen(hub: Hub, cast: Cast, people: People) -> Iterator[Peer]:
    """A screen with the tile of Achieng's bed, as long as the block lasts."""
    with db.transaction() as session:
        entered = accounts.sign_in(session, email=people.amina, password=PASSWORD, now=clock.now())
        assert isinstance(entered, accounts.Entered)
        found = entered.signed_in
    peer: Any = Peer()
    client = Client(
        connection=Connection(peer),
        session_id=found.session_id,
        account_id=found.actor.account_id,
        audience=NURSE,
        regions={("tile", cast.achieng.bed_id): Where(cast.achieng.ward_id)},
    )
    thread = threading.Thread(target=hub.serve, args=(client,))
    thread.start()
    assert peer.hears("tick")
    yield peer
    client.connection.drop()
    thread.join()
    peer.close()


def say(site: Site, cast: Cast, value: float) -> None:
    """A reading that is stored and judged."""
    post(site, cast.achieng.key, [(0.2, {"heart_rate": value})])
    judge()


def test_who_joins_after_an_unwatched_change_sees_it(
    site: Site, cast: Cast, people: People, hub: Hub
) -> None:
    with screen(hub, cast, people) as first:
        say(site, cast, 71)
        assert first.hears(">71<")
    say(site, cast, 93)
    time.sleep(1)  # The hub has heard of it, and found nobody who shows that bed.
    with screen(hub, cast, people) as second:
        assert second.hears(">93<")


def test_what_was_said_while_nobody_heard_is_read(site: Site, cast: Cast, people: People, hub: Hub) -> None:
    with screen(hub, cast, people) as shown:
        say(site, cast, 71)
        assert shown.hears(">71<")
        db.on_commit(None)
        say(site, cast, 94)
        with redis.Redis.from_url(site.config.redis_url) as server:
            server.client_kill_filter(_type="pubsub")
        assert shown.hears(">94<")


def test_an_older_frame_never_replaces_a_newer_one() -> None:
    frames, key = Frames(), ("tile", clock.new_id())
    older, newer = frames.next_version(), frames.next_version()
    frames.keep(key, NURSE, version=newer, frame=b"new")
    frames.keep(key, NURSE, version=older, frame=b"old")
    assert frames.find(key, NURSE) == (newer, b"new")


def test_what_was_read_before_a_change_is_handed_to_nobody() -> None:
    frames, key = Frames(), ("tile", clock.new_id())
    before = frames.next_version()
    frames.outdate([key])
    frames.keep(key, NURSE, version=before, frame=b"before")
    assert frames.find(key, NURSE) is None
    frames.keep(key, NURSE, version=frames.next_version(), frame=b"after")
    found = frames.find(key, NURSE)
    assert found is not None
    assert found[1] == b"after"
