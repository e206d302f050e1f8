"""RQ: the fast path for work that PostgreSQL remembers anyway. JSON only, never pickle."""

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

import redis
from rq import Queue, SimpleWorker, Worker
from rq.serializers import JSONSerializer
from rq.timeouts import BaseTimeoutException

from silverwatch.adapters.redis_bus import Breaker, connect

log = logging.getLogger(__name__)

Interrupted = BaseTimeoutException
"""What a job gets that has run for too long: it is the job's fault, not of what it worked on."""

ALARMS: Final = "alarms"
NOTICES: Final = "notices"
REPORTS: Final = "reports"
BELL: Final = "silverwatch:bell"
BELL_MS: Final = 1000
PAUSE_S: Final = 0.3
"""A ringer rings at once, but not again within this time: one job drains every patient that waits."""


class JobQueue:
    """Enqueue jobs by their dotted names, and ring the bell that asks for one run of a job."""

    def __init__(self, url: str) -> None:
        self._client = connect(url)
        self._breaker = Breaker()
        self._adding = threading.Lock()
        self._bells: dict[str, _Bell] = {}

    def enqueue(self, job: str, *args: Any, queue: str = ALARMS, timeout_s: int = 60) -> bool:
        """Ask a worker to run `job`; False when Redis is away: the sweep asks again."""
        if self._breaker.open:
            return False
        try:
            self._queue(queue).enqueue_call(
                job, args=args, timeout=timeout_s, result_ttl=0, failure_ttl=3600, ttl=600
            )
        except redis.RedisError as error:
            self._breaker.trip()
            log.warning("queue: %s was not enqueued: %s", job, error)
            return False
        return True

    def ring(self, job: str, *, queue: str = ALARMS) -> None:
        """Ask for one run of `job` soon; returns at once and asks Redis from a thread of its own."""
        bell = self._bells.get(job)
        if bell is None:
            with self._adding:
                bell = self._bells.setdefault(job, _Bell(lambda: self._ring(job, queue)))
        bell.ring()

    def answer_bell(self, job: str) -> None:
        """The bell was heard: the next ring counts again. First thing that a job behind a bell does."""
        try:
            self._client.delete(f"{BELL}:{job}")
        except redis.RedisError as error:
            log.warning("queue: the bell could not be taken down: %s", error)

    def _ring(self, job: str, queue: str) -> None:
        try:
            if not self._breaker.open and self._client.set(f"{BELL}:{job}", "1", nx=True, px=BELL_MS):
                self.enqueue(job, queue=queue)
        except redis.RedisError as error:
            self._breaker.trip()
            log.warning("queue: the bell did not ring: %s", error)

    def _queue(self, name: str) -> Queue:
        return Queue(name, connection=self._client, serializer=JSONSerializer)


class _Bell:
    """A thread that rings for one job: no job waits because another one rings much."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._wanted = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        """Ring soon. The thread is started when it is needed: a fork has left it behind."""
        self._wanted.set()
        if self._thread is None or not self._thread.is_alive():
            with self._starting:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._rings, name="bell", daemon=True)
                    self._thread.start()

    def _rings(self) -> None:
        pause = threading.Event()
        while True:
            self._wanted.wait()
            self._wanted.clear()
            try:
                self._work()
            except Exception:
                log.exception("queue: ringing failed")
            pause.wait(PAUSE_S)


_current: JobQueue | None = None


def current() -> JobQueue | None:
    """The queue of the worker that runs in this process, if one does."""
    return _current


SERVES: Final = {ALARMS: (ALARMS,), NOTICES: (NOTICES,), REPORTS: (NOTICES, REPORTS)}
"""Which queues a worker of this name empties, the first one first: without a worker of their own notices come first."""


def work(url: str, *, queue: str) -> None:
    """Run jobs until SIGTERM: alarms in this process, with its connections kept; reports in forks."""
    global _current
    _current = JobQueue(url)
    worker_class = SimpleWorker if queue == ALARMS else Worker
    worker = worker_class(
        list(SERVES[queue]), connection=connect(url, timeout_s=None), serializer=JSONSerializer
    )
    worker.log_job_description = False
    worker.work(with_scheduler=False, logging_level="WARNING")
