"""Random values that depend on their key alone, so that any moment can be asked for in any order.

A stream that keeps a running generator gives other values when it is asked at other moments. Here the value
at a time is a function of (key, time): the past that fills the charts and the live stream are one and the
same process.
"""

import math
from hashlib import blake2b
from statistics import NormalDist
from typing import Final

_NORMAL: Final = NormalDist()
_BLOCK_TAUS: Final = 8.0
"""Two ends of a block are exp(-8) = 0.0003 alike, so they may be drawn independently."""
_LEVELS: Final = 7
"""Halvings of a block: the finest grid is tau / 16, straight lines between."""


def uniform(*key: object) -> float:
    """A number in (0, 1), always the same for the same key."""
    digest = blake2b("/".join(map(str, key)).encode(), digest_size=8).digest()
    return ((int.from_bytes(digest) >> 12) + 0.5) / 2**52


def gaussian(*key: object) -> float:
    """A standard normal number, always the same for the same key."""
    return _NORMAL.inv_cdf(uniform(*key))


class OrnsteinUhlenbeck:
    """Correlated noise of mean 0 and SD 1 whose autocorrelation at distance d seconds is exp(-d / tau_s).

    The ends of long blocks are drawn first, then each middle given its two neighbours (the bridge of the
    process), which is exact and needs no history.
    """

    def __init__(self, *key: object, tau_s: float) -> None:
        self._key = "/".join(map(str, key))
        self._block_s = _BLOCK_TAUS * tau_s
        halves = [math.exp(-_BLOCK_TAUS / 2 ** (level + 1)) for level in range(_LEVELS)]
        self._bridge = [(r / (1 + r * r), math.sqrt((1 - r * r) / (1 + r * r))) for r in halves]
        self._block: tuple[int, dict[int, float]] = (0, {})
        self._last = (math.nan, 0.0)

    def at(self, t_s: float) -> float:
        """The value at t_s seconds (may be negative)."""
        if self._last[0] != t_s:
            self._last = (t_s, self._bridged(t_s))
        return self._last[1]

    def _bridged(self, t_s: float) -> float:
        index = math.floor(t_s / self._block_s)
        if self._block[0] != index:
            self._block = (index, {})
        drawn = self._block[1]
        low, high = self._draw(drawn, index, 0), self._draw(drawn, index + 1, -1)
        rest, node = t_s / self._block_s - index, 1
        for pull, spread in self._bridge:
            middle = pull * (low + high) + spread * self._draw(drawn, index, node)
            rest, node = 2 * rest, 2 * node
            if rest < 1:
                high = middle
            else:
                low, rest, node = middle, rest - 1, node + 1
        return low + (high - low) * rest

    def _draw(self, drawn: dict[int, float], block: int, node: int) -> float:
        if node not in drawn:
            drawn[node] = gaussian(self._key, block, max(node, 0))
        return drawn[node]
