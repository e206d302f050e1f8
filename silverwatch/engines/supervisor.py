"""One parent that owns processes: starts, watches, restarts and stops them, and takes them along when it dies."""

import contextlib
import fcntl
import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, Final, Self

from silverwatch.engines import processes
from silverwatch.engines.errors import EngineError
from silverwatch.engines.program import Program

log = logging.getLogger(__name__)

TICK_S: Final = 0.05
READY_S: Final = 60.0
STOP_S: Final = 15.0
ASKED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Owns the processes of one data folder; use it as a context manager.

    Each program runs in a session of its own, so that Ctrl-C reaches only the parent, which then stops all of them
    in the reverse order of their start. With `catch_signals` (main thread only) SIGINT, SIGTERM and SIGHUP raise
    SystemExit(0) in the body. Raises EngineError when another supervisor holds the folder.
    """

    def __init__(self, data_dir: Path, *, catch_signals: bool = False) -> None:
        self.data_dir = data_dir.resolve()
        # Root lets others pass, for PostgreSQL runs as another user; every file inside is its owner's alone.
        self.data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        self._locks: list[IO[str]] = []
        self.hold(self.data_dir)
        self._programs: dict[str, Program] = {}
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._stopping = threading.Lock()
        self._handlers: dict[int, Any] = {}
        # The kernel ties a child's life to the thread that made it: one thread makes them all and stays.
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()
        if catch_signals:
            self._handlers = {number: signal.signal(number, _leave) for number in ASKED}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def hold(self, folder: Path) -> None:
        """Lock a folder until `stop`; raises EngineError when someone else holds it."""
        lock = (folder / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise EngineError(
                f"Silver Watch already runs on {folder}: stop it first, or use another data folder."
            ) from error
        self._locks.append(lock)

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        ready: Callable[[], bool] | None = None,
        restart: bool = True,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        cwd: Path = Path("/"),
    ) -> int:
        """Start a program and wait until it is ready; the process id.

        `argv[0]` is an absolute path; `env` is the whole environment (None: ours); `ready` is asked again and again
        and may raise nothing; a program that dies unasked is started again after 0.1 s .. 5 s unless `restart` is
        False; its output goes to `logs/<name>.log`. Raises EngineError when it dies or is not ready within 60 s:
        then it is not kept.
        """
        if name in self._programs:
            raise ValueError(f"{name} has been started already")
        program = Program(
            name=name,
            argv=tuple(argv),
            env=dict(os.environ if env is None else env),
            data_dir=self.data_dir,
            restart=restart,
            user=user or "",
            stop_signal=stop_signal,
            cwd=cwd,
        )
        program.end_orphan()
        try:
            self._in_thread(program.spawn)
            self._await_ready(program, ready)
        except BaseException:
            program.end(STOP_S)
            raise
        self._programs[name] = program
        return program.pid

    def pid(self, name: str) -> int:
        """The process id of a program now; it changes with a restart."""
        return self._programs[name].pid

    def log_path(self, name: str) -> Path:
        """Where the output of a program goes."""
        return self.data_dir / "logs" / f"{name}.log"

    def wait(self) -> None:
        """Block until a signal ends the body or another thread calls `stop`."""
        while not self._stopped.wait(3600):
            pass

    def stop(self) -> None:
        """Stop all programs in the reverse order of their start; again is harmless."""
        with self._stopping:
            if self._stopped.is_set():
                return
            for number in self._handlers:
                signal.signal(number, signal.SIG_IGN)
            for program in reversed(self._programs.values()):
                program.end(STOP_S)
            self._tasks.put(None)
            self._thread.join()
            for lock in self._locks:
                lock.close()
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
            self._stopped.set()

    def _await_ready(self, program: Program, ready: Callable[[], bool] | None) -> None:
        deadline = time.monotonic() + READY_S
        while ready is not None and not ready():
            if not program.is_alive():
                raise EngineError(f"{program.name} does not start: {processes.last_line(program.log_path)}")
            if time.monotonic() > deadline:
                raise EngineError(
                    f"{program.name} is not ready after {READY_S:.0f} s: see {program.log_path}"
                )
            time.sleep(0.01)

    def _in_thread(self, action: Callable[[], None]) -> None:
        done: Future[None] = Future()

        def task() -> None:
            try:
                action()
            except OSError as error:
                done.set_exception(EngineError(f"cannot start a program: {error}"))
            else:
                done.set_result(None)

        self._tasks.put(task)
        done.result()

    def _watch(self) -> None:
        while True:
            with contextlib.suppress(queue.Empty):
                task = self._tasks.get(timeout=TICK_S)
                if task is None:
                    return
                task()
            for program in list(self._programs.values()):
                try:
                    program.look_after()
                except OSError as error:
                    log.error("%s cannot be looked after: %s", program.name, error)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
