"""One run: writers post, parts die, the play comes to its end, the accounts are compared."""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import psycopg

from benchmarks.faults import audit
from benchmarks.faults.kills import Killer
from benchmarks.faults.lag import LagWatch
from benchmarks.faults.script import ENDING, Script
from benchmarks.faults.site import Site, SiteError
from benchmarks.faults.writers import Account, Device, Play, Writer
from silverwatch import clock

BATCHES: Final = (1, 3, 12)
"""Three writers with the devices' own keys, by readings a post; the fourth is the gateway."""
GATEWAY_BATCH: Final = 30
ANSWERED_WITHIN_S: Final = 60.0
JUDGED_WITHIN_S: Final = 10.0
TOLD_WITHIN_S: Final = 10.0
Say = Callable[[str], None]

_UNJUDGED: Final = "SELECT count(*) FROM vital_state WHERE unjudged_since IS NOT NULL"
_UNTOLD: Final = "SELECT count(*) FROM event WHERE rung_at IS NULL"


def _say_nothing(_: str) -> None:
    pass


@dataclass(slots=True)
class Result:
    """What a run has shown. `recoveries`: by kind, seconds until each kill was recovered from. `waited_s`: the
    longest that a stored reading waited to be judged. `judged_s`: how long after the last answer nothing was left
    to judge."""

    recoveries: dict[str, list[float]] = field(default_factory=dict)
    account: Account = field(default_factory=Account)
    stored: audit.Stored = field(default_factory=audit.Stored)
    findings: audit.Findings = field(default_factory=audit.Findings)
    took_s: float = 0.0
    waited_s: float = 0.0
    judged_s: float = 0.0

    @property
    def kills(self) -> int:
        """Of all kinds."""
        return sum(map(len, self.recoveries.values()))


def run(
    *, kills: int, seed: int, kinds: Sequence[str] = (), logs: Path | None = None, say: Say = _say_nothing
) -> Result:
    """Kill each kind (all, without `kinds`) `kills` times under load; `logs` is where the site's logs are copied to.

    Raises SiteError when the site does not start or a part stays down.
    """
    result = Result()
    began = time.monotonic()
    with Site(logs) as site:
        say(f"The site is up at {site.base_url}, seed {seed}.")
        play = Play()
        writers, watch = _writers(site, seed=seed, play=play), LagWatch(site.database_url())
        for thread in (*writers, watch):
            thread.start()
        try:
            _kill_all(site, result, kills=kills, kinds=kinds, dice=Random(seed), say=say)
            play.end()
            say(f"{result.kills} kills done; the last act takes {ENDING.total_seconds():.0f} s.")
            _join(site, writers)
            result.judged_s = _wait(
                site, result, _UNJUDGED, within_s=JUDGED_WITHIN_S, what="patients unjudged"
            )
            result.stored = audit.look(site.info["database_url"])
            _wait(site, result, _UNTOLD, within_s=TOLD_WITHIN_S, what="facts that nobody was told")
        finally:
            for writer in writers:
                writer.leave()
            watch.leave()
    for writer in writers:
        result.account.add(writer.account)
    result.waited_s = watch.longest_s
    audit.compare(result.account, result.stored, found=result.findings)
    result.took_s = time.monotonic() - began
    return result


def _writers(site: Site, *, seed: int, play: Play) -> list[Writer]:
    start = clock.now()
    devices = [
        Device(one["serial"], one["key"], script=Script(seed, one["serial"], number=number, start=start))
        for number, one in enumerate(site.info["devices"])
    ]
    count = len(BATCHES) + 1
    own = [
        Writer(f"writer {n + 1}", site.base_url, devices=devices[n::count], batch=batch, play=play)
        for n, batch in enumerate(BATCHES)
    ]
    gateway = Writer(
        f"writer {count}",
        site.base_url,
        devices=devices[count - 1 :: count],
        batch=GATEWAY_BATCH,
        play=play,
        gateway_key=site.info["gateway_key"],
    )
    return [*own, gateway]


def _kill_all(
    site: Site, result: Result, *, kills: int, kinds: Sequence[str], dice: Random, say: Say
) -> None:
    killer = Killer(site, dice=dice)
    chosen = list(kinds) or list(killer.kinds)
    result.recoveries = {kind: [] for kind in chosen}
    for number in range(kills):
        for kind in dice.sample(chosen, len(chosen)):
            killer.pause()
            result.recoveries[kind].append(killer.kill(kind))
        say(f"round {number + 1} of {kills}")


def _join(site: Site, writers: list[Writer]) -> None:
    until = time.monotonic() + ENDING.total_seconds() + ANSWERED_WITHIN_S
    for writer in writers:
        writer.join(max(until - time.monotonic(), 0.1))
        if writer.failed or writer.is_alive():
            why = (
                writer.failed
                or f"{writer.name} is not answered: {dict(writer.account.answers)}, {writer.heard!r}"
            )
            raise SiteError(why + site.log_tails())


def _wait(site: Site, result: Result, query: str, *, within_s: float, what: str) -> float:
    """Wait until `query` counts 0, or note the problem; seconds."""
    began = time.monotonic()
    left = -1
    while (waited_s := time.monotonic() - began) < within_s:
        with contextlib.suppress(psycopg.OperationalError):
            with psycopg.connect(site.database_url(), connect_timeout=2) as connection:
                row = connection.execute(query.encode()).fetchone()
                left = row[0] if row else -1
            if left == 0:
                return waited_s
        time.sleep(0.1)
    result.findings.problems.append(f"{left} {what} {within_s:.0f} s after the last answer")
    return waited_s
