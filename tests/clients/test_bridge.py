"""The bridge between a real broker and the real server: nothing is lost, stored twice, or invented."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from silverwatch import clock
from tests.cast import Cast
from tests.clients.mosquitto import Broker, Firmware
from tests.clients.serving import Served, free_port
from tests.conftest import Site

Start = Callable[..., "Running"]


class Running:
    """The command as an operator runs it."""

    def __init__(self, folder: Path, arguments: list[str], key: str, **env: str) -> None:
        self.log = folder / f"bridge-{clock.new_id().hex[:6]}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-u", "-m", "silverwatch.cli", "mqtt-bridge", *arguments],
                env={**os.environ, "SILVERWATCH_KEY": key, **env}, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def said(self) -> str:
        """All that it has printed."""
        return self.log.read_text()

    def wait_for(self, words: str) -> None:
        """Until it has printed this."""
        until(lambda: words in self.said() or self.process.poll() is not None)
        assert words in self.said()

    def end(self, how: int = signal.SIGTERM) -> int:
        """Send it a signal; gives how it ended."""
        self.process.send_signal(how)
        return self.process.wait(20)


def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    """Wait until it is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def start(tmp_path: Path, broker: Broker, served: Served, cast: Cast) -> Iterator[Start]:
    """Starts a bridge with the gateway of ward A, and waits until it takes messages."""
    running: list[Running] = []

    def begin(*more: str) -> Running:
        arguments = ["--broker", broker.url, "--url", served.url, *more]
        found = Running(tmp_path, arguments, cast.gateway_a)
        running.append(found)
        found.wait_for("GW-A takes")
        return found

    yield begin
    for one in running:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


def stored(site: Site, cast: Cast) -> list[Any]:
    """What is stored of Achieng, by time."""
    return site.rows(
        "SELECT heart_rate, oxygen_saturation, systolic_bp FROM reading WHERE patient_id = %s ORDER BY measured_at",
        cast.achieng.patient_id,
    )


def test_what_firmware_publishes_is_stored(site: Site, cast: Cast, firmware: Firmware, start: Start) -> None:
    began = clock.now()
    bridge = start()
    firmware.measured("SW-1", heart_rate=81, spo2=97, temperature=36.9, systolicBP=121, diastolicBP=78)
    firmware.say("device/status/SW-1", {"status": "online", "battery": 64, "rssi": -58, "firmware": "1.0.4"})
    until(lambda: site.rows("SELECT 1 FROM device_state WHERE firmware IS NOT NULL"))
    until(lambda: stored(site, cast))
    row = site.row(
        "SELECT heart_rate, oxygen_saturation, temperature, systolic_bp, diastolic_bp, measured_at FROM reading"
    )
    assert row[:5] == (81, 97, 36.9, 121, 78)
    assert began <= row[5] <= clock.now()
    about = "SELECT battery, signal_dbm, firmware FROM device_state WHERE device_id = %s"
    assert site.row(about, cast.achieng.device_id) == (64, -58, "1.0.4")
    assert bridge.end() == 0
    assert "messages 2, status 1, stored 1" in bridge.said()


def test_a_pressure_that_is_made_up_is_not_believed(
    site: Site, cast: Cast, firmware: Firmware, start: Start
) -> None:
    with site.cursor() as cur:
        cur.execute("UPDATE device SET kind = 'wearable' WHERE serial = 'SW-1'")
        cur.execute("UPDATE device SET kind = 'blood_pressure_monitor' WHERE serial = 'SW-2'")
    bridge = start("--refuse-blood-pressure", "wearable", "--refuse-temperature", "wearable")
    firmware.measured("SW-1", heart_rate=80, temperature=24.1, systolicBP=180, diastolicBP=60)
    firmware.measured("SW-1", systolicBP=180, diastolicBP=60)
    firmware.measured("SW-2", systolicBP=118, diastolicBP=70)
    query = "SELECT patient_id, heart_rate, temperature, systolic_bp FROM reading ORDER BY systolic_bp NULLS FIRST"
    until(lambda: len(site.rows(query)) == 2)
    achieng, baraka = cast.achieng.patient_id, cast.baraka.patient_id
    assert site.rows(query) == [(achieng, 80, None, None), (baraka, None, None, 118)]
    assert site.rows("SELECT 1 FROM quarantine") == []
    bridge.end()
    assert "diastolic_bp not believed 2, messages 3, stored 2, systolic_bp not believed 2" in bridge.said()


BAD: list[Any] = [b"\xff\xfe", "{", "[]", "null", '{"device_id": "SW-1"}', '{"device_id": "SW-1", "heart_rate": "x"}',
                  '{"heart_rate": 70}', '{"device_id": "SW-1", "heart_rate": NaN}', "[" * 5000,
                  '{"device_id": {}, "spo2": 97}']  # fmt: skip


def test_a_bad_message_is_counted_and_kept_and_stops_nobody(
    site: Site, cast: Cast, firmware: Firmware, start: Start
) -> None:
    bridge = start()
    for payload in BAD:
        firmware.say("sensor/data", payload)
    firmware.say("device/status/SW-1", "on fire")
    firmware.measured("SW-9", heart_rate=70)
    firmware.say("sensor/data", {"device_id": "SW-1", "heart_rate": 75, "measured_at": "yesterday"})
    firmware.measured("SW-1", heart_rate=77)
    until(lambda: stored(site, cast) == [(77, None, None)])
    bridge.end()
    assert f"bad {len(BAD) + 1}" in bridge.said()
    assert "rejected unknown_device 1" in bridge.said()
    kept = [row[0] for row in site.rows("SELECT item FROM quarantine WHERE code = 'unknown_field'")]
    assert len(kept) == len(BAD) + 1
    assert any("on fire" in item for item in kept)
    codes = {row[0] for row in site.rows("SELECT code FROM quarantine")}
    assert codes == {"unknown_field", "unknown_device", "wrong_type"}
    # What is bad says nothing of a patient in a log.
    assert "on fire" not in bridge.said()


