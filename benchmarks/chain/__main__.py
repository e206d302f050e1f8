"""`python -m benchmarks.chain`: exit code 0 when every promise was kept, 1 when not."""

import argparse
import signal
import sys
from pathlib import Path
from random import Random

from benchmarks.chain import report
from benchmarks.chain.gates import Gates
from benchmarks.chain.parts import PAIRS, PARTS
from benchmarks.chain.rounds import POINTS, play
from benchmarks.chain.stage import open_stage
from benchmarks.faults.site import SiteError


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.chain", description=__doc__)
    parser.add_argument("--short", action="store_true", help="each part once, each at another point")
    parser.add_argument(
        "--repeat", type=int, default=1, metavar="N", help="each point and part so many times"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="PARTS", help="only this part or pair, as worker+redis")
    parser.add_argument("--logs", type=Path, metavar="DIR", help="keep the site's logs there")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    dice = Random(options.seed)
    plan = [(point, parts) for point in POINTS for parts in [*((part,) for part in PARTS), *PAIRS]]
    if options.only:
        plan = [(point, parts) for point, parts in plan if "+".join(parts) == options.only]
    if options.short:
        plan = short_plan()
    rounds = []
    try:
        with open_stage(options.logs) as stage:
            gates = Gates(stage.site.info["owner_url"].replace("+psycopg", "", 1))
            for point, parts in plan * options.repeat:
                rounds.append(play(stage, gates, point, parts, dice=dice))
                print(report.line(rounds[-1]), flush=True)
    except SiteError as error:
        print(f"FAILED: {error}")
        return 1
    print()
    for line in report.lines(rounds):
        print(line)
    return 1 if any(found.problems for found in rounds) else 0


def short_plan() -> list[tuple[str, tuple[str, ...]]]:
    """Each part once, each at another point."""
    return [
        (POINTS[0], ("web",)),
        (POINTS[2], ("redis",)),
        (POINTS[4], ("worker",)),
        (POINTS[5], ("scheduler",)),
    ]


if __name__ == "__main__":
    sys.exit(main())
