"""A thousand devices that come back at once with what they kept: do the alarms of others wait for them?"""

import json
import multiprocessing
import re
import selectors
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Final
from uuid import UUID

from benchmarks.alarms import Rows, post_traced, three
from benchmarks.load import post
from benchmarks.measure import Line, percentile
from benchmarks.place import Bedside, Place, libpq, new_patient
from benchmarks.waiting import until_judged
from silverwatch import clock, db

DEVICES: Final = 1_000
EVERY_S: Final = 4
AFTER_S: Final = 10.0
SECONDS: Final = 50
GIVE_UP_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Storm:
    """What became of those who came back: when, how long until the last was taken, how many were told to come again."""

    began: float
    took_s: float
    answered: int
    again: int
    answers_s: list[float]


def run(site: Place) -> list[Line]:
    """The way of others' alarms before and while the devices come back."""
    kept = 150 if site.long else 15
    with db.transaction() as session:
        back = [new_patient(session, f"back-{number}", interval_s=EVERY_S) for number in range(DEVICES)]
    until_judged(site)
    rows = Rows(libpq(site.info["database_url"]))
    poller = threading.Thread(target=rows.run, daemon=True)
    poller.start()
    ours, theirs = multiprocessing.Pipe()
    crowd = multiprocessing.Process(
        target=_come_back, args=(theirs, site.port, back, kept, AFTER_S), daemon=True
    )
    crowd.start()
    ours.recv()  # it is ready
    ours.send(True)
    began = time.time()
    try:
        tracers, late = post_traced(site, seconds=SECONDS)
        storm: Storm = ours.recv()
        judged_s = until_judged(site, within_s=120)
    finally:
        rows.stop.set()
        poller.join()
        crowd.join(10)
    return _lines(tracers, rows, storm, kept=kept, late=late, began=began, judged_s=judged_s)


def _come_back(pipe: Connection, port: int, back: Sequence[Bedside], kept: int, after_s: float) -> None:
    """A process of its own: every device opens a connection and posts all that it has kept, in the same moment."""
    pipe.send(True)
    pipe.recv()
    time.sleep(after_s - 2)
    requests = [
        post("/api/readings/", _body(kept, now_s=n % EVERY_S), key=bed.key) for n, bed in enumerate(back)
    ]
    time.sleep(1)
    began, answers, again = time.time(), list[float](), 0
    due = [(began, request) for request in requests]
    waiting: dict[socket.socket, tuple[bytes, bytearray]] = {}
    with selectors.DefaultSelector() as selector:
        while (waiting or due) and time.time() - began < GIVE_UP_S:
            now = time.time()
            ready, due = [item for item in due if item[0] <= now], [item for item in due if item[0] > now]
            for _, request in ready:
                sock = socket.create_connection(("127.0.0.1", port), timeout=GIVE_UP_S)
                sock.sendall(request)
                sock.setblocking(False)
                waiting[sock] = (request, bytearray())
                selector.register(sock, selectors.EVENT_READ)
            for key, _ in selector.select(timeout=0.1):
                found: socket.socket = key.fileobj  # type: ignore[assignment]
                part = found.recv(65536)
                waiting[found][1].extend(part)
                if part and b"\r\n\r\n" not in waiting[found][1]:
                    continue
                request, answer = waiting.pop(found)
                selector.unregister(found)
                found.close()
                if answer.startswith(b"HTTP/1.1 200"):
                    answers.append(time.time() - began)
                else:
                    wait = re.search(rb"Retry-After: (\d+)", answer)
                    again += 1
                    due.append((time.time() + (int(wait[1]) if wait else 1), request))
    pipe.send(Storm(began, max(answers, default=0.0), len(answers), again, answers))


def _body(kept: int, *, now_s: int) -> bytes:
    """What a device has kept: one reading in EVERY_S, the newest just now."""
    end = clock.now() - timedelta(seconds=now_s)
    readings = [
        {"measured_at": (end - timedelta(seconds=EVERY_S * number)).isoformat(), "heart_rate": 80 + number % 5,
         "respiratory_rate": 16, "oxygen_saturation": 97} for number in reversed(range(kept))
    ]  # fmt: skip
    return json.dumps({"readings": readings}).encode()


def _lines(
    tracers: dict[UUID, float],
    rows: Rows,
    storm: Storm,
    *,
    kept: int,
    late: float,
    began: float,
    judged_s: float,
) -> list[Line]:
    before, during, never = [], [], 0
    for patient_id, sent_at in tracers.items():
        found = [at for _, at in rows.found.get(patient_id, []) if at >= sent_at]
        if not found:
            never += 1
        elif sent_at < storm.began:
            before.append(found[0] - sent_at)
        elif sent_at < storm.began + max(storm.took_s + judged_s, 10):
            during.append(found[0] - sent_at)
    worst = max(during, default=0.0)
    load = (
        f"100 beds at 1 Hz; after {storm.began - began:.0f} s {DEVICES} devices at once, {kept} readings each"
    )
    return [
        Line(part="reconnect", what=load, value=""),
        Line(part="reconnect", what="their posts: taken / told to come again",
             value=f"{storm.answered} / {storm.again}", target=f"{DEVICES} taken", met=storm.answered == DEVICES),
        Line(part="reconnect", what="their answers, p50 / p99 / last, s",
             value=f"{percentile(storm.answers_s, 0.5):.1f} / {percentile(storm.answers_s, 0.99):.1f}"
             f" / {storm.took_s:.1f}"),
        Line(part="reconnect", what="all judged so long after the last post of the others, s", value=f"{judged_s:.1f}"),
        Line(part="reconnect", what=f"others' POST to alert row before, p50 / p99 / max, ms ({len(before)})",
             value=three(before) if before else "-"),
        Line(part="reconnect", what=f"others' POST to alert row meanwhile, p50 / p99 / max, ms ({len(during)})",
             value=three(during) if during else "-", target="max <= 1000", met=bool(during) and worst <= 1),
        Line(part="reconnect", what="alerts that never came", value=f"{never} of {len(tracers)}", target="0",
             met=never == 0),
        Line(part="reconnect", what="the load itself: latest post, ms late", value=f"{1000 * late:.0f}"),
    ]  # fmt: skip
