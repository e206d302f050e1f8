"""A device as the server sees it: readings posted over HTTP, kept while the server is away, sent again until
taken.

Follows the ingest contract: one bearer key, at most 500 readings a post, Retry-After honoured, and every
post may be repeated since the server knows a reading by its source and time. One client belongs to one
thread.
"""

import json
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Event
from typing import Any, Final

from silverwatch import clock
from silverwatch.server_call import AWAY, ServerCall, backoff_s, retry_after_s, rfc3339
from silverwatch.simulator.errors import SimulatorError

MAX_BATCH: Final = 500
CAPACITY: Final = 20_000
"""Readings kept while the server is away: a day of one device at 4 s."""
LEAST_WAIT_S: Final = 0.1
"""Also after "Retry-After: 0": a server in trouble is not asked in a tight loop."""
REFUSED_WAIT_S: Final = 30.0
"""After 401 or 403: somebody has to put the key right, then the kept readings go out."""


class DeviceClient:
    """Posts one device's readings, or those of many with a gateway's key (`serial` None, "device" in each
    reading).

    Counts: `stored`, `duplicates`, `rejected` (by code) as the server answered, `dropped` readings that left
    the full buffer unsent, the oldest first, and `posts` that were answered 200.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        serial: str | None = None,
        timeout_s: float = 10.0,
        capacity: int = CAPACITY,
        say: Callable[[str], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises SimulatorError for a base_url that is not http(s)."""
        try:
            self._server = ServerCall(base_url, key, timeout_s=timeout_s)
        except ValueError as error:
            raise SimulatorError(str(error)) from None
        self._serial, self._capacity = serial, capacity
        self._say, self._monotonic = say or (lambda _line: None), monotonic
        self._readings: deque[dict[str, Any]] = deque()
        self._events: deque[dict[str, Any]] = deque()
        self._state: dict[str, Any] = {}
        self._not_before = 0.0
        self._failures = 0
        self._batch = MAX_BATCH
        self.posts = self.stored = self.duplicates = self.dropped = 0
        self.rejected: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """Readings and events not yet taken by the server."""
        return len(self._readings) + len(self._events)

    def add(self, measured_at: datetime, values: Mapping[str, Any], *, device: str | None = None) -> None:
        """Keep one reading (vitals by name) for the next post; `device` is needed with a gateway's key."""
        reading = {"measured_at": rfc3339(measured_at), **values}
        self._keep(self._readings, reading | ({"device": device} if device else {}))

    def add_event(self, at: datetime, kind: str) -> None:
        """Keep one event for the next post."""
        self._keep(self._events, {"at": rfc3339(at), "kind": kind})

    def set_state(self, *, battery: int, signal_dbm: int, firmware: str) -> None:
        """What the device says of itself from the next post on: %, dBm, version."""
        self._state = {"battery": battery, "signal_dbm": signal_dbm, "firmware": firmware}

    def send(self) -> float:
        """Post one batch if there is one and its time has come; seconds to wait before the next call helps.

        0 means call again: the batch was taken. Raises SimulatorError when the server calls the request
        itself wrong (400, 415 or another answer that no repetition can mend).
        """
        wait_s = self._not_before - self._monotonic()
        if not self.waiting or wait_s > 0:
            return max(wait_s, 0.0)
        readings = [self._readings[index] for index in range(min(self._batch, len(self._readings)))]
        events = [self._events[index] for index in range(min(self._batch, len(self._events)))]
        body = self._body(readings, events)
        try:
            status, retry_after, answer = self._server.call("POST", "/api/readings/", body)
        except AWAY as error:
            return self._again(backoff_s(self._failures), f"cannot reach the server ({type(error).__name__})")
        return self._answered(status, retry_after, answer, sent=(len(readings), len(events)))

    def drain(self, stop: Event) -> None:
        """Send until nothing is waiting or `stop` is set. Raises as `send`."""
        while self.waiting and not stop.is_set():
            if wait_s := self.send():
                stop.wait(wait_s)

    def close(self) -> None:
        """Close the connection; what is waiting stays."""
        self._server.close()

    def _keep(self, queue: deque[dict[str, Any]], item: dict[str, Any]) -> None:
        if len(queue) >= self._capacity:
            queue.popleft()
            if not self.dropped:
                self._tell(f"buffer full at {self._capacity}: the oldest are dropped from now on")
            self.dropped += 1
        queue.append(item)

    def _body(self, readings: list[dict[str, Any]], events: list[dict[str, Any]]) -> bytes:
        envelope: dict[str, Any] = {"sent_at": rfc3339(clock.now()), **self._state, "readings": readings}
        if self._serial:
            envelope["device"] = self._serial
        if events:
            envelope["events"] = events
        return json.dumps(envelope, separators=(",", ":")).encode()

    def _answered(
        self, status: int, retry_after: str | None, answer: bytes, *, sent: tuple[int, int]
    ) -> float:
        if status in {200, 422}:
            return self._taken(answer, sent)
        if status in {401, 403}:
            return self._again(REFUSED_WAIT_S, f"the server refuses this device's key ({status})")
        if status == 413 and self._batch > 1:
            self._batch = max(self._batch // 2, 1)
            return 0.0
        if status == 429 or status >= 500:
            wait_s = retry_after_s(retry_after)
            # A server that names a time is alive: its word stands instead of our guess.
            return self._again(
                backoff_s(self._failures) if wait_s is None else wait_s, f"the server answers {status}"
            )
        raise SimulatorError(f"{self._name()}: the server answers {status} to a post: {answer[:200]!r}")

    def _taken(self, answer: bytes, sent: tuple[int, int]) -> float:
        """Leave what was sent behind only when the answer accounts for it in the contract's words."""
        try:
            account = json.loads(answer)
            stored, duplicates = int(account["stored"]), int(account["duplicates"])
            codes = [str(item["code"]) for item in account["rejected"]]
        except (ValueError, KeyError, TypeError):
            return self._again(backoff_s(self._failures), "the server's answer is not that of /api/readings/")
        for queue, count in zip((self._readings, self._events), sent, strict=True):
            for _ in range(count):
                queue.popleft()
        if self._failures:
            self._tell(f"the server is back, {self.waiting} still waiting")
        self._failures = 0
        self.posts += 1
        self.stored, self.duplicates = self.stored + stored, self.duplicates + duplicates
        self.rejected.update(codes)
        return 0.0

    def _again(self, wait_s: float, cause: str) -> float:
        if not self._failures:
            self._tell(f"{cause}; {self.waiting} waiting, sent again later")
        self._failures, wait_s = self._failures + 1, max(wait_s, LEAST_WAIT_S)
        self._not_before = self._monotonic() + wait_s
        return wait_s

    def _tell(self, line: str) -> None:
        self._say(f"{self._name()}: {line}")

    def _name(self) -> str:
        return self._serial or "gateway"
