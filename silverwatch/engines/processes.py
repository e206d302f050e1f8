"""Other processes: what they run, and how to end them; and ports nobody listens on."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

PORTS = range(20_000, 32_000)
"""Below the ports that Linux and macOS hand to outgoing connections: a client that keeps calling a server which is
restarting could otherwise be connected to itself and hold the server's port."""


def command_of(pid: int) -> str | None:
    """The command line of a living process, its parts separated by spaces, or None."""
    if Path("/proc/self/cmdline").exists():
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return None
        return raw.rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace") or None
    done = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None


def end_orphan(pid: int, argv: Sequence[str], *, ending: int, seconds: float = 10.0) -> bool:
    """End a process of an earlier supervisor, if `pid` still runs exactly `argv`; True when there was one."""
    command = " ".join(argv)
    if command_of(pid) != command.strip():
        return False
    deadline = time.monotonic() + seconds
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, ending)
        while command_of(pid) == command.strip():
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
    return True


def end_group(leader: int) -> None:
    """Kill what is left of the process group of a leader that is dead."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def is_free(port: int) -> bool:
    """Can a server listen on 127.0.0.1:port now?"""
    with socket.socket() as probe:
        # As servers do: connections of the last run in TIME_WAIT are no hindrance, a listener is.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(remembered: int | None = None) -> int:
    """The remembered port when it is free, else another one."""
    if remembered and is_free(remembered):
        return remembered
    while not is_free(port := random.choice(PORTS)):
        pass
    return port


def last_line(path: Path) -> str:
    """The last line of a log, or what to say without one."""
    try:
        lines = path.read_text(errors="replace").split("\n")
    except OSError:
        return "it wrote no log"
    return next((line.strip() for line in reversed(lines) if line.strip()), "its log is empty")
