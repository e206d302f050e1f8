"""How often a key may post: a token bucket per key, in this process, asked before the database is."""

import threading
import time
from collections import OrderedDict
from typing import Final

from api.problems import Problem

BURST: Final = 120.0
PER_S: Final = 60.0
GATEWAY_FACTOR: Final = 10.0
"""A gateway speaks for many devices."""

_KEYS: Final = 20_000
"""So many keys are remembered, those used last: strangers cannot fill the memory."""


class Buckets:
    """Tokens per key. A key starts with a full bucket, and with that of a device until it is known better."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: OrderedDict[bytes, list[float]] = OrderedDict()

    def take(self, key: bytes) -> None:
        """Take one token; raises Problem 429 with Retry-After if there is none."""
        at = time.monotonic()
        with self._lock:
            bucket = self._buckets.get(key)
            if bucket is None:
                bucket = self._buckets[key] = [BURST, at, 1.0]
                if len(self._buckets) > _KEYS:
                    self._buckets.popitem(last=False)
            else:
                self._buckets.move_to_end(key)
            tokens, since, factor = bucket
            tokens = min(BURST * factor, tokens + (at - since) * PER_S * factor)
            enough = tokens >= 1
            bucket[0], bucket[1] = tokens - enough, at
        if not enough:
            raise Problem(429, "Too many posts with this key.", headers={"Retry-After": "1"})

    def is_gateway(self, key: bytes) -> None:
        """The key turned out to be a gateway's."""
        with self._lock:
            bucket = self._buckets.get(key)
            if bucket is not None and bucket[2] != GATEWAY_FACTOR:
                bucket[0] *= GATEWAY_FACTOR
                bucket[2] = GATEWAY_FACTOR

    def forget(self) -> None:
        """Every bucket is full again."""
        with self._lock:
            self._buckets.clear()
