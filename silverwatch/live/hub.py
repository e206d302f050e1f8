"""From a fact to somebody's screen: the hub of one web process.

One thread listens to the bus and notes what changed; one thread reads what changed, draws each region once
per audience and offers the same bytes to every socket of it. Sockets lose messages and buses die, so every
open region is also read again by the clock, and every 2 s while the bus is down.
"""

import json
import logging
import math
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from silverwatch import clock, db
from silverwatch.adapters.redis_bus import Bus
from silverwatch.domain.accounts import sessions
from silverwatch.domain.accounts.facts import GrantsChanged
from silverwatch.domain.accounts.sessions import SignedIn
from silverwatch.domain.alerts import parts, queries
from silverwatch.flow import FLOW, parse
from silverwatch.live.changes import touched
from silverwatch.live.frames import Frames
from silverwatch.live.health import Health
from silverwatch.live.regions import ALL, MOVING, UNLISTED, Key, Where, may_show, places_of
from silverwatch.live.wire import Connection, encode, region_frame
from silverwatch.web.audience import Audience

log = logging.getLogger(__name__)

STEP_S: Final = 0.25
TILE_S: Final = 1.0
TICK_S: Final = 5.0
GRANTS_S: Final = 2.0
WATCH_S: Final = 2.0
DISPLAYS_SAY_EVERY: Final = timedelta(minutes=1)
BUS_DOWN_S: Final = 2.0
PART: Final = 25
"""Regions drawn in one go: the tiles of a ward."""
PROBE: Final = "Probe"
ALARM_BAR: Final = "alarm-bar"
"""Only facts about alarms change it: whose it is to change has an alarm."""


@dataclass(eq=False, slots=True, kw_only=True)
class Client:
    """A socket, who holds it, and the regions it shows with whom each is about."""

    connection: Connection
    session_id: UUID
    account_id: UUID
    audience: Audience
    regions: dict[Key, Where] = field(default_factory=dict)


