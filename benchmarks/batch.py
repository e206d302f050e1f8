"""Batches of 100 readings with 6 values each, from many devices at once."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import cycle
from typing import Final

from benchmarks.load import drive, post
from benchmarks.measure import Line, backends_of, cpu_s, percentile
from benchmarks.place import Bedside, Place
from benchmarks.single import VALUES
from benchmarks.waiting import until_judged
from silverwatch import clock

CLIENTS: Final = 8
READINGS: Final = 100
VITALS: Final = 6
STEP: Final = timedelta(milliseconds=1)


def batches(beds: Sequence[Bedside]) -> Iterator[bytes]:
    """Requests with READINGS readings each up to now, the devices in turns."""
    for bed in cycle(beds):
        now = clock.now()
        times = [(now - STEP * back).isoformat().encode() for back in range(READINGS, 0, -1)]
        body = b",".join([b'{"measured_at":"' + at + b'",' + VALUES + b"}" for at in times])
        yield post("/api/readings/", b'{"readings":[' + body + b"]}", key=bed.key)


def run(site: Place) -> list[Line]:
    """Values/s and CPU a value."""
    seconds = 30.0 if site.long else 6.0
    web, postgres = site.pids("web"), site.pids("postgres")
    drive(site.port, batches(site.beds), clients=CLIENTS, seconds=1.0)
    until_judged(site)
    behind = [pid for part in ("alarms", "scheduler", "valkey") for pid in site.pids(part)]
    first = cpu_s(web), cpu_s(backends_of(postgres[0], clients=web)), cpu_s(behind), cpu_s(postgres)
    done = drive(site.port, batches(site.beds), clients=CLIENTS, seconds=seconds)
    if done.refused:
        raise RuntimeError(f"{done.refused} batches refused: {done.first_refusal!r}")
    web_s, database_s = cpu_s(web) - first[0], cpu_s(backends_of(postgres[0], clients=web)) - first[1]
    lag_s = until_judged(site)
    behind_s = cpu_s(behind) - first[2] + cpu_s(site.pids("postgres")) - first[3] - database_s
    values = done.answered * READINGS * VITALS
    rate = values / done.took_s
    return [
        Line(part="batch", what="values/s", value=f"{rate:,.0f}", target=">= 50,000", met=rate >= 50_000),
        Line(part="batch", what="CPU-µs a value, web", value=f"{1e6 * web_s / values:.2f}"),
        Line(part="batch", what="CPU-µs a value, database", value=f"{1e6 * database_s / values:.2f}"),
        Line(part="batch", what="CPU-µs a value, judging behind it", value=f"{1e6 * behind_s / values:.2f}"),
        Line(part="batch", what="the load itself, CPU-µs a value", value=f"{1e6 * done.own_cpu_s / values:.2f}"),
        Line(part="batch", what=f"answer p99, ms, {CLIENTS} clients",
             value=f"{1000 * percentile(done.latencies_s, 0.99):.0f}"),
        Line(part="batch", what="judged after the last answer, s", value=f"{lag_s:.1f}"),
    ]  # fmt: skip
