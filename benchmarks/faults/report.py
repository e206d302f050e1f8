"""The outcome of a run as tables for a person."""

from collections.abc import Iterator
from math import ceil

from benchmarks.faults.run import Result
from silverwatch import clock

SHOWN = 20
PROMISED_S = {
    "web, whole tree": 3.0,
    "postgres backend": 3.0,
    "postmaster alone": 5.0,
    "postgres, whole tree": 5.0,
    "alarm worker": 5.0,
    "valkey": 5.0,
}
"""Recovery at p95 as promised; a busy machine may miss it without anything being lost: marked, not failed."""


def quantile(values: list[float], share: float) -> float:
    """The value that `share` of all do not exceed; the nearest rank."""
    ranked = sorted(values)
    return ranked[max(ceil(share * len(ranked)), 1) - 1] if ranked else 0.0


def lines(result: Result) -> Iterator[str]:
    """The report, line by line."""
    yield f"{'killed with kill -9':<22}{'kills':>6}{'p50 s':>8}{'p95 s':>8}{'max s':>8}{'promised':>10}"
    for kind, took in result.recoveries.items():
        p95, promised = quantile(took, 0.95), PROMISED_S.get(kind)
        mark = "" if promised is None else f"<= {promised:.0f}" + (" !" if p95 > promised else "")
        yield (
            f"{kind:<22}{len(took):>6}{quantile(took, 0.5):>8.2f}{p95:>8.2f}"
            f"{max(took, default=0.0):>8.2f}{mark:>10}"
        )
    yield ""
    found, account = result.findings, result.account
    yield (
        f"readings acknowledged  {found.acknowledged:>7}   stored {found.stored},"
        f" of them never answered {found.unanswered}"
    )
    yield f"lost                   {found.lost:>7}"
    yield f"stored twice           {found.double:>7}"
    yield f"altered                {found.altered:>7}"
    yield f"half written           {found.half:>7}"
    yield f"breaches that alarm    {found.alerts_expected:>7}   with their alert {found.alerts_found}"
    yield (
        f"alarms on at the end   {found.open_expected:>7}   stored as open {found.open_found},"
        f" and {found.open_stale} whose readings are old"
    )
    yield f"posts sent again       {account.resent:>7}   answered as duplicates {account.duplicates} readings"
    yield "answers                " + ", ".join(f"{what}: {n}" for what, n in sorted(account.answers.items()))
    yield (
        f"longest wait for judging {result.waited_s:.1f} s while parts were dead; all judged"
        f" {result.judged_s:.1f} s after the last answer; the run took {result.took_s:.0f} s,"
        f" until {clock.now():%F %T} UTC"
    )
    yield ""
    yield from _verdict(result)


def _verdict(result: Result) -> Iterator[str]:
    problems = result.findings.problems
    if problems:
        yield f"FAILED: {len(problems)} promises were broken. The first of them:"
        yield from (f"  {problem}" for problem in problems[:SHOWN])
        return
    # The rule of three: no event in n trials bounds its rate by 3/n with 95 % confidence.
    kills, readings = max(result.kills, 1), max(result.findings.acknowledged, 1)
    yield (
        f"0 lost of {kills} kills -> less than {3 / kills:.2%} per kill at 95 %;"
        f" 0 of {readings} readings -> less than {3 / readings:.4%} each."
    )
