"""`python -m benchmarks.chain`: exit code 0 when every promise was kept, 1 when not."""

import argparse
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.chain import backlog, outage, report
from benchmarks.chain.gates import Gates
from benchmarks.chain.parts import PAIRS, PARTS
from benchmarks.chain.rounds import POINTS, play
from benchmarks.chain.stage import Stage, open_stage
from benchmarks.faults.site import SiteError

ACTS: Final = ("kills", "backlog", "outage")


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.chain", description=__doc__)
    parser.add_argument("acts", nargs="*", choices=[*ACTS, []], metavar="act", help=", ".join(ACTS))
    parser.add_argument("--short", action="store_true", help="each part once, 500 notices, outages of 15 s")
    parser.add_argument(
        "--repeat", type=int, default=1, metavar="N", help="each point and part so many times"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="PARTS", help="only this part or pair, as worker+redis")
    parser.add_argument("--logs", type=Path, metavar="DIR", help="keep the site's logs there")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    acts = options.acts or ACTS
    try:
        with open_stage(options.logs) as stage:
            dice = Random(options.seed)
            problems = _kills(stage, options, dice=dice) if "kills" in acts else []
            if "backlog" in acts:
                held_up = backlog.run(stage, size=500 if options.short else 10_000, dice=dice)
                problems += held_up.problems
                _say(report.backlog_lines(held_up))
            for kind in outage.KINDS if "outage" in acts else ():
                away = outage.run(stage, kind, seconds=15 if options.short else 60)
                problems += away.problems
                _say(report.outage_lines(away))
    except SiteError as error:
        print(f"FAILED: {error}")
        return 1
    return 1 if problems else 0


def _kills(stage: Stage, options: argparse.Namespace, *, dice: Random) -> list[str]:
    plan = [(point, parts) for point in POINTS for parts in [*((part,) for part in PARTS), *PAIRS]]
    if options.only:
        plan = [(point, parts) for point, parts in plan if "+".join(parts) == options.only]
    if options.short:
        plan = short_plan()
    gates = Gates(stage.site.info["owner_url"].replace("+psycopg", "", 1))
    rounds = []
    for point, parts in plan * options.repeat:
        rounds.append(play(stage, gates, point, parts, dice=dice))
        _say([report.line(rounds[-1])])
    _say(["", *report.lines(rounds)])
    return [problem for found in rounds for problem in found.problems + found.late]


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


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
