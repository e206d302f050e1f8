"""`python -m benchmarks [part ...] [--long]`: run the parts, print one table. Timing is told, never asserted."""

import argparse
import importlib
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.measure import Line
from benchmarks.place import POOL, Place, place
from silverwatch import serving

PARTS: Final = {
    "single": "single readings against the reference",
    "batch": "batches of 100 readings",
    "alarms": "from POST to alert row and to the screens",
    "reconnect": "1,000 devices come back at once: others' alarms",
    "render": "tile, region and ward page",
    "breaches": "10,000 generated breaches, shuffled, doubled, late: nothing missed, double or wrong",
    "replay": "recorded patients, against an independent recomputation",
}

ALONE: Final = {"reconnect"}
"""In a place of its own."""


def main() -> None:
    """Run what is named, or everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="part", help=", ".join(PARTS))
    parser.add_argument("--long", action="store_true", help="longer rounds, for figures to keep")
    options = parser.parse_args()
    began = time.monotonic()
    lines: list[Line] = []
    # What waits for alerts to rise must not meet those that another part has left open.
    chosen = [part for part in PARTS if part in (options.parts or PARTS)]
    for parts in ([part for part in chosen if part not in ALONE], [part for part in chosen if part in ALONE]):
        if parts:
            with place(long=options.long) as site:
                _say_where(site)
                for part in parts:
                    lines += _run(part, site)
    print(f"\nAll, after {time.monotonic() - began:.0f} s, load average {os.getloadavg()[0]:.1f}\n")
    print(table(lines))


def _run(part: str, site: Place) -> list[Line]:
    print(f"\n{part}: {PARTS[part]} ...", flush=True)
    name = "replay_alarms" if part == "replay" else part
    found: list[Line] = importlib.import_module(f"benchmarks.{name}").run(site)
    print(table(found), flush=True)
    return found


def table(lines: Sequence[Line]) -> str:
    """The lines in columns."""
    head = ("part", "what", "Silver Watch", "reference", "ratio", "target", "")
    words = {True: "met", False: "NOT MET", None: ""}
    rows = [head] + [(e.part, e.what, e.value, e.against, e.ratio, e.target, words[e.met]) for e in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in [shown[0], "-" * len(shown[0]), *shown[1:]])


def _say_where(site: Place) -> None:
    model = next(
        (row.partition(":")[2].strip() for row in Path("/proc/cpuinfo").read_text().splitlines()
         if row.startswith("model name")), "unknown",
    )  # fmt: skip
    print(f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}, Python {platform.python_version()},"
          f" load average {os.getloadavg()[0]:.1f}")  # fmt: skip
    print(f"both: gunicorn -c python:silverwatch.serving, {serving.workers} workers, {serving.worker_class},"
          f" {serving.threads} threads, {POOL} connections each; on one PostgreSQL:")  # fmt: skip
    print("  " + ", ".join(f"{name} {value}" for name, value in site.settings().items()))


if __name__ == "__main__":
    main()
