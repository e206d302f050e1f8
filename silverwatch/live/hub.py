"""From a fact to somebody's screen: the hub of one web process.

One thread listens to the bus and notes what changed; one thread reads what changed, draws each region once
per audience and offers the same bytes to every socket of it. Sockets lose messages and buses die, so every
open region is also read again by the clock, and every 2 s while the bus is down.
"""

import logging
import math
import threading
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from silverwatch import clock, db
from silverwatch.adapters.redis_bus import Bus
from silverwatch.domain.accounts import sessions
from silverwatch.domain.accounts.facts import GrantsChanged
from silverwatch.domain.accounts.sessions import SignedIn
from silverwatch.domain.alerts import parts, waiting
from silverwatch.flow import FLOW, parse
from silverwatch.live.clients import Client, lock_frame
from silverwatch.live.dirty import ALARM_BAR, Dirty
from silverwatch.live.drawer import Drawer
from silverwatch.live.health import Health
from silverwatch.live.places import Where, may_show, places_of
from silverwatch.live.region import MOVING, UNLISTED
from silverwatch.live.regions import ALL, Key

log = logging.getLogger(__name__)

STEP_S: Final = 0.25
TICK_S: Final = 5.0
GRANTS_S: Final = 2.0
WATCH_S: Final = 2.0
DISPLAYS_SAY_EVERY: Final = timedelta(minutes=1)
BUS_DOWN_S: Final = 2.0
PART: Final = 25
"""Regions drawn in one go: the tiles of a ward."""
PROBE: Final = "Probe"


