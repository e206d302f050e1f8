"""Writers: devices that post over HTTP, send again with the same words until they are answered, and keep account."""

import http.client
import json
import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.faults.script import ENDING, Script
from silverwatch import clock

TIMEOUT_S: Final = 4.0
AGAIN_S: Final = (0.02, 0.25)
Key = tuple[str, datetime]
"""A reading's identity to its device: serial, measured_at."""


@dataclass(slots=True)
class Account:
    """What the devices of all writers sent, and what was answered. Each key is written by one thread only."""

    sent: dict[Key, dict[str, float]] = field(default_factory=dict)
    acknowledged: dict[Key, dict[str, float]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    resent: int = 0
    duplicates: int = 0

    def add(self, other: "Account") -> None:
        """Take another writer's account into this one."""
        self.sent |= other.sent
        self.acknowledged |= other.acknowledged
        self.refused += other.refused
        self.answers += other.answers
        self.resent += other.resent
        self.duplicates += other.duplicates


class Play:
    """When the last act began, for all writers; None while the kills go on."""

    def __init__(self) -> None:
        self.ends_from: datetime | None = None

    def end(self) -> None:
        """Begin the last act."""
        self.ends_from = clock.now()


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One request, its words fixed: sent again as it is until it is answered."""

    key: str
    body: bytes
    readings: tuple[Key, ...]


class Device:
    """A bedside device: measures by its script whether or not anybody listens."""

    def __init__(self, serial: str, key: str, *, script: Script) -> None:
        self.serial, self.key, self.script = serial, key, script
        self._next = 0

    def measure(self, now: datetime, play: Play) -> list[tuple[datetime, dict[str, float]]]:
        """What was measured since the last call."""
        found = []
        while (at := self.script.measured_at(self._next)) <= now:
            ends_from = play.ends_from
            if ends_from is not None and at >= ends_from + ENDING:
                break
            ending = ends_from is not None and at >= ends_from
            found.append((at, self.script.values(self._next, ending=ending)))
            self._next += 1
        return found


class Writer(threading.Thread):
    """Posts for its devices, up to `batch` readings at once; with `gateway_key` all devices in one post."""

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        devices: Sequence[Device],
        batch: int,
        play: Play,
        gateway_key: str = "",
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.account = Account()
        self._host = urlsplit(base_url).netloc
        self._devices, self._batch, self._play, self._gateway_key = devices, batch, play, gateway_key
        self._connection: http.client.HTTPConnection | None = None
        self._waiting: deque[Post] = deque()
        self._dice = Random(name)
        self._pause = threading.Event()
        self.failed: str | None = None
        self.heard = b""

    def run(self) -> None:
        """Until the last act is over and everything is answered."""
        try:
            while not self._is_over():
                self._measure()
                while self._waiting:
                    self._deliver(self._waiting[0])
                    self._waiting.popleft()
                self._pause.wait(0.05)
        except Exception as error:
            self.failed = f"{self.name} stopped: {error!r}"
            raise
        finally:
            self._close()

    def leave(self) -> None:
        """Stop as soon as possible: the run has failed."""
        self._pause.set()

    def _is_over(self) -> bool:
        ends_from = self._play.ends_from
        return self._pause.is_set() or (
            ends_from is not None and clock.now() > ends_from + ENDING and self._is_done()
        )

    def _is_done(self) -> bool:
        """Has every device told the last reading of the last act?"""
        self._measure()
        return not self._waiting

    def _measure(self) -> None:
        now = clock.now()
        together: list[tuple[str, datetime, dict[str, float]]] = []
        for device in self._devices:
            readings = [(device.serial, *reading) for reading in device.measure(now, self._play)]
            if self._gateway_key:
                together += readings
            else:
                self._queue(readings, device.key)
        self._queue(together, self._gateway_key)

    def _queue(self, readings: list[tuple[str, datetime, dict[str, float]]], key: str) -> None:
        while readings:
            count = self._dice.randint(1, self._batch)
            part, readings = readings[:count], readings[count:]
            self._waiting.append(
                Post(key=key, body=self._body(part), readings=tuple(one[:2] for one in part))
            )
            self.account.sent.update({(serial, at): values for serial, at, values in part})

    def _body(self, part: Sequence[tuple[str, datetime, dict[str, float]]]) -> bytes:
        items: list[dict[str, Any]] = [{"measured_at": _rfc3339(at), **values} for _, at, values in part]
        if self._gateway_key:
            items = [{"device": one[0], **item} for one, item in zip(part, items, strict=True)]
        return json.dumps(items[0] if len(items) == 1 else {"readings": items}).encode()

    def _deliver(self, post: Post) -> None:
        tries = 0
        while not self._pause.is_set():
            tries += 1
            self.account.resent += tries > 1
            try:
                status, answer = self._post(post)
            except (OSError, http.client.HTTPException) as error:
                self._close()
                self.account.answers[f"none ({type(error).__name__})"] += 1
            else:
                self.account.answers[str(status)] += 1
                self.heard = answer[:300]
                if status in {200, 422}:
                    self._answered(post, json.loads(answer), status=status)
                    return
                if status < 500 and status != 429:
                    raise RuntimeError(f"the server answers {status} to a device: {answer[:200]!r}")
            self._pause.wait(self._dice.uniform(*AGAIN_S))

    def _answered(self, post: Post, answer: Mapping[str, Any], *, status: int) -> None:
        refused = {item["index"] for item in answer["rejected"]}
        self.account.duplicates += answer["duplicates"]
        counted = answer["stored"] + answer["duplicates"]
        if refused or counted != len(post.readings):
            self.account.refused.append(
                f"{status} to {len(post.readings)} readings: {json.dumps(answer)[:300]}"
            )
        for index, key in enumerate(post.readings):
            if index not in refused and status == 200:
                self.account.acknowledged[key] = self.account.sent[key]

    def _post(self, post: Post) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._host, timeout=TIMEOUT_S)
        headers = {"Authorization": f"Bearer {post.key}", "Content-Type": "application/json"}
        self._connection.request("POST", "/api/readings/", post.body, headers)
        response = self._connection.getresponse()
        return response.status, response.read()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
