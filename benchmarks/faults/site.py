"""The site under fire: a quiet demo as a child process, and the process ids of its parts."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from silverwatch.engines import discard

START_S: Final = 90.0
_OUTSIDE: Final = (
    "DATABASE_URL",
    "MIGRATION_DATABASE_URL",
    "REDIS_URL",
    "SILVERWATCH_BIND",
    "WEB_CONCURRENCY",
)
"""What would lead the demo to engines that are not its own, or change how many web workers there are."""

PARTS: Final = {
    "web": ("gunicorn", "silverwatch.serving"),
    "scheduler": ("silverwatch.cli", "scheduler"),
    "alarm-worker": ("silverwatch.cli", "worker", "alarms"),
    "report-worker": ("silverwatch.cli", "worker", "reports"),
    "postgres": ("postgres", "-D"),
    "valkey": ("valkey.conf",),
}
"""By which words in its command line a part is known among the demo's children."""


class SiteError(Exception):
    """The demo did not start, or a part did not come back."""


class Site:
    """A quiet demo on a free port in a temporary folder; a context manager that removes all but a copy of `logs`.

    `env`: what its processes find in their environment besides ours.
    """

    def __init__(self, logs: Path | None = None, *, env: Mapping[str, str] | None = None) -> None:
        self._logs, self._env = logs, env or {}
        self._root = Path(tempfile.mkdtemp(prefix="silverwatch-faults-"))
        self.data_dir = self._root / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self.info: dict[str, Any] = {}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _start(self) -> None:
        if os.geteuid() == 0:
            # PostgreSQL then runs as another user, who must be able to pass.
            self._root.chmod(0o711)
        info = self._root / "info.json"
        command = [sys.executable, "-m", "silverwatch.cli", "demo", "--port", "0", "--quiet-ward"]
        command += ["--data-dir", str(self.data_dir), "--info", str(info)]
        env = {name: value for name, value in os.environ.items() if name not in _OUTSIDE} | self._env
        log = self._root / "demo.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, env=env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        until = time.monotonic() + START_S
        while not info.exists():
            if self._process.poll() is not None or time.monotonic() > until:
                raise SiteError(f"The demo does not start: {log.read_text()[-500:]}")
            time.sleep(0.05)
        self.info = json.loads(info.read_text("utf-8"))

    def _stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._logs is not None and (self.data_dir / "logs").exists():
            shutil.copytree(self.data_dir / "logs", self._logs, dirs_exist_ok=True)
        discard(self.data_dir)
        shutil.rmtree(self._root, ignore_errors=True)

    @property
    def base_url(self) -> str:
        """Where the site answers."""
        return str(self.info["base_url"])

    def database_url(self) -> str:
        """The database for psycopg, as the application's role."""
        return str(self.info["database_url"]).replace("+psycopg", "", 1)

    def is_ready(self) -> bool:
        """Does /readyz say that everything is well?"""
        try:
            with urllib.request.urlopen(f"{self.base_url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.HTTPError):
            return False

    def pid(self, part: str) -> int | None:
        """The process of a part, None while there is none."""
        assert self._process is not None
        if self._process.poll() is not None:
            raise SiteError("The demo itself has ended.")
        words = PARTS[part]
        for pid in children(self._process.pid):
            command = command_of(pid)
            if all(any(word in argument for argument in command) for word in words):
                return pid
        return None

    def log_tails(self) -> str:
        """The last lines that each part wrote."""
        tails = ""
        for path in sorted((self.data_dir / "logs").glob("*.log")):
            tails += f"\n--- {path.stem} ---\n{path.read_text(errors='replace')[-1000:]}"
        return tails


def children(pid: int) -> list[int]:
    """The living children of a process, oldest first, whichever of its threads made them."""
    found: set[int] = set()
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found |= {int(word) for word in path.read_text().split()}
    return sorted(child for child in found if is_alive(child))


def tree(pid: int) -> list[int]:
    """A process and all below it, the parent first."""
    return [pid, *(below for child in children(pid) for below in tree(child))]


def command_of(pid: int) -> list[str]:
    """The words of a process's command line; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode(errors="replace").split("\0")
    except OSError:
        return []


def is_alive(pid: int) -> bool:
    """Is it there and no zombie?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False
