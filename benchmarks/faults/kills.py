"""Kill -9, kind by kind, and how long it takes until what was killed works again."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Final

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Worker
from rq.serializers import JSONSerializer

from benchmarks.faults.site import Site, SiteError, children, command_of, is_alive, tree
from silverwatch import clock

BACK_WITHIN_S: Final = 30.0
GAP_S: Final = (0.1, 1.2)
WEB_WORKERS: Final = 2
Back = Callable[[], bool]
"""Does what was killed work again?"""


class Killer:
    """Ends parts of a site without warning; `random` picks the victims where there are several."""

    def __init__(self, site: Site, *, dice: Random) -> None:
        self._site, self._dice = site, dice
        self.kinds: dict[str, Callable[[], Back]] = {
            "web worker": self._web_worker,
            "web, whole tree": lambda: self._whole("web"),
            "alarm worker": lambda: self._queue_worker("alarm-worker"),
            "report worker": lambda: self._queue_worker("report-worker"),
            "scheduler": self._scheduler,
            "valkey": lambda: self._whole("valkey"),
            "postgres backend": self._backend,
            "postmaster alone": self._postmaster,
            "postgres, whole tree": lambda: self._whole("postgres"),
        }

    def kill(self, kind: str) -> float:
        """Kill one and wait until it works again; seconds. Raises SiteError when it does not come back."""
        began = time.monotonic()
        is_back = self.kinds[kind]()
        while not (is_back() and self._site.is_ready()):
            if time.monotonic() - began > BACK_WITHIN_S:
                raise SiteError(f"{kind}: not back after {BACK_WITHIN_S:.0f} s{self._site.log_tails()}")
            time.sleep(0.02)
        return time.monotonic() - began

    def pause(self) -> None:
        """A short time in which all is well, or nearly."""
        time.sleep(self._dice.uniform(*GAP_S))

    def _web_worker(self) -> Back:
        master = self._pid("web")
        victim = self._dice.choice(children(master))
        kill([victim])
        return lambda: len([pid for pid in children(master) if pid != victim]) >= WEB_WORKERS

    def _whole(self, part: str) -> Back:
        victim = self._pid(part)
        kill(tree(victim))
        return lambda: self._site.pid(part) not in {None, victim}

    def _queue_worker(self, part: str) -> Back:
        back = self._whole(part)
        return lambda: back() and self._is_registered(self._site.pid(part))

    def _scheduler(self) -> Back:
        killed_at = clock.now()
        back = self._whole("scheduler")
        return lambda: back() and self._heartbeat() > killed_at

    def _backend(self) -> Back:
        """One server process: PostgreSQL then ends all of them, for shared memory may be damaged."""
        postmaster = self._pid("postgres")
        clients = [pid for pid in children(postmaster) if "silverwatch_app" in " ".join(command_of(pid))]
        if clients:
            kill([self._dice.choice(clients)])
        return lambda: not any(is_alive(pid) for pid in clients)

    def _postmaster(self) -> Back:
        """As the kernel does when memory runs out: its children live a moment longer and bar a new one's way."""
        victim = self._pid("postgres")
        kill([victim])
        return lambda: self._site.pid("postgres") not in {None, victim}

    def _pid(self, part: str) -> int:
        until = time.monotonic() + BACK_WITHIN_S
        while time.monotonic() < until:
            if (pid := self._site.pid(part)) is not None:
                return pid
            time.sleep(0.02)
        raise SiteError(f"{part} does not run")

    def _is_registered(self, pid: int | None) -> bool:
        """Has this worker told Redis that it takes jobs?"""
        try:
            with redis.Redis.from_url(
                self._site.info["redis_url"], socket_timeout=1, retry=Retry(NoBackoff(), 0)
            ) as client:
                return any(worker.pid == pid for worker in Worker.all(client, serializer=JSONSerializer))
        except redis.RedisError:
            return False

    def _heartbeat(self) -> datetime:
        with contextlib.suppress(psycopg.Error):
            with psycopg.connect(self._site.database_url(), connect_timeout=2) as connection:
                row = connection.execute("SELECT at FROM heartbeat WHERE name = 'guard'").fetchone()
                if row is not None:
                    return row[0]  # type: ignore[no-any-return]
        return datetime.min.replace(tzinfo=clock.now().tzinfo)


def kill(pids: list[int]) -> None:
    """The parent first, so that it has no time to notice."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
