"""Redis as a bus: topics and ids between processes. Nothing that matters is only here."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

CHANNEL: Final = "silverwatch:live"
TIMEOUT_S: Final = 0.3
REST_S: Final = 1.0
"""After a failure nobody asks Redis again for this long: a sick Redis must not slow a healthy ward."""


def connect(url: str, *, timeout_s: float | None = TIMEOUT_S) -> "redis.Redis":
    """A client that fails fast: the default one retries for 5 to 16 seconds."""
    return redis.Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=timeout_s,
        socket_connect_timeout=TIMEOUT_S,
        health_check_interval=0,
    )


class Breaker:
    """Remembers that Redis was away, so that the next callers do not wait to find out again."""

    def __init__(self) -> None:
        self._until = 0.0

    @property
    def open(self) -> bool:
        """Should callers leave Redis alone for now?"""
        return time.monotonic() < self._until

    def trip(self) -> None:
        """Redis failed."""
        self._until = time.monotonic() + REST_S


class Bus:
    """Publish and subscribe `topic:id,id,..` lines on one channel."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = connect(url)
        self._breaker = Breaker()

    def publish(self, lines: Sequence[str]) -> bool:
        """Send lines; False when Redis did not take them all. Never raises for a sick Redis."""
        if not lines:
            return True
        if self._breaker.open:
            return False
        try:
            with self._client.pipeline(transaction=False) as pipe:
                for line in lines:
                    pipe.publish(CHANNEL, line)
                pipe.execute()
        except redis.RedisError as error:
            self._breaker.trip()
            log.warning("bus: publish failed: %s", error)
            return False
        return True

    def answers(self) -> bool:
        """Is Redis there?"""
        try:
            return bool(self._client.ping())
        except redis.RedisError:
            return False

    def listen(
        self, heard: Callable[[str], None], *, joined: Callable[[], None], stop: threading.Event
    ) -> None:
        """Call `heard` with every line until `stop`; subscribes again after each loss of Redis.

        `joined` is called when a subscription begins: what was published before that, nobody here has heard.
        """
        while not stop.is_set():
            try:
                self._listen_once(heard, joined, stop)
            except redis.RedisError as error:
                log.warning("bus: subscription lost: %s", error)
            except Exception:
                log.exception("bus: a listener failed")
            stop.wait(0.5)

    def _listen_once(
        self, heard: Callable[[str], None], joined: Callable[[], None], stop: threading.Event
    ) -> None:
        client = connect(self._url, timeout_s=5)
        with client, client.pubsub() as subscription:  # type: ignore[no-untyped-call]
            subscription.subscribe(CHANNEL)
            while not stop.is_set():
                message: dict[str, Any] | None = subscription.get_message(timeout=1.0)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    joined()
                elif message["type"] == "message":
                    heard(message["data"].decode())
