"""From the POST of a breach to the row of its alert and to the screens of its ward, under a ward's full load."""

import threading
import time
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import psycopg

from benchmarks.load import Device, post
from benchmarks.measure import Line, cpu_s, percentile
from benchmarks.place import BEDS, EMAIL, PASSWORD, WARDS, Place, libpq
from benchmarks.screens import Seen, Watchers, browser, live_address, shown_at
from benchmarks.single import VALUES
from benchmarks.waiting import until_judged
from silverwatch import clock

SCREENS: Final = 200
BREACH: Final = VALUES.replace(b'"oxygen_saturation":97', b'"oxygen_saturation":78')
LASTS: Final = 5
"""Readings for which a breach goes on."""
EVERY: Final = 80
"""A bed breaches once in this many readings."""
POLL_S: Final = 0.01


@dataclass(slots=True)
class Rows:
    """Looks for new alerts often; when each was first there, by patient, in order."""

    url: str
    found: dict[UUID, list[tuple[UUID, float]]] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until told to stop."""
        seen: set[UUID] = set()
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self.stop.wait(POLL_S):
                rows = connection.execute(
                    "SELECT id, patient_id FROM alert WHERE closed_at IS NULL AND kind = 'oxygen_saturation_low'",
                    prepare=True,
                ).fetchall()
                now = time.time()
                for alert_id, patient_id in rows:
                    if alert_id not in seen:
                        seen.add(alert_id)
                        self.found.setdefault(patient_id, []).append((alert_id, now))


def run(site: Place) -> list[Line]:
    """p50, p99 and misses of both ways."""
    seconds = 120 if site.long else 30
    until_judged(site)
    opened = browser(site.info["base_url"], email=EMAIL, password=PASSWORD)
    pages = [opened.open(f"{site.info['base_url']}/ward/bench-{n}").read().decode() for n in range(WARDS)]
    rows = Rows(libpq(site.info["database_url"]))
    poller = threading.Thread(target=rows.run, daemon=True)
    watchers = Watchers(
        site.info["base_url"], [live_address(page) for page in pages], screens=SCREENS,
        cookie=opened.cookies,  # type: ignore[attr-defined]
    )  # fmt: skip
    poller.start()
    try:
        return _measure(site, rows, watchers, seconds=seconds)
    finally:
        rows.stop.set()
        poller.join()


def _measure(site: Place, rows: Rows, watchers: Watchers, *, seconds: int) -> list[Line]:
    pids = {part: site.pids(part) for part in ("web", "alarms", "scheduler", "postgres", "valkey")}
    first = {part: cpu_s(of) for part, of in pids.items()}
    tracers, late = post_traced(site, seconds=seconds)
    used = {part: cpu_s(of) - first[part] for part, of in pids.items()}
    time.sleep(3)
    return _lines(site, tracers, rows, watchers.stop(), used=used, late=late, seconds=seconds)


def post_traced(site: Place, *, seconds: int) -> tuple[dict[UUID, float], float]:
    """Every bed once a second, spread over the second; a tracer begins in one bed after the other.

    Gives when each tracer was sent (one a patient), and how late the latest post was.
    """
    devices = [Device(site.port) for _ in site.beds]
    tracers: dict[UUID, float] = {}
    begin, latest = time.time() + 0.2, 0.0
    for second in range(seconds):
        for number, bed in enumerate(site.beds):
            due = begin + second + number / len(site.beds)
            time.sleep(max(0.0, due - time.time()))
            latest = max(latest, time.time() - due)
            phase = (second - 3 - number * 7) % max(EVERY, seconds)
            is_breach = 0 <= phase < LASTS and second >= 3
            values = BREACH if is_breach else VALUES
            body = b'{"measured_at":"' + clock.now().isoformat().encode() + b'",' + values + b"}"
            if is_breach and phase == 0 and second < seconds - LASTS and bed.patient_id not in tracers:
                tracers[bed.patient_id] = time.time()
            devices[number].send(post("/api/readings/", body, key=bed.key))
    for device in devices:
        device.close()
    return tracers, latest


def _lines(
    site: Place,
    tracers: dict[UUID, float],
    rows: Rows,
    seen: Seen,
    *,
    used: dict[str, float],
    late: float,
    seconds: int,
) -> list[Line]:
    to_row, to_screen, no_row, not_shown = [], [], 0, 0
    ward_of = {bed.patient_id: n // BEDS for n, bed in enumerate(site.beds)}
    for patient_id, sent_at in tracers.items():
        alerts = [found for found in rows.found.get(patient_id, []) if found[1] >= sent_at]
        if not alerts:
            no_row += 1
            continue
        alert_id, at = alerts[0]
        to_row.append(at - sent_at)
        for shown in shown_at(seen, alert_id, ward=ward_of[patient_id]):
            if shown is None:
                not_shown += 1
            else:
                to_screen.append(shown - sent_at)
    p99 = percentile(to_screen, 0.99)
    missed = no_row + not_shown
    load = f"{len(site.beds)} beds at 1 Hz, {SCREENS} sockets on {WARDS} wards, {len(tracers)} breaches"
    cores = ", ".join(f"{part} {100 * s / seconds:.0f}" for part, s in used.items())
    return [
        Line(part="alarms", what=load, value=""),
        Line(part="alarms", what="POST to alert row, p50 / p99 / max, ms", value=three(to_row)),
        Line(part="alarms", what="POST to frame on a socket, p50 / p99 / max, ms", value=three(to_screen),
             target="p99 <= 1000", met=p99 <= 1),
        Line(part="alarms", what="alerts or frames that never came", value=f"{missed} of {len(to_screen) + missed}",
             target="0", met=missed == 0 and not seen.hung_up),
        Line(part="alarms", what=f"{SCREENS} screens at once: all drawn after, s", value=f"{seen.opened_in_s:.1f}"),
        Line(part="alarms", what="frames/s, MB/s over all sockets",
             value=f"{seen.frames / seconds:.0f}, {seen.octets / seconds / 1e6:.1f}"),
        Line(part="alarms", what="CPU, % of one core", value=cores),
        Line(part="alarms", what="the load itself: latest post, ms late; sockets' CPU, %",
             value=f"{1000 * late:.0f}; {100 * seen.own_cpu_s / seconds:.0f}"),
    ]  # fmt: skip


def three(seconds: list[float]) -> str:
    """p50, p99 and the largest, in ms."""
    return " / ".join(
        f"{1000 * x:.0f}" for x in (*(percentile(seconds, s) for s in (0.5, 0.99)), max(seconds))
    )