class Hub:
    """All open sockets of this process."""

    def __init__(self, bus: Bus, *, limit: int, watches: bool = False) -> None:
        """`watches`: look after the parts of the system too, raising an alarm for one that stops."""
        self._bus = bus
        self._limit = limit
        self._name = str(clock.new_id())
        self._lock = threading.Lock()
        self._clients: set[Client] = set()
        self._missed = False
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._heard_at = time.monotonic()
        self._watches_from = time.monotonic() + parts.BOOT_S if watches else math.inf
        self._next = {"tick": 0.0, "grants": 0.0, "probe": 0.0, "reread": 0.0, "watch": 0.0}
        self.health = Health()
        self._drawer = Drawer(self.health)
        self._draw, self._frames = self._drawer.draw, self._drawer.frames
        self._dirty = Dirty(self._frames, clients=self._all)

    # -- sockets ---------------------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Does this process carry as many sockets as it can without starving its pages?"""
        return len(self._clients) >= self._limit

    def serve(self, client: Client) -> None:
        """Keep a socket: subscribe first, then a snapshot of every region, then pushes until it hangs up."""
        self.start()
        # Before anybody can turn it: the page may have missed that it was locked or opened.
        client.connection.send(lock_frame(client.audience))
        with self._lock:
            self._clients.add(client)
        try:
            self._snapshot(client)
            client.connection.wait()
        finally:
            with self._lock:
                self._clients.discard(client)

    def close_all(self) -> None:
        """This process stops: browsers come again and find another one (1012, service restart)."""
        self._stop.set()
        self._wake.set()
        for client in self._all():
            client.connection.close(1012)

    def _all(self) -> list[Client]:
        with self._lock:
            return list(self._clients)

    def _snapshot(self, client: Client) -> None:
        missing = []
        for key in client.regions:
            # What no fact names is not outdated by one either.
            kept = None if ALL[key[0]].subject in UNLISTED else self._frames.find(key, client.audience)
            if kept is None:
                missing.append(key)
            else:
                client.connection.offer(ALL[key[0]].dom_id(key[1]), version=kept[0], frame=kept[1])
        self._draw(missing, [client])
        client.connection.send(self.health.tick())

    # -- threads ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the threads, if they do not run: also without a screen, a web process watches the other parts."""
        with self._lock:
            if self._threads:
                return
            self._threads = [
                threading.Thread(target=self._listen, name="hub-bus", daemon=True),
                threading.Thread(target=self._run, name="hub", daemon=True),
            ]
        self._heard_at = time.monotonic()
        for thread in self._threads:
            thread.start()

    def _listen(self) -> None:
        self._bus.listen(self._heard, joined=self._joined, stop=self._stop)

    def _joined(self) -> None:
        """The bus hears us from now on: what was said before, by anybody, is to be read from the database."""
        self._missed = True
        self._wake.set()

    def _heard(self, line: str) -> None:
        """A line of the bus: note what has changed. Reads nothing and draws nothing."""
        if line.startswith(PROBE):
            if line == f"{PROBE}:{self._name}":
                self._heard_at = time.monotonic()
            return
        parsed = parse(line)
        if parsed is None:
            return
        fact, ids = parsed
        if fact is GrantsChanged:
            self._next["grants"] = 0.0
            self._wake.set()
            return
        regions = FLOW[fact].regions
        self._dirty.note(regions, ids)
        if ALARM_BAR in regions:
            self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(STEP_S)
            self._wake.clear()
            try:
                self._step()
                self.health.db = True
            except db.UNAVAILABLE:
                self.health.db = False
                self.health.failed()
                self._stop.wait(0.5)
            except Exception:
                self.health.failed()
                log.exception("hub: a step failed")
                self._stop.wait(0.5)
            for client in self._all():
                client.connection.flush()

    def _step(self) -> None:
        now = time.monotonic()
        if self._due("probe", now, every=1.0):
            self._probe(now)
        if self._due("tick", now, every=TICK_S):
            self._send_ticks()
        if now > self._watches_from and self._due("watch", now, every=WATCH_S):
            self._watch_parts()
        if self._due("grants", now, every=GRANTS_S):
            self._check_grants()
            self._dirty.forget_closed()
        if self._missed or (not self.health.bus and self._due("reread", now, every=BUS_DOWN_S)):
            self._missed = False
            self._dirty.mark_all(at=now)
        self._dirty.by_the_clock(now)
        first = self._dirty.resolve(now=now)
        keys = self._dirty.take(now)
        try:
            self._draw_in_parts(keys, first, now=now)
        except Exception:
            self._dirty.mark(keys, at=now)
            raise

    def _draw_in_parts(self, keys: list[Key], first: set[Key], *, now: float) -> None:
        """What alarms have changed first, then the rest in parts: a new alarm waits for one of them at most."""
        self._draw([key for key in keys if key in first], self._all())
        rest = [key for key in keys if key not in first]
        for begin in range(0, len(rest), PART):
            self._draw(rest[begin : begin + PART], self._all())
            if self._wake.is_set():
                self._dirty.again(rest[begin + PART :], at=now)
                return

    def _due(self, what: str, now: float, *, every: float) -> bool:
        if now < self._next[what]:
            return False
        self._next[what] = now + every
        return True

    # -- health ----------------------------------------------------------------------------------------

    def _probe(self, now: float) -> None:
        """Hear ourselves: only then do we know that we would hear the workers."""
        self._bus.publish([f"{PROBE}:{self._name}"])
        was, self.health.bus = self.health.bus, now - self._heard_at < 3.0
        if was != self.health.bus:
            log.warning("hub: the bus is %s", "back" if self.health.bus else "away, reading by the clock")
            self._missed = True

    def _send_ticks(self) -> None:
        try:
            with db.transaction(read_only=True) as session:
                self.health.lag_is(waiting.judge_lag_s(session, now=clock.now()))
        except db.UNAVAILABLE:
            self.health.db = False
        frame = self.health.tick()
        for client in self._all():
            client.connection.send(frame)

    def _watch_parts(self) -> None:
        """The guard watches the others, and who watches the guard? Every web process."""
        with db.transaction() as session:
            parts.watch(session, now=clock.now(), bus=self.health.bus)

    def _check_grants(self) -> None:
        """Who has lost the session loses the socket; who has lost a ward loses its regions."""
        clients, now = self._all(), clock.now()
        if not clients:
            return
        moving = {key for key in self._dirty.shown() if ALL[key[0]].subject in MOVING}
        with db.transaction(read_only=True) as session:
            held = sessions.find_many(session, {c.session_id for c in clients}, now=now)
            places = places_of(session, moving, now=now) if moving else {}
        for client in clients:
            client.regions |= {key: places.get(key, Where()) for key in client.regions.keys() & moving}
            signed_in = held.get(client.session_id)
            if signed_in is None or signed_in.state in ("code", "enrol"):
                client.connection.close(4401, "the session has ended")
            elif not all(may_show(signed_in.actor, *item) for item in client.regions.items()):
                client.connection.close(1008, "what is shown is no longer yours")
            elif (signed_in.state == "locked") != client.audience.locked:
                self._turn(client, locked=signed_in.state == "locked")
        self._say_alive(held.values(), now=now)

    def _say_alive(self, held: Iterable[SignedIn], *, now: datetime) -> None:
        """A wall screen has nobody who moves a hand: that its socket is open is its sign of life."""
        due = [s.session_id for s in held if s.display_id and now - s.active_at >= DISPLAYS_SAY_EVERY]
        if due:
            with db.transaction() as session:
                for session_id in due:
                    sessions.touch(session, session_id, now=now)

    def _turn(self, client: Client, *, locked: bool) -> None:
        """A screen locks or opens where it stands: alarms go on, names and hands do not. No sound is lost to it."""
        before, client.audience = client.audience, client.audience.turned(locked=locked)
        client.connection.send(lock_frame(client.audience))
        try:
            self._draw(list(client.regions), [client])
        except Exception:
            # Names may still stand on a locked screen: the next look finds it as it was, and turns it again.
            client.audience = before
            raise
