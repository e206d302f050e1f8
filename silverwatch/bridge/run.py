"""`silverwatch mqtt-bridge`: messages to posts, at least once. A message is acknowledged only after the answer."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from queue import Empty
from threading import Event, Lock
from typing import Any, Final

from silverwatch import clock
from silverwatch.bridge import messages
from silverwatch.bridge.broker import Address, Broker, Received
from silverwatch.bridge.errors import BridgeError
from silverwatch.bridge.messages import BadMessageError, Data, Refused, Status
from silverwatch.bridge.server import Posted, Server
from silverwatch.server_call import rfc3339

log = logging.getLogger(__name__)

BATCH: Final = 200
_ASK_AGAIN_S: Final = 60.0
"""How often the types of devices are asked for: one that was added meanwhile has a type too."""
_TELL_S: Final = 60.0
_WAIT_S: Final = 0.2
_APART: Final = timedelta(milliseconds=1)


class Bridge:
    """Takes what the broker has, posts it, and acknowledges it. `counts` says what became of everything."""

    def __init__(self, server: Server, *, refused: Refused, kinds: dict[str, str]) -> None:
        self.counts: Counter[str] = Counter()
        self._server, self._refused, self._kinds = server, refused, kinds
        self._asked_at = time.monotonic()
        self._named: set[tuple[str, str]] = set()
        self._last: dict[str, datetime] = {}
        self._lock = Lock()

    def run(self, broker: Broker, *, stop: Event, say: Callable[[str], None]) -> None:
        """Until `stop` is set. Raises BridgeError if the server refuses the key."""
        told_at, told = time.monotonic(), ""
        while not stop.is_set():
            batch = _take(broker)
            if batch and self._deliver(batch, stop=stop):
                for message in batch:
                    broker.acknowledge(message)
            if time.monotonic() - told_at >= _TELL_S:
                told_at = time.monotonic()
                if (line := self.line()) != told:
                    say(line)
                    told = line

    def retained(self) -> None:
        """A message that the broker kept for whoever comes: its age is unknown, it is not taken."""
        self._count("retained, not taken")

    def line(self) -> str:
        """What became of everything so far."""
        with self._lock:
            return (
                ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items())) or "nothing yet"
            )

    def _deliver(self, batch: Sequence[Received], *, stop: Event) -> bool:
        """Post what the messages say; whether all was answered for."""
        self._ask_for_kinds()
        items: list[dict[str, Any]] = []
        about: dict[str, dict[str, Any]] = {}
        for message in batch:
            self._count("messages")
            try:
                found = messages.read(
                    message.topic, message.payload, kinds=self._kinds, refused=self._refused
                )
            except BadMessageError as error:
                self._count("bad")
                log.warning("bad message on %s (%s), kept in quarantine", message.topic[:80], error)
                items.append(messages.kept(message.topic, message.payload))
            else:
                self._sort(found, message, items, about)
        bodies = [{"readings": items}] if items else []
        bodies += [{**said, "readings": []} for said in about.values()]
        return all(self._post(body, stop=stop) for body in bodies)

    def _sort(
        self,
        found: Data | Status,
        message: Received,
        items: list[dict[str, Any]],
        about: dict[str, dict[str, Any]],
    ) -> None:
        if isinstance(found, Status):
            self._count("status")
            if found.about:
                about.setdefault(found.about["device"], {}).update(found.about)
            return
        for vital in sorted(found.taken_out):
            self._count(f"{vital} not believed")
            if ("not believed", found.item["device"]) not in self._named:
                self._named.add(("not believed", found.item["device"]))
                log.warning("%s of %s is not believed, by its type", vital, found.item["device"])
        if messages.has_vitals(found.item):
            items.append({"measured_at": self._came(found.item["device"], message.at), **found.item})

    def _came(self, serial: str, at: datetime) -> str:
        """When it came, for a message without a time; no two of a device at the same millisecond."""
        last = self._last.get(serial)
        if last is not None:
            at = max(at, last + _APART)
        self._last[serial] = at
        return rfc3339(at)

    def _post(self, body: dict[str, Any], *, stop: Event) -> bool:
        posted = self._server.post({"sent_at": rfc3339(clock.now()), **body}, stop=stop)
        if posted is None:
            return False
        items = body["readings"]
        if posted.because and len(items) > 1:
            # One of them spoils the post: the others must not suffer.
            return all(self._post({**body, "readings": [item]}, stop=stop) for item in items)
        self._account(posted, items)
        return True

    def _account(self, posted: Posted, items: Sequence[dict[str, Any]]) -> None:
        if posted.because:
            self._count("refused whole")
            log.error("the server refuses a post: %s", posted.because)
        self._count("stored", posted.stored)
        self._count("duplicates", posted.duplicates)
        for index, code in posted.rejected:
            self._count(f"rejected {code}")
            device = str(items[index].get("device", "")) if index < len(items) else ""
            if device and (code, device) not in self._named:
                self._named.add((code, device))
                log.warning("a reading of %s was rejected as %s; further ones are counted", device, code)

    def _ask_for_kinds(self) -> None:
        if time.monotonic() - self._asked_at < _ASK_AGAIN_S:
            return
        self._asked_at = time.monotonic()
        try:
            self._kinds = self._server.gateway()[1]
        except BridgeError as error:
            # What is known stays good; a key that is refused is found by the next post.
            log.warning("%s", error)

    def _count(self, name: str, number: int = 1) -> None:
        if number:
            with self._lock:
                self.counts[name] += number


def run(
    *, url: str, key: str, address: Address, refused: Refused, stop: Event, say: Callable[[str], None]
) -> None:
    """Run until `stop` is set. Raises BridgeError."""
    server = Server(url, key)
    try:
        serial, kinds = server.gateway()
        bridge = Bridge(server, refused=refused, kinds=kinds)
        client_id = address.client_id or f"silverwatch-{serial}"
        broker = Broker(replace(address, client_id=client_id), on_retained=bridge.retained)
        broker.open()
        say(f"{serial} takes {address.url} to {url}: {len(kinds)} devices")
        try:
            bridge.run(broker, stop=stop, say=say)
        finally:
            broker.close()
            say(f"done: {bridge.line()}")
    finally:
        server.close()


def _take(broker: Broker) -> list[Received]:
    """What has come, at most a batch; waits a moment for the first."""
    batch: list[Received] = []
    try:
        batch.append(broker.received.get(timeout=_WAIT_S))
        while len(batch) < BATCH:
            batch.append(broker.received.get_nowait())
    except Empty:
        pass
    return batch
