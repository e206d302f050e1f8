"""Single readings: ours and the reference in turns, a few rounds in one run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from statistics import median
from typing import Final

from benchmarks.load import Done, drive, post
from benchmarks.measure import Line, backends_of, cpu_s, percentile, tree
from benchmarks.place import Bedside, Place, Reference, reference
from benchmarks.waiting import until_judged
from silverwatch import clock

CLIENTS: Final = 16
VALUES: Final = (
    b'"heart_rate":82,"respiratory_rate":16,"oxygen_saturation":97,'
    b'"systolic_bp":121,"diastolic_bp":78,"temperature":36.8'
)


@dataclass(slots=True)
class Round:
    """One round of one side. CPU in seconds: of gunicorn, of the backends that it talks to, of what judges."""

    done: Done
    web_cpu_s: float
    database_cpu_s: float
    behind_cpu_s: float = 0.0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.done.answered / self.done.took_s

    def ms(self, seconds: float) -> float:
        """Milliseconds a request."""
        return 1000 * seconds / max(self.done.answered, 1)


@dataclass(slots=True)
class Side:
    """All rounds of one side."""

    rounds: list[Round] = field(default_factory=list)

    def rate(self) -> float:
        """Median of the rounds."""
        return median(each.rate for each in self.rounds)

    def ms(self, *names: str) -> float:
        """CPU-ms a request, median of the rounds, of these fields together."""
        return median(each.ms(sum(getattr(each, name) for name in names)) for each in self.rounds)

    def latency_ms(self, share: float) -> float:
        """Over all rounds."""
        return 1000 * percentile([s for each in self.rounds for s in each.done.latencies_s], share)


def readings(beds: Sequence[Bedside]) -> Iterator[bytes]:
    """Requests with one reading each, always a newer one, the devices in turns."""
    for bed in cycle(beds):
        at = clock.now().isoformat().encode()
        yield post("/api/readings/", b'{"measured_at":"' + at + b'",' + VALUES + b"}", key=bed.key)


def run(site: Place) -> list[Line]:
    """Requests/s and CPU-ms a request of both, and their ratios."""
    seconds, rounds = (10.0, 6) if site.long else (2.5, 4)
    ours, theirs = Side(), Side()
    with reference(site) as bare:
        _ours(site, seconds=1.5)
        _theirs(site, bare, seconds=1.0)
        for _ in range(rounds):
            theirs.rounds.append(_theirs(site, bare, seconds=seconds))
            ours.rounds.append(_ours(site, seconds=seconds))
    return _lines(ours, theirs)


def _ours(site: Place, *, seconds: float) -> Round:
    web, postgres = site.pids("web"), site.pids("postgres")
    behind = [pid for part in ("alarms", "scheduler", "valkey") for pid in site.pids(part)]
    at_first = cpu_s(web), cpu_s(behind), cpu_s(postgres)
    backends = backends_of(postgres[0], clients=web)
    backends_first = cpu_s(backends)
    done = drive(site.port, readings(site.beds), clients=CLIENTS, seconds=seconds)
    web_s = cpu_s(web) - at_first[0]
    database_s = cpu_s(backends_of(postgres[0], clients=web)) - backends_first
    until_judged(site)
    behind_s = cpu_s(behind) - at_first[1] + cpu_s(site.pids("postgres")) - at_first[2] - database_s
    _must_be_whole(done)
    return Round(done, web_s, database_s, behind_s)


def _theirs(site: Place, bare: Reference, *, seconds: float) -> Round:
    web, postgres = tree(bare.pid), site.pids("postgres")[0]
    web_first, backends_first = cpu_s(web), cpu_s(backends_of(postgres, clients=web))
    done = drive(bare.port, readings(site.beds), clients=CLIENTS, seconds=seconds)
    _must_be_whole(done)
    backends = backends_of(postgres, clients=web)
    return Round(done, cpu_s(web) - web_first, cpu_s(backends) - backends_first)


def _must_be_whole(done: Done) -> None:
    if done.refused:
        raise RuntimeError(
            f"{done.refused} of {done.refused + done.answered} refused: {done.first_refusal!r}"
        )


def _lines(ours: Side, theirs: Side) -> list[Line]:
    rate = median(a.rate / b.rate for a, b in zip(ours.rounds, theirs.rounds, strict=True))
    both = ("web_cpu_s", "database_cpu_s")
    cpu = ours.ms(*both) / theirs.ms(*both)
    lines = [
        Line(part="single", what="requests/s", value=f"{ours.rate():.0f}", against=f"{theirs.rate():.0f}",
             ratio=f"{rate:.2f}", target=">= 0.5", met=rate >= 0.5),
        Line(part="single", what="CPU-ms a request, web + database", value=f"{ours.ms(*both):.2f}",
             against=f"{theirs.ms(*both):.2f}", ratio=f"{cpu:.2f}", target="<= 2", met=cpu <= 2),
    ]  # fmt: skip
    for what, name in (("of it web", "web_cpu_s"), ("of it database", "database_cpu_s")):
        a, b = ours.ms(name), theirs.ms(name)
        lines.append(
            Line(part="single", what=what, value=f"{a:.2f}", against=f"{b:.2f}", ratio=f"{a / b:.2f}")
        )
    behind = ours.ms("behind_cpu_s")
    lines.append(Line(part="single", what="judging behind it, CPU-ms a request", value=f"{behind:.2f}"))
    for share in (0.5, 0.99):
        a, b = ours.latency_ms(share), theirs.latency_ms(share)
        what = f"answer p{share * 100:.0f}, ms, {CLIENTS} clients"
        lines.append(
            Line(part="single", what=what, value=f"{a:.1f}", against=f"{b:.1f}", ratio=f"{a / b:.2f}")
        )
    load = median(each.ms(each.done.own_cpu_s) for each in ours.rounds)
    lines.append(Line(part="single", what="the load itself, CPU-ms a request", value=f"{load:.2f}"))
    return lines
