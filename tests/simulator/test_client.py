"""The device client against a real HTTP server."""

import socket
import time
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest

from silverwatch import clock
from silverwatch.server_call import retry_after_s, rfc3339
from silverwatch.simulator.client import DeviceClient
from silverwatch.simulator.errors import SimulatorError

AT = datetime(2026, 3, 1, 9, 0, 0, 123999, tzinfo=UTC)


def fill(client: DeviceClient, count: int) -> None:
    for number in range(count):
        client.add(AT + timedelta(seconds=number), {"heart_rate": 70 + number % 5})


def test_body_follows_the_contract(server: Any) -> None:
    client = DeviceClient(server.url + "/", "key-1", serial="SW-1")
    client.set_state(battery=87, signal_dbm=-61, firmware="1.8.2")
    client.add(AT, {"heart_rate": 82, "temperature": 36.8})
    client.add_event(AT, "fall")
    assert client.send() == 0
    body = server.bodies[0]
    assert server.keys == ["Bearer key-1"]
    assert abs((datetime.fromisoformat(body.pop("sent_at")) - clock.now()).total_seconds()) < 5
    assert body == {
        "device": "SW-1",
        "battery": 87,
        "signal_dbm": -61,
        "firmware": "1.8.2",
        "readings": [{"measured_at": "2026-03-01T09:00:00.123Z", "heart_rate": 82, "temperature": 36.8}],
        "events": [{"at": "2026-03-01T09:00:00.123Z", "kind": "fall"}],
    }
    assert (client.stored, client.waiting, client.posts) == (2, 0, 1)
    client.close()


def test_batches_and_one_connection(server: Any) -> None:
    client = DeviceClient(server.url, "k")
    fill(client, 1201)
    client.drain(Event())
    assert [len(body["readings"]) for body in server.bodies] == [500, 500, 201]
    assert (client.stored, server.connections) == (1201, 1)
    client.close()


@pytest.mark.parametrize("status", [503, 429])
def test_retry_after_is_honoured_and_nothing_is_lost(status: int, server: Any) -> None:
    server.answers = [(status, {"Retry-After": "0.4"})]
    client = DeviceClient(server.url, "k")
    fill(client, 3)
    assert client.send() == pytest.approx(0.4)
    assert client.waiting == 3
    assert 0 < client.send() <= 0.4
    assert len(server.bodies) == 1
    begin = time.monotonic()
    client.drain(Event())
    assert time.monotonic() - begin >= 0.3
    assert (client.stored, client.waiting) == (3, 0)
    client.close()


def test_back_off_grows_without_retry_after(server: Any) -> None:
    server.answers = [(500, {})] * 4
    now = [0.0]
    client = DeviceClient(server.url, "k", monotonic=lambda: now[0])
    fill(client, 1)
    waits = []
    for _ in range(4):
        waits.append(client.send())
        now[0] += waits[-1]
    assert waits == [1, 2, 4, 8]
    assert client.send() == 0
    assert client.stored == 1
    client.close()


def test_lost_answer_is_sent_again_and_stored_once(server: Any) -> None:
    server.answers = ["lost"]
    client = DeviceClient(server.url, "k")
    fill(client, 2)
    client.send()
    client.drain(Event())
    assert len(server.taken) == 2
    assert (client.stored, client.duplicates, client.waiting) == (0, 2, 0)
    client.close()


def test_kept_connection_that_was_closed_is_opened_anew_unseen(server: Any) -> None:
    said: list[str] = []
    client = DeviceClient(server.url, "k", say=said.append)
    fill(client, 1)
    assert client.send() == 0
    server.answers = ["lost"]
    client.add(AT + timedelta(hours=1), {"heart_rate": 60})
    assert client.send() == 0
    assert (client.duplicates, server.connections, said) == (1, 2, [])
    client.close()


def test_server_away_then_back() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        said: list[str] = []
        client = DeviceClient(f"http://127.0.0.1:{taken.getsockname()[1]}", "k", capacity=3, say=said.append)
        fill(client, 2)
        assert client.send() == 1
        fill(client, 3)
    assert (client.waiting, client.dropped) == (3, 2)
    assert len(said) == 2
    assert "cannot reach" in said[0]
    assert "dropped" in said[1]


def test_refused_key_waits_and_says_so(server: Any) -> None:
    server.answers = [(401, {})]
    said: list[str] = []
    client = DeviceClient(server.url, "k", say=said.append)
    fill(client, 1)
    assert client.send() == 30
    assert client.waiting == 1
    assert "401" in said[0]
    client.close()


def test_wrong_request_is_an_error(server: Any) -> None:
    server.answers = [(400, {})]
    client = DeviceClient(server.url, "k", serial="SW-9")
    fill(client, 1)
    with pytest.raises(SimulatorError, match="SW-9: the server answers 400"):
        client.send()
    client.close()


def test_too_large_a_post_is_halved(server: Any) -> None:
    server.answers = [(413, {})]
    client = DeviceClient(server.url, "k")
    fill(client, 500)
    client.drain(Event())
    assert [len(body["readings"]) for body in server.bodies] == [500, 250, 250]
    client.close()


def test_addresses_times_and_headers() -> None:
    with pytest.raises(SimulatorError, match="not an http"):
        DeviceClient("ftp://x", "k")
    assert rfc3339(AT) == "2026-03-01T09:00:00.123Z"
    assert retry_after_s(None) is None
    assert retry_after_s("soon") is None
    assert retry_after_s("-3") == 0
    assert retry_after_s("Sun, 01 Mar 2020 09:00:00 GMT") == 0
