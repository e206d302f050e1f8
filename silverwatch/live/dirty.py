"""What is to be drawn, and when: regions that a fact or the clock has touched, each at most once a second."""

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import Final
from uuid import UUID

from silverwatch import clock, db
from silverwatch.domain.alerts import whereabouts
from silverwatch.live.changes import touched
from silverwatch.live.clients import Client
from silverwatch.live.frames import Frames
from silverwatch.live.places import Where
from silverwatch.live.regions import ALL, Key

TILE_S: Final = 1.0
ALARM_BAR: Final = "alarm-bar"
"""Only facts about alarms change it: whose it is to change has an alarm."""


class Dirty:
    """`note` may be called by the thread that listens; all else by the one that draws. `clients`: the open sockets."""

    def __init__(self, frames: Frames, *, clients: Callable[[], list[Client]]) -> None:
        self._frames, self._clients = frames, clients
        self._lock = threading.Lock()
        self._changed: dict[str, set[UUID]] = defaultdict(set)
        self._changed_for_all: set[str] = set()
        self._dirty: dict[Key, float] = {}
        self._sent_at: dict[Key, float] = {}

    def note(self, regions: Iterable[str], ids: Collection[UUID]) -> None:
        """A fact has changed these regions of these subjects; of every subject where it names none."""
        with self._lock:
            for region in regions:
                self._changed[region].update(ids)
                if not ids:
                    self._changed_for_all.add(region)

    def shown(self) -> dict[Key, Where]:
        """The open regions, with whom each is about."""
        return {key: where for client in self._clients() for key, where in client.regions.items()}

    def mark(self, keys: Iterable[Key], *, at: float) -> None:
        """These are to be drawn."""
        for key in keys:
            self._dirty.setdefault(key, at)

    def again(self, keys: Iterable[Key], *, at: float) -> None:
        """These were taken and not drawn: their turn is at once."""
        for key in keys:
            self._sent_at.pop(key, None)
            self._dirty.setdefault(key, at)

    def forget_closed(self) -> None:
        """Of regions that no socket shows any more."""
        open_keys = set(self.shown())
        self._sent_at = {key: at for key, at in self._sent_at.items() if key in open_keys}
        self._frames.forget_all_but(open_keys)

    def mark_all(self, *, at: float) -> None:
        """Something may have been missed: every open region is read again."""
        open_keys = set(self.shown())
        self._frames.outdate(open_keys)
        self.mark(open_keys, at=at)

    def by_the_clock(self, now: float) -> None:
        """Mark what was not drawn for as long as its region says."""
        for key in self.shown():
            if now - self._sent_at.get(key, 0.0) >= ALL[key[0]].every_s:
                self._dirty.setdefault(key, now)

    def resolve(self, *, now: float) -> set[Key]:
        """Turn changed patients into changed regions that somebody shows; gives those of alarms."""
        with self._lock:
            changed, self._changed = self._changed, defaultdict(set)
            for_all, self._changed_for_all = self._changed_for_all, set()
        patients = set().union(*changed.values()) if changed else set()
        if not patients and not for_all:
            return set()
        if not self._clients() and self._frames.is_empty:
            # No screen to tell, and who joins from now on reads what these facts have committed.
            return set()
        try:
            with db.transaction(read_only=True) as session:
                places = whereabouts.places_of(session, patients, now=clock.now())
        except db.UNAVAILABLE:
            with self._lock:
                for name, ids in changed.items():
                    self._changed[name] |= ids
                self._changed_for_all |= for_all
            raise
        alarmed = changed.get(ALARM_BAR, set())
        of_alarms: dict[Key, bool] = {}
        for key, patient_id in touched(changed, for_all=for_all, places=places, shown=self.shown()):
            of_alarms[key] = of_alarms.get(key, False) or patient_id is None or patient_id in alarmed
        # First outdated, then looked for: a screen that joins in between is either drawn anew or found open.
        self._frames.outdate(of_alarms)
        self._frames.outdate_named(for_all)
        open_keys = of_alarms.keys() & self.shown().keys()
        self.mark(open_keys, at=now)
        urgent = {key for key in open_keys if of_alarms[key]}
        for key in urgent:
            self._sent_at.pop(key, None)
        return urgent

    def take(self, now: float) -> list[Key]:
        """The dirty regions whose turn it is; a tile comes once a second at most."""
        ready = [key for key in self._dirty if now - self._sent_at.get(key, -TILE_S) >= TILE_S]
        for key in ready:
            self._sent_at[key] = now
            del self._dirty[key]
        self._frames.outdate(ready)
        return ready
