"""Draws regions: read in one go, drawn once per audience, the same bytes offered to every socket."""

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from silverwatch import clock, db
from silverwatch.live.clients import Client
from silverwatch.live.frames import Frames
from silverwatch.live.health import Health
from silverwatch.live.regions import ALL, Key
from silverwatch.live.wire import region_frame
from silverwatch.web.audience import Audience

log = logging.getLogger(__name__)


class Drawer:
    """May be asked by several threads; `frames` keeps what was drawn lately, `health` learns what failed."""

    def __init__(self, health: Health) -> None:
        self.frames = Frames()
        self._health = health
        self._reading = threading.Lock()

    def draw(self, keys: Iterable[Key], clients: list[Client]) -> None:
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
            version = self.frames.next_version()
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
            self._health.failed()
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
                self.frames.keep(key, client.audience, version=version, frame=frame)
            client.connection.offer(dom_id, version=version, frame=frame)
