"""One supervised program: its process, its log, its restarts."""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from silverwatch.engines import processes
from silverwatch.engines.state import write_private

log = logging.getLogger(__name__)

LOG_BYTES: Final = 5_000_000
BACKOFF_S: Final = (0.1, 5.0)
STEADY_S: Final = 2.0
"""A program that lived this long starts again without the delay of earlier deaths."""


@dataclass(slots=True, kw_only=True, eq=False)
class Program:
    """A command and its running process. `spawn` and `look_after` belong to the supervisor's thread."""

    name: str
    argv: tuple[str, ...]
    env: dict[str, str]
    data_dir: Path
    restart: bool
    user: str
    stop_signal: signal.Signals
    cwd: Path
    _process: subprocess.Popen[bytes] | None = None
    _pipe: int = -1
    _wanted: bool = True
    _born: float = 0.0
    _again_at: float | None = None
    _delay: float = BACKOFF_S[0]
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def pid(self) -> int:
        """The process id, also of a process that just died."""
        return self._process.pid if self._process else 0

    @property
    def log_path(self) -> Path:
        """Where standard output and error go."""
        return self.data_dir / "logs" / f"{self.name}.log"

    def is_alive(self) -> bool:
        """Does the process run?"""
        return self._process is not None and self._process.poll() is None

    def end_orphan(self) -> None:
        """End the process that an earlier supervisor, killed, left running for this very folder."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            left = json.loads(self._record.read_text())
            if processes.end_orphan(left["pid"], left["argv"], ending=self.stop_signal):
                log.warning("%s of an earlier run was still there and has been stopped", self.name)

    def spawn(self) -> None:
        """Start the process; raises OSError."""
        reading, writing = os.pipe()
        command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("child.py")), str(os.getpid())]
        command += [str(int(self.stop_signal)), self.user, str(reading), *self.argv]
        try:
            with self._open_log() as output:
                self._process = subprocess.Popen(
                    command,
                    env=self.env,
                    cwd=self.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=(reading,),
                )
        finally:
            os.close(reading)
            self._close_pipe()
            self._pipe = writing
        self._born = time.monotonic()
        write_private(self._record, json.dumps({"pid": self.pid, "argv": self.argv}))

    def look_after(self) -> None:
        """Start a process again that died unasked, later each time."""
        with self._lock:
            if not self._wanted or self.is_alive():
                return
            if self._again_at is None:
                self._died()
            elif time.monotonic() >= self._again_at:
                self._again_at = None
                self.spawn()

    def end(self, seconds: float) -> None:
        """Ask the process to stop, wait, and kill what is left of its group."""
        with self._lock:
            self._wanted = False
        if self._process is None:
            return
        # send_signal looks first whether the process still is: a reused process id is not hit.
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            log.warning("%s did not stop within %.0f s and was killed", self.name, seconds)
            self._process.kill()
            self._process.wait()
        processes.end_group(self.pid)
        self._record.unlink(missing_ok=True)
        self._close_pipe()

    def _died(self) -> None:
        processes.end_group(self.pid)
        code = self._process.returncode if self._process else None
        if not self.restart:
            self._wanted = False
            log.warning("%s ended with code %s", self.name, code)
            return
        if time.monotonic() - self._born > STEADY_S:
            self._delay = BACKOFF_S[0]
        log.warning("%s died with code %s and starts again in %.1f s", self.name, code, self._delay)
        self._again_at = time.monotonic() + self._delay
        self._delay = min(self._delay * 2, BACKOFF_S[1])

    @property
    def _record(self) -> Path:
        return self.data_dir / "run" / f"{self.name}.json"

    def _close_pipe(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1

    def _open_log(self) -> IO[bytes]:
        for folder in (self.log_path.parent, self._record.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if self.log_path.stat().st_size > LOG_BYTES:
                self.log_path.replace(self.log_path.with_suffix(".log.1"))
        return os.fdopen(os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
