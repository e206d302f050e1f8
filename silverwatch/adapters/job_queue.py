"""RQ: the fast path for work that PostgreSQL remembers anyway. JSON only, never pickle."""

import logging
import threading
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
REPORTS: Final = "reports"
BELL: Final = "silverwatch:bell"
BELL_MS: Final = 1000
PAUSE_S: Final = 0.3
"""A ringer rings at once, but not again within this time: one job drains every patient that waits."""


class JobQueue:
    """Enqueue jobs by their dotted names, and ring the bell that asks for judging."""

    def __init__(self, url: str) -> None:
        self._client = connect(url)
        self._breaker = Breaker()
        self._wanted = threading.Event()
        self._started = threading.Lock()
        self._ringer: threading.Thread | None = None

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

    def ring(self, job: str) -> None:
        """Ask for one run of `job` soon; returns at once and asks Redis from a thread of its own."""
        self._wanted.set()
        if self._ringer is None or not self._ringer.is_alive():
            with self._started:
                if self._ringer is None or not self._ringer.is_alive():
                    self._ringer = threading.Thread(target=self._rings, args=(job,), name="bell", daemon=True)
                    self._ringer.start()

    def answer_bell(self) -> None:
        """The bell was heard: the next ring counts again. First thing that a judging job does."""
        try:
            self._client.delete(BELL)
        except redis.RedisError as error:
            log.warning("queue: the bell could not be taken down: %s", error)

    def _rings(self, job: str) -> None:
        pause = threading.Event()
        while True:
            self._wanted.wait()
            self._wanted.clear()
            try:
                if not self._breaker.open and self._client.set(BELL, "1", nx=True, px=BELL_MS):
                    self.enqueue(job)
            except redis.RedisError as error:
                self._breaker.trip()
                log.warning("queue: the bell did not ring: %s", error)
            except Exception:
                log.exception("queue: ringing failed")
            pause.wait(PAUSE_S)

    def _queue(self, name: str) -> Queue:
        return Queue(name, connection=self._client, serializer=JSONSerializer)


_current: JobQueue | None = None


def current() -> JobQueue | None:
    """The queue of the worker that runs in this process, if one does."""
    return _current


def work(url: str, *, queue: str) -> None:
    """Run jobs of one queue until SIGTERM: alarms in this process, with its connections kept; reports in forks."""
    global _current
    _current = JobQueue(url)
    worker_class = SimpleWorker if queue == ALARMS else Worker
    worker = worker_class([queue], connection=connect(url, timeout_s=None), serializer=JSONSerializer)
    worker.log_job_description = False
    worker.work(with_scheduler=False, logging_level="WARNING")
