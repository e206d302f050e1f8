"""Parts that are killed, kept dead for a while, and come back."""

import time
from collections.abc import Sequence
from itertools import combinations
from random import Random
from typing import Final

from benchmarks.faults.kills import Back, Killer, kill
from benchmarks.faults.site import Site, SiteError, tree

PARTS: Final[dict[str, tuple[str, ...]]] = {
    "worker": ("alarm-worker", "report-worker"),
    "redis": ("valkey",),
    "web": ("web",),
    "scheduler": ("scheduler",),
}
"""What a run kills, and the programs of the site that this is."""

PAIRS: Final = tuple(combinations(PARTS, 2))
BACK_WITHIN_S: Final = 60.0
_KINDS: Final = {
    "alarm-worker": "alarm worker",
    "report-worker": "report worker",
    "valkey": "valkey",
    "web": "web, whole tree",
    "scheduler": "scheduler",
}


class Dead:
    """Parts that were just killed; their parent starts them again, and they are killed again until `back`."""

    def __init__(self, site: Site, parts: Sequence[str], *, dice: Random) -> None:
        self._site = site
        self._killer = Killer(site, dice=dice)
        self._programs = [program for part in parts for program in PARTS[part]]
        self._kill()

    def keep(self, seconds: float) -> None:
        """They stay dead for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._kill()
            time.sleep(0.05)

    def back(self) -> float:
        """Let them live; when the last of them worked again. Raises SiteError when one does not."""
        waits: list[tuple[str, Back]] = [
            (program, self._killer.kinds[_KINDS[program]]()) for program in self._programs
        ]
        until = time.monotonic() + BACK_WITHIN_S
        while waits:
            waits = [(program, is_back) for program, is_back in waits if not is_back()]
            if time.monotonic() > until:
                raise SiteError(f"{waits[0][0]} is not back{self._site.log_tails()}")
            time.sleep(0.02)
        return time.time()

    def _kill(self) -> None:
        for program in self._programs:
            pid = self._site.pid(program)
            if pid is not None:
                kill(tree(pid))