def test_a_retained_message_is_of_no_known_age(
    site: Site, cast: Cast, firmware: Firmware, start: Start
) -> None:
    firmware.say("sensor/data", {"device_id": "SW-1", "heart_rate": 40}, retain=True)
    bridge = start()
    firmware.measured("SW-1", heart_rate=77)
    until(lambda: stored(site, cast))
    assert stored(site, cast) == [(77, None, None)]
    bridge.end()
    assert "retained, not taken 1" in bridge.said()


def test_a_server_that_goes_and_comes_back_loses_nothing_and_keeps_the_time(
    site: Site, cast: Cast, firmware: Firmware, served: Served, start: Start
) -> None:
    bridge = start()
    firmware.measured("SW-1", heart_rate=60)
    until(lambda: stored(site, cast))
    served.stop()
    for number in range(61, 81):
        firmware.measured("SW-1", heart_rate=number)
    bridge.wait_for("cannot reach the server")
    time.sleep(1)
    gone_at = clock.now()
    served.start()
    until(lambda: len(stored(site, cast)) == 21)
    assert [row[0] for row in stored(site, cast)] == list(range(60, 81))
    # They were measured when they came, not when the server took them.
    assert site.row("SELECT max(measured_at) FROM reading")[0] < gone_at
    bridge.end()
    assert "stored 21" in bridge.said()
    assert "duplicates" not in bridge.said()


def test_a_broker_that_goes_and_comes_back_loses_nothing(
    site: Site, cast: Cast, firmware: Firmware, broker: Broker, served: Served, start: Start
) -> None:
    bridge = start()
    served.stop()
    for number in range(60, 65):
        firmware.measured("SW-1", heart_rate=number)
    bridge.wait_for("cannot reach the server")
    # Five wait unacknowledged in the bridge while its broker restarts: it sends them again, under the same names.
    broker.stop()
    bridge.wait_for("the broker is away")
    broker.start()
    bridge.wait_for("subscribed")
    until(lambda: bridge.said().count("subscribed") == 2)
    served.start()
    firmware.measured("SW-1", heart_rate=65)
    until(lambda: len(stored(site, cast)) == 6)
    time.sleep(1)
    assert [row[0] for row in stored(site, cast)] == list(range(60, 66))
    bridge.end()
    assert "messages 6, stored 6" in bridge.said()


def test_a_bridge_that_is_killed_gets_again_what_it_had_not_answered_for(
    site: Site, cast: Cast, firmware: Firmware, served: Served, start: Start
) -> None:
    first = start()
    served.stop()
    for number in range(60, 65):
        firmware.measured("SW-1", heart_rate=number)
    first.wait_for("cannot reach the server")
    first.end(signal.SIGKILL)
    firmware.measured("SW-1", heart_rate=65)
    served.start()
    second = start()
    until(lambda: len(stored(site, cast)) == 6)
    assert [row[0] for row in stored(site, cast)] == list(range(60, 66))
    second.end()


def test_a_key_that_is_revoked_ends_it_with_one_line(
    site: Site, cast: Cast, firmware: Firmware, start: Start
) -> None:
    bridge = start()
    with site.cursor() as cur:
        cur.execute("UPDATE device_key SET revoked_at = now()")
    firmware.measured("SW-1", heart_rate=60)
    assert bridge.process.wait(20) == 1
    assert bridge.said().splitlines()[-1].startswith("silverwatch: the server refuses this key (401)")


def refused(folder: Path, arguments: list[str], key: str, **env: str) -> str:
    """Run it to its end; its only line on stderr."""
    bridge = Running(folder, arguments, key, **env)
    assert bridge.process.wait(30) == 1, bridge.said()
    lines = bridge.said().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_what_cannot_work_is_one_line(tmp_path: Path, broker: Broker, served: Served, cast: Cast) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    good = ["--broker", broker.url, "--url", served.url]
    for arguments, key, words in (
        (["--broker", broker.url, "--url", f"http://{nobody}"], cast.gateway_a, "check --url"),
        (["--broker", broker.url, "--url", "ward"], cast.gateway_a, "not an http or https address"),
        (["--broker", f"mqtt://{nobody}", "--url", served.url], cast.gateway_a, "cannot reach the broker"),
        (["--broker", "broker", "--url", served.url], cast.gateway_a, "not an address like mqtt://"),
        (["--broker", "mqtt://h:x", "--url", served.url], cast.gateway_a, "not an address like mqtt://"),
        (good, cast.achieng.key, "the key is that of SW-1 alone"),
        (good, "swd_wrong", "refuses this key (401)"),
        (good, "", "SILVERWATCH_KEY"),
        ([*good, "--key-file", str(tmp_path / "none")], "", "cannot be read"),
        ([*good, "--refuse-blood-pressure", "toaster"], cast.gateway_a, "toaster is no type of device"),
    ):
        assert words in refused(tmp_path, arguments, key)


def test_a_broker_that_refuses_us_is_one_line(tmp_path: Path, served: Served, cast: Cast) -> None:
    broker = Broker(tmp_path, password="secret")
    try:
        arguments = ["--broker", broker.url, "--url", served.url, "--username", "bridge"]
        assert "refuses the bridge" in refused(tmp_path, arguments, cast.gateway_a, MQTT_PASSWORD="wrong")
        bridge = Running(tmp_path, arguments, cast.gateway_a, MQTT_PASSWORD="secret")
        bridge.wait_for("GW-A takes")
        assert bridge.end() == 0
    finally:
        broker.stop()
