"""What the tests of the engines share: parents that can be killed, and a look at the machine's processes."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

VICTIM = Path(__file__).with_name("victim.py")
ROOT = Path(__file__).parents[2]


class Parent:
    """A supervising process of its own, in a session of its own."""

    def __init__(self, data_dir: Path, what: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(VICTIM), str(data_dir), what],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert self.process.stdout
        self.line = self.process.stdout.readline()

    @property
    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.line)
        return told

    def end(self, number: int, *, group: bool = False) -> str:
        """Send a signal and wait; what it said on standard error."""
        if group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        return self.process.communicate(timeout=30)[1]


def processes() -> dict[int, tuple[int, str, str]]:
    """Parent, user and command line of every process that is alive."""
    done = subprocess.run(
        ["ps", "-axo", "pid=,ppid=,user=,stat=,args="], capture_output=True, text=True, check=True
    )
    rows = (line.split(None, 4) for line in done.stdout.splitlines())
    return {int(row[0]): (int(row[1]), row[2], row[4]) for row in rows if len(row) == 5 and row[3][0] != "Z"}


def tree(pid: int) -> list[int]:
    """A process and all that came from it."""
    found, now = [pid], processes()
    for each in found:
        found += [child for child, (parent, _, _) in now.items() if parent == each]
    return found


def alive(pids: list[int]) -> list[int]:
    """Which of these processes still run."""
    return sorted(set(pids) & set(processes()))


def until(condition: Callable[[], bool], *, seconds: float = 10.0) -> float:
    """Wait for a condition; the seconds it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "not within the time given"
        time.sleep(0.02)
    return time.monotonic() - began
