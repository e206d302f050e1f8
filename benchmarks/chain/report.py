"""Rounds as lines for a person."""

from collections.abc import Iterator, Sequence

from benchmarks.chain import backlog, outage
from benchmarks.chain.account import Found
from benchmarks.faults.report import quantile


def line(found: Found) -> str:
    """One round in a line."""
    wrong = dict.fromkeys(found.problems + found.late)
    mark = "ok" if not wrong else f"BROKEN: {'; '.join(wrong)[:300]}"
    return (
        f"{found.point:<38}{'+'.join(found.parts):<18} down {found.down_s:4.1f} s  alert {found.alert_s:5.2f}"
        f"  step {found.step_s:5.2f}  notice {found.notice_s:5.2f}  arrived {found.arrived}/{found.notices}"
        f"  twice {found.doubles}  {mark}"
    )


def lines(rounds: Sequence[Found]) -> Iterator[str]:
    """All rounds, by point, then by part."""
    yield f"{'killed':<38}{'rounds':>7}{'alert s':>9}{'step s':>8}{'notice s':>10}{'twice':>7}{'broken':>8}"
    for name, chosen in _groups(rounds):
        yield (
            f"{name:<38}{len(chosen):>7}{_most(chosen, 'alert_s'):>9.2f}{_most(chosen, 'step_s'):>8.2f}"
            f"{_most(chosen, 'notice_s'):>10.2f}{sum(one.doubles for one in chosen):>7}"
            f"{sum(bool(one.problems or one.late) for one in chosen):>8}"
        )
    total = {
        name: sum(getattr(one, name) for one in rounds)
        for name in ("breaches", "alerts", "steps", "notices", "arrived", "doubles", "died")
    }
    yield ""
    yield (
        f"{total['breaches']} breaches, {total['alerts']} alerts, {total['steps']} steps;"
        f" {total['notices']} notices to receivers, {total['arrived']} arrived, {total['doubles']} of them twice"
        f" ({total['died']} attempts died)"
    )
    late = [one.notice_s for one in rounds]
    yield (
        "latest notice of a round, s after it was due or the part was back:"
        f" p50 {quantile(late, 0.5):.2f}, max {max(late, default=0):.2f}"
    )


def _groups(rounds: Sequence[Found]) -> Iterator[tuple[str, list[Found]]]:
    for name in dict.fromkeys(one.point for one in rounds):
        yield name, [one for one in rounds if one.point == name]
    for parts in dict.fromkeys(one.parts for one in rounds):
        yield "+".join(parts), [one for one in rounds if one.parts == parts]


def _most(rounds: Sequence[Found], name: str) -> float:
    return max((getattr(one, name) for one in rounds), default=0.0)


def backlog_lines(found: backlog.Found) -> Iterator[str]:
    """What came of ten thousand that waited."""
    new = sorted(found.new_s)
    yield (
        f"backlog: {found.waiting} notices waited; the {found.arrived} of {found.young} that were not too old arrived,"
        f" {found.closed} were closed as too old; all after {found.drained_s:.0f} s"
    )
    yield (
        f"  new high ones meanwhile, s to the receiver: p50 {quantile(new, 0.5):.2f}, max {max(new, default=0):.2f}"
        f" of {len(new)}"
    )
    yield (
        f"  memory of those who send {found.rss_before_mb:.0f} MB before, {found.rss_most_mb:.0f} MB at most;"
        f" CPU {found.cpu_s:.0f} s"
    )
    yield _verdict(found.problems)


def outage_lines(found: outage.Found) -> Iterator[str]:
    """What came of a channel that was down."""
    other = sorted(found.other_s)
    yield (
        f"outage ({found.kind}: {outage.KINDS[found.kind]}), {found.lasted_s:.0f} s: {found.notices} notices, told"
        f" another way after p50 {quantile(other, 0.5):.1f}, max {max(other, default=0):.1f} s"
    )
    yield (
        f"  {found.attempts} attempts ({found.allowed} allowed), {found.down} ways known to be down, CPU of those who"
        f" send {100 * found.cpu_share:.0f} % of one core; back: all delivered after {found.back_s:.1f} s"
    )
    yield _verdict(found.problems)


def _verdict(problems: Sequence[str]) -> str:
    return f"  BROKEN: {'; '.join(dict.fromkeys(problems))[:300]}" if problems else "  ok"
