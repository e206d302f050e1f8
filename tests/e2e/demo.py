"""A running demo, from outside: HTTP for devices, signals for its processes, SQL to begin anew."""

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
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psycopg

from silverwatch.clock import now
from silverwatch.engines import discard

CALM = {"heart_rate": 72, "respiratory_rate": 15, "oxygen_saturation": 97}

ANEW = """
TRUNCATE alert, reading, checkpoint, rollup_minute, rollup_hour, rollup_due CASCADE;
UPDATE vital_state SET latest = '{}', off = '{}', evaluated_seq = seq, unjudged_since = NULL, unjudged_from = NULL,
  unrolled_from = NULL;
UPDATE judge_state SET checkpoint = '{}', checkpoint_at = NULL, news = '{}';
UPDATE device_state SET last_seen_at = NULL, last_reading_at = NULL, battery = NULL, signal_dbm = NULL;
"""

FRAMES_KEPT_S = 2.1
"""The hub hands a drawn region to new sockets for this long."""


class Demo:
    """One demo process with its folder."""

    def __init__(self, *, quiet: bool) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="silverwatch-e2e-"))
        path = self._folder / "told.json"
        command = [sys.executable, "-m", "silverwatch.cli", "demo", "--port", "0", "--data-dir",
                   str(self._folder / "data"), "--info", str(path), *(["--quiet-ward"] if quiet else [])]  # fmt: skip
        self._log = (self._folder / "log").open("w")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT)
        until = time.monotonic() + 120
        while not path.exists():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self._folder / "log").read_text())
            time.sleep(0.1)
        self.info: dict[str, Any] = json.loads(path.read_text())
        self.url: str = self.info["base_url"]
        self.started_at = time.monotonic()

    def stop(self) -> None:
        """Stop everything and forget it."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)
        self._log.close()
        discard(self._folder / "data")
        shutil.rmtree(self._folder)

    def account(self, role: str, ward: str | None = "4b") -> dict[str, str]:
        """Who has this role there."""
        return next(a for a in self.info["accounts"] if (a["role"], a["ward"]) == (role, ward))

    def device(self, bed: int | str, ward: str = "4b") -> dict[str, str]:
        """The device at a bed."""
        return next(d for d in self.info["devices"] if (d["ward"], d["bed"]) == (ward, str(bed)))

    def post(
        self,
        bed: int | str,
        *,
        ward: str = "4b",
        ago_s: float = 0,
        at: datetime | None = None,
        calm: bool = False,
        **values: float,
    ) -> datetime:
        """A device posts a set of readings, calm ones where nothing else is said; gives the time it said."""
        moment = at or now() - timedelta(seconds=ago_s)
        body = {
            "measured_at": moment.astimezone(UTC).isoformat(),
            **(CALM if calm or not values else {}),
            **values,
        }
        self.call("/api/readings/", body, key=self.device(bed, ward)["key"])
        return moment

    def call(self, path: str, body: dict[str, Any], *, key: str = "") -> Any:
        """What a device posts, and is answered."""
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        request = urllib.request.Request(f"{self.url}{path}", data=json.dumps(body).encode(), headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                assert answer.status in (200, 201, 202), answer.status
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{error.code}: {error.read().decode()}") from None

    def anew(self) -> None:
        """Forget all readings and alarms."""
        url = self.info["owner_url"].replace("postgresql+psycopg", "postgresql")
        for tries_left in reversed(range(5)):
            try:
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute(ANEW)
                break
            except psycopg.errors.DeadlockDetected:
                # The site reads in another order than all these tables are emptied; it goes on, and so do we.
                if not tries_left:
                    raise
        time.sleep(FRAMES_KEPT_S)

    def letters(self, to: str) -> list[EmailMessage]:
        """What the site has written to this address, oldest first."""
        files = sorted((self._folder / "data/letters").glob("*.eml"))
        written = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        return [letter for letter in written if letter["To"] == to]

    def rows(self, query: str, *params: object) -> list[Any]:
        """What the database says."""
        url = self.info["owner_url"].replace("postgresql+psycopg", "postgresql")
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(query.encode(), params).fetchall()

    def pids(self, *names: str) -> list[int]:
        """The processes of the demo whose command holds one of the names, with their children."""
        found = []
        for child in children(self._process.pid):
            command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            if any(name in command for name in names):
                found += [child, *children(child)]
        assert found, names
        return found

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        """Processes that hang: neither dead nor answering."""
        pids = self.pids(*names)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


def children(pid: int) -> list[int]:
    """The children of a process."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]