class Hub:
    """All open sockets of this process."""

    def __init__(self, bus: Bus, *, limit: int, watches: bool = False) -> None:
        """`watches`: look after the parts of the system too, raising an alarm for one that stops."""
        self._bus = bus
        self._limit = limit
        self._name = str(clock.new_id())
        self._lock = threading.Lock()
        self._clients: set[Client] = set()
        self._dirty: dict[Key, float] = {}
        self._changed: dict[str, set[UUID]] = defaultdict(set)
        self._changed_for_all: set[str] = set()
        self._sent_at: dict[Key, float] = {}
        self._frames = Frames()
        self._missed = False
        self._reading = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._heard_at = time.monotonic()
        self._watches_from = time.monotonic() + parts.BOOT_S if watches else math.inf
        self._next = {"tick": 0.0, "grants": 0.0, "probe": 0.0, "reread": 0.0, "watch": 0.0}
        self.health = Health()

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
        with self._lock:
            for region in regions:
                self._changed[region].update(ids)
                if not ids:
                    self._changed_for_all.add(region)
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
            self._forget_closed()
        if self._missed or (not self.health.bus and self._due("reread", now, every=BUS_DOWN_S)):
            self._missed = False
            open_keys = self._open_keys()
            self._frames.outdate(open_keys)
            self._mark(open_keys, at=now)
        self._by_the_clock(now)
        first = self._resolve(now=now)
        keys = self._take(now)
        try:
            self._draw_in_parts(keys, first, now=now)
        except Exception:
            self._mark(keys, at=now)
            raise

    def _draw_in_parts(self, keys: list[Key], first: set[Key], *, now: float) -> None:
        """What alarms have changed first, then the rest in parts: a new alarm waits for one of them at most."""
        self._draw([key for key in keys if key in first], self._all())
        rest = [key for key in keys if key not in first]
        for begin in range(0, len(rest), PART):
            self._draw(rest[begin : begin + PART], self._all())
            if self._wake.is_set():
                for key in rest[begin + PART :]:
                    self._sent_at.pop(key, None)
                    self._dirty.setdefault(key, now)
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
                self.health.lag_is(queries.judge_lag_s(session, now=clock.now()))
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
        moving = {key for key in self._open_keys() if ALL[key[0]].subject in MOVING}
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

    # -- what to draw ----------------------------------------------------------------------------------

    def _shown(self) -> dict[Key, Where]:
        return {key: where for client in self._all() for key, where in client.regions.items()}

    def _open_keys(self) -> set[Key]:
        return set(self._shown())

    def _mark(self, keys: Iterable[Key], *, at: float) -> None:
        for key in keys:
            self._dirty.setdefault(key, at)

    def _forget_closed(self) -> None:
        """Of regions that no socket shows any more."""
        open_keys = self._open_keys()
        self._sent_at = {key: at for key, at in self._sent_at.items() if key in open_keys}
        self._frames.forget_all_but(open_keys)

    def _by_the_clock(self, now: float) -> None:
        for key in self._open_keys():
            if now - self._sent_at.get(key, 0.0) >= ALL[key[0]].every_s:
                self._dirty.setdefault(key, now)

    def _resolve(self, *, now: float) -> set[Key]:
        """Turn changed patients into changed regions that somebody shows; gives those of alarms."""
        with self._lock:
            changed, self._changed = self._changed, defaultdict(set)
            for_all, self._changed_for_all = self._changed_for_all, set()
        patients = set().union(*changed.values()) if changed else set()
        if not patients and not for_all:
            return set()
        if not self._all() and self._frames.is_empty:
            # No screen to tell, and who joins from now on reads what these facts have committed.
            return set()
        try:
            with db.transaction(read_only=True) as session:
                places = queries.places_of(session, patients, now=clock.now())
        except db.UNAVAILABLE:
            with self._lock:
                for name, ids in changed.items():
                    self._changed[name] |= ids
                self._changed_for_all |= for_all
            raise
        alarmed = changed.get(ALARM_BAR, set())
        of_alarms: dict[Key, bool] = {}
        shown = self._shown()
        for key, patient_id in touched(changed, for_all=for_all, places=places, shown=shown):
            of_alarms[key] = of_alarms.get(key, False) or patient_id is None or patient_id in alarmed
        # First outdated, then looked for: a screen that joins in between is either drawn anew or found open.
        self._frames.outdate(of_alarms)
        self._frames.outdate_named(for_all)
        open_keys = of_alarms.keys() & self._open_keys()
        self._mark(open_keys, at=now)
        urgent = {key for key in open_keys if of_alarms[key]}
        for key in urgent:
            self._sent_at.pop(key, None)
        return urgent

    def _take(self, now: float) -> list[Key]:
        """The dirty regions whose turn it is; a tile comes once a second at most."""
        ready = [key for key in self._dirty if now - self._sent_at.get(key, -TILE_S) >= TILE_S]
        for key in ready:
            self._sent_at[key] = now
            del self._dirty[key]
        self._frames.outdate(ready)
        return ready

    def _draw(self, keys: Iterable[Key], clients: list[Client]) -> None:
        """Read each kind of region in one go, draw once per audience, offer to every socket that shows it."""
        by_name: dict[str, list[UUID]] = defaultdict(list)
        for name, subject_id in keys:
            by_name[name].append(subject_id)
        if not by_name:
            return
        shown: dict[Key, list[Client]] = defaultdict(list)
        for client in clients:
            for key in client.regions:
                shown[key].append(client)
        now = clock.now()
        # One reading at a time: a higher version must never carry older values.
        with self._reading:
            version = self._frames.next_version()
            with db.transaction(read_only=True) as session:
                views = {name: ALL[name].load(session, ids, now) for name, ids in by_name.items()}
        for name, ids in by_name.items():
            for subject_id in ids:
                key = (name, subject_id)
                if subject_id in views[name]:
                    self._send_or_say(key, views[name][subject_id], to=shown[key], version=version)

    def _send_or_say(self, key: Key, view: object, *, to: list[Client], version: int) -> None:
        """One region that cannot be drawn holds no other one, and no screen looks live meanwhile."""
        try:
            self._send(key, view, to=to, version=version)
        except Exception:
            self.health.failed()
            log.exception("hub: %s-%s cannot be drawn", *key)

    def _send(self, key: Key, view: object, *, to: list[Client], version: int) -> None:
        region = ALL[key[0]]
        dom_id = region.dom_id(key[1])
        now = clock.now()
        frames: dict[Audience, bytes] = {}
        for client in to:
            frame = frames.get(client.audience)
            if frame is None:
                frame = region_frame(dom_id, region.draw(view, audience=client.audience, now=now))
                frames[client.audience] = frame
                self._frames.keep(key, client.audience, version=version, frame=frame)
            client.connection.offer(dom_id, version=version, frame=frame)


def lock_frame(audience: Audience) -> bytes:
    """Tells the page whether it is locked: `lock.js` shows the panel that asks for the PIN."""
    return encode(json.dumps({"locked": audience.locked}))
