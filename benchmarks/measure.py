"""Small tools: processor time of processes, percentiles, and the lines of the table."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICK_HZ: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the table. `met` is None where nothing was promised."""

    part: str
    what: str
    value: str
    against: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None


def children(pid: int) -> list[int]:
    """The processes that this one has started and that still run."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [one for one in pids if (stat := _stat(one)) and int(stat[1]) == pid]


def tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    return [pid, *(found for child in children(pid) for found in tree(child))]


def cpu_s(pids: Iterable[int]) -> float:
    """Seconds of processor time of these processes, children that have ended included."""
    ticks = 0
    for pid in pids:
        if stat := _stat(pid):
            ticks += sum(int(field) for field in stat[11:15])
    return ticks / TICK_HZ


def backends_of(postgres: int, *, clients: Sequence[int]) -> list[int]:
    """The backends of PostgreSQL that serve these client processes, matched by the port of the connection."""
    ports = set().union(*(_ports(pid) for pid in clients)) if clients else set()
    found = []
    for pid in children(postgres):
        try:
            title = Path(f"/proc/{pid}/cmdline").read_text()
        except OSError:
            continue
        match = re.search(r"127\.0\.0\.1\((\d+)\)", title)
        if match and int(match[1]) in ports:
            found.append(pid)
    return found


def _ports(pid: int) -> set[int]:
    """The local ports of a process's TCP connections."""
    inodes = set()
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(handle)
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    rows = (line.split() for line in lines)
    return {int(row[1].partition(":")[2], 16) for row in rows if row[9] in inodes}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


def rss_mb(pid: int) -> float:
    """What a process holds in memory now; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)
