"""A real MQTT broker, and firmware that publishes to it."""

import json
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.clients.serving import free_port
from tests.conftest import missing

FOUND = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class Broker:
    """mosquitto with its memory on disk; `password` lets in only the user `bridge`."""

    def __init__(self, folder: Path, *, password: str | None = None) -> None:
        if FOUND is None:
            missing("no MQTT broker: install the package mosquitto")
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        lines = [f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {folder}/",
                 "autosave_on_changes true", "autosave_interval 1", "user root"]  # fmt: skip
        if password:
            file = folder / "passwords"
            subprocess.run(["mosquitto_passwd", "-c", "-b", str(file), "bridge", password], check=True)
            lines += [f"password_file {file}", "allow_anonymous false"]
        else:
            lines.append("allow_anonymous true")
        self._config = folder / "mosquitto.conf"
        self._config.write_text("\n".join(lines) + "\n")
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([str(FOUND), "-c", str(self._config)], stdout=log, stderr=log)
        until = time.monotonic() + 10
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert time.monotonic() < until, self._log.read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """End it; it writes down what it keeps."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(10)
            self._process = None


class Firmware:
    """Publishes as the existing devices do, and waits until the broker has it."""

    def __init__(self, broker: Broker) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def say(self, topic: str, payload: Any, *, retain: bool = False) -> None:
        """Publish an object as JSON, or text and bytes as they are."""
        sent = json.dumps(payload) if isinstance(payload, dict) else payload
        self._client.publish(topic, sent, qos=1, retain=retain).wait_for_publish(20)

    def measured(self, serial: str, **values: Any) -> None:
        """A message of `sensor/data`."""
        self.say("sensor/data", {"user_id": "u-1", "device_id": serial, "humidity": 41, **values})

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()
