"""`python -m benchmarks.faults`: exit code 0 when every promise was kept, 1 when not."""

import argparse
import signal
import sys
from pathlib import Path

from benchmarks.faults import report
from benchmarks.faults.run import run
from benchmarks.faults.site import SiteError


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, metavar="N", help="kills of each kind (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="of values, victims and pauses")
    parser.add_argument("--kind", action="append", metavar="KIND", help="only this kind; may be given again")
    parser.add_argument("--logs", type=Path, metavar="DIR", help="keep the site's logs there")
    options = parser.parse_args()
    # Asked to end, it takes the site along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        result = run(
            kills=options.kills,
            seed=options.seed,
            kinds=options.kind or (),
            logs=options.logs,
            say=lambda line: print(line, flush=True),
        )
    except SiteError as error:
        print(f"FAILED: {error}")
        return 1
    print()
    for line in report.lines(result):
        print(line)
    return 1 if result.findings.problems else 0


if __name__ == "__main__":
    sys.exit(main())
