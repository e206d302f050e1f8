"""The guard: what comes by the clock alone, with every other part dead."""

import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
import redis

from silverwatch import clock, db, flow
from silverwatch.adapters.job_queue import JobQueue
from silverwatch.adapters.redis_bus import Bus
from silverwatch.domain.alerts.watch import watch_devices
from silverwatch.jobs.guard import Guard
from tests.cast import Cast
from tests.conftest import Site
from tests.jobs.posting import alerts, post

NOWHERE = "redis://127.0.0.1:1/0"


def ringer(url: str) -> flow.Ringer:
    """Somebody who tells facts over this Redis."""
    return flow.Ringer(bus=Bus(url), queue=JobQueue(url))


def device_alerts(site: Site) -> list[tuple[str, str, bool]]:
    """(kind, priority, is open) of every device's alerts."""
    rows = site.rows(
        "SELECT kind, priority, closed_at IS NULL FROM alert WHERE subject = 'device' ORDER BY kind"
    )
    return [tuple(row) for row in rows]


def test_an_alarm_comes_with_redis_and_every_worker_dead(site: Site, cast: Cast) -> None:
    """Only the guard lives, and only PostgreSQL answers: at most 5 s from the post to the alert."""
    db.on_commit(ringer(NOWHERE))
    guard, stop = Guard(ringer(NOWHERE)), threading.Event()
    thread = threading.Thread(target=guard.run, args=(stop,))
    thread.start()
    try:
        post(site, cast.achieng.key, [(0.1, {"oxygen_saturation": 71})])
        until = time.monotonic() + 5
        while not alerts(site, cast.achieng.patient_id) and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        stop.set()
        thread.join()
    assert alerts(site, cast.achieng.patient_id) == [("oxygen_saturation_low", "high", True, True)]
    beat = site.row("SELECT now() - at < interval '5 s' FROM heartbeat WHERE name = 'guard'")
    assert beat[0]


def test_a_silent_device_is_an_alarm_and_its_return_ends_it(site: Site, cast: Cast) -> None:
    post(site, cast.achieng.key, [(20, {"heart_rate": 80})])
    now = clock.now()
    with db.transaction() as session:
        watch_devices(session, now=now + timedelta(seconds=9))
    assert device_alerts(site) == []
    for _ in range(2):
        with db.transaction() as session:
            watch_devices(session, now=now + timedelta(seconds=11))
    assert device_alerts(site) == [("device_silent", "medium", True)]
    post(site, cast.achieng.key, [(0.1, {"heart_rate": 80})])
    with db.transaction() as session:
        watch_devices(session, now=clock.now())
    assert device_alerts(site) == [("device_silent", "medium", False)]


def test_a_device_that_never_delivered_is_new_and_not_silent(site: Site, cast: Cast) -> None:
    with db.transaction() as session:
        watch_devices(session, now=clock.now() + timedelta(hours=1))
    assert device_alerts(site) == []


def test_a_low_battery_is_low_until_it_is_good(site: Site, cast: Cast) -> None:
    for battery, expected in ((19, True), (22, True), (25, False)):
        body = {"battery": battery, "readings": [{"measured_at": clock.now().isoformat(), "heart_rate": 80}]}
        site.client.post("/api/readings/", json=body, headers={"Authorization": f"Bearer {cast.achieng.key}"})
        with db.transaction() as session:
            watch_devices(session, now=clock.now())
        assert device_alerts(site) == [("low_battery", "low", expected)]


def test_what_was_committed_and_never_told_is_told_by_the_sweep(
    site: Site, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process died between the commit and the telling."""
    db.on_commit(None)
    guard = Guard(ringer(site.config.redis_url))
    post(site, cast.achieng.key, [(0.1, {"oxygen_saturation": 71})])
    monkeypatch.setattr("silverwatch.jobs.guard.UNJUDGED", timedelta(0))
    monkeypatch.setattr("silverwatch.jobs.guard.UNRUNG", timedelta(0))
    with redis.Redis.from_url(site.config.redis_url) as client, client.pubsub() as heard:
        heard.subscribe("silverwatch:live")
        heard.get_message(timeout=1)
        guard.tick()
        lines = []
        while message := heard.get_message(ignore_subscribe_messages=True, timeout=0.5):
            lines.append(message["data"].decode().split(":")[0])
    assert "AlertRaised" in lines
    assert site.row("SELECT count(*) FROM event WHERE rung_at IS NULL")[0] == 0


def test_two_guards_are_harmless(site: Site, cast: Cast) -> None:
    post(site, cast.achieng.key, [(40, {"heart_rate": 80})])
    guards = [Guard(ringer(site.config.redis_url)) for _ in range(2)]
    threads = [threading.Thread(target=lambda g=guard: [g.tick() for _ in range(5)]) for guard in guards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert device_alerts(site) == [("device_silent", "medium", True)]


def test_the_bell_rings_a_real_worker(site: Site, cast: Cast) -> None:
    """Post over HTTP, judge in a worker process of its own."""
    worker = subprocess.Popen([sys.executable, "-m", "silverwatch.cli", "worker", "alarms"], env=site.env)
    try:
        until = time.monotonic() + 30
        with redis.Redis.from_url(site.config.redis_url) as client:
            while not client.smembers("rq:workers") and time.monotonic() < until:
                time.sleep(0.05)
        response = site.client.post(
            "/api/readings/",
            json={"measured_at": clock.now().isoformat(), "oxygen_saturation": 71},
            headers={"Authorization": f"Bearer {cast.achieng.key}"},
        )
        response.close()
        until = time.monotonic() + 5
        while not alerts(site, cast.achieng.patient_id) and time.monotonic() < until:
            time.sleep(0.02)
        assert alerts(site, cast.achieng.patient_id) == [("oxygen_saturation_low", "high", True, True)]
    finally:
        worker.terminate()
        worker.wait(20)
