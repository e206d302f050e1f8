"""Drawing: a tile, all regions of a ward, the ward page; processor time, size and statements. In this process."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any, Final

from sqlalchemy import event

from benchmarks.load import drive
from benchmarks.measure import Line, percentile
from benchmarks.place import BEDS, EMAIL, PASSWORD, POOL, Place
from benchmarks.single import readings
from silverwatch import clock, db
from silverwatch.app import create_app
from silverwatch.config import Config
from silverwatch.live.regions import ALL
from silverwatch.web.audience import Audience

NURSE: Final = Audience(role="caregiver", may_take_alarms=True)


def run(site: Place) -> list[Line]:
    """CPU-ms of each."""
    times = 200 if site.long else 40
    # So that every tile has something to show.
    drive(site.port, readings(site.beds), clients=4, seconds=1.0)
    app = create_app(
        Config(
            database_url=site.info["database_url"],
            owner_url=site.info["owner_url"],
            redis_url=site.info["redis_url"],
            secret_key="0123456789 of the benchmarks, thrown away",
            secure_cookies=False,
            pool_size=int(POOL),
        )
    )
    lines = _regions(site, times=times)
    client = app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    fields = {"csrf_token": token[1] if token else "", "email": EMAIL, "password": PASSWORD}
    client.post("/login", data=fields, headers={"Referer": "http://localhost/login"})
    for path, what in (
        ("/ward/bench-0", f"ward page, {BEDS} beds"),
        (f"/beds/{site.beds[0].bed_id}/tile", "one tile by GET"),
    ):
        answer = client.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        with statements() as said:
            client.get(path)
        cpu = timed(lambda path=path: client.get(path), times=times)  # type: ignore[misc]
        lines += [
            Line(part="render", what=f"{what}: CPU-ms, p50 / p99", value=two(cpu)),
            Line(part="render", what=f"{what}: statements, KB", value=f"{len(said)}, {len(answer.data) / 1e3:.0f}"),
        ]  # fmt: skip
    return lines


def _regions(site: Place, *, times: int) -> list[Line]:
    lines = []
    for name, region in ALL.items():
        ids = [site.beds[0].ward_id] if region.subject == "ward" else [bed.bed_id for bed in site.beds[:BEDS]]
        with db.transaction(read_only=True) as session, statements() as said:
            views = region.load(session, ids, clock.now())
        with db.transaction(read_only=True) as session:
            load = timed(lambda: region.load(session, ids, clock.now()), times=times)  # noqa: B023
        view = next(iter(views.values()))
        draw = timed(lambda: region.draw(view, audience=NURSE, now=clock.now()), times=times)  # noqa: B023
        size = len(region.draw(view, audience=NURSE, now=clock.now()).encode())
        lines += [
            Line(part="render", what=f"{name}: draw one, CPU-ms, p50 / p99", value=two(draw)),
            Line(part="render", what=f"{name}: read {len(ids)}, CPU-ms here; statements; octets of one",
                 value=f"{1000 * median(load):.2f}; {len(said)}; {size}"),
        ]  # fmt: skip
    return lines


def timed(work: Callable[[], Any], *, times: int) -> list[float]:
    """Seconds of this thread's processor time, each time."""
    work()
    found = []
    for _ in range(times):
        began = time.thread_time()
        work()
        found.append(time.thread_time() - began)
    return found


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that SQLAlchemy sends meanwhile."""
    said: list[str] = []

    def note(_c: object, _cur: object, statement: str, _p: object, _x: object, _m: object) -> None:
        said.append(statement)

    engine = db.engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


def two(seconds: list[float]) -> str:
    """p50 and p99 in ms."""
    return f"{1000 * median(seconds):.2f} / {1000 * percentile(seconds, 0.99):.2f}"
