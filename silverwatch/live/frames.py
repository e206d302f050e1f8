"""What was drawn lately, for the screens that join in the next moment: a ward that reconnects costs one drawing."""

import itertools
import threading
import time
from collections.abc import Collection, Iterable
from typing import Final

from silverwatch.live.regions import Key
from silverwatch.web.audience import Audience

FRESH_S: Final = 2.0


class Frames:
    """Frames by region and audience. Each is as old as its version: a number drawn before its values were read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._versions = itertools.count(1)
        self._kept: dict[tuple[Key, Audience], tuple[float, int, bytes]] = {}
        self._outdated: dict[Key, int] = {}

    @property
    def is_empty(self) -> bool:
        """Is nothing kept for who joins?"""
        return not self._kept

    def next_version(self) -> int:
        """For values that are read from now on."""
        return next(self._versions)

    def outdate(self, keys: Iterable[Key]) -> None:
        """What was read of these regions until now may be handed to nobody who joins."""
        with self._lock:
            version = self.next_version()
            for key in keys:
                self._outdated[key] = version

    def outdate_named(self, names: Collection[str]) -> None:
        """The same for every region of these names that was drawn lately."""
        if names:
            with self._lock:
                keys = {key for key, _ in self._kept if key[0] in names}
            self.outdate(keys)

    def keep(self, key: Key, audience: Audience, *, version: int, frame: bytes) -> None:
        """Two threads draw, and the one that read first may come last: the newer one stays."""
        with self._lock:
            kept = self._kept.get((key, audience))
            if kept is None or kept[1] < version:
                self._kept[key, audience] = (time.monotonic(), version, frame)

    def find(self, key: Key, audience: Audience) -> tuple[int, bytes] | None:
        """The version and the frame, when it is fresh and nothing has changed since it was read."""
        with self._lock:
            kept = self._kept.get((key, audience))
            if kept is None or kept[1] < self._outdated.get(key, 0) or time.monotonic() - kept[0] >= FRESH_S:
                return None
            return kept[1], kept[2]

    def forget_all_but(self, keys: set[Key]) -> None:
        """Keep nothing of regions that no socket shows any more; only that they have changed."""
        with self._lock:
            self._kept = {pair: kept for pair, kept in self._kept.items() if pair[0] in keys}
