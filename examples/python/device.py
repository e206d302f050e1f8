#!/usr/bin/env python3
"""A device for Silver Watch in plain Python: pairs once, measures, keeps what it cannot send, sends it again.

    python3 device.py --url https://ward.hospital.example --code 7K4-2QX --serial SW-2001   # the first time
    python3 device.py --url https://ward.hospital.example                                   # from then on

Replace `measure()`. A reading keeps the time at which it was measured, in the buffer and in every post: the server
knows it by that, so that sending twice stores once, and a reading that waited an hour is still at its place.
"""

import argparse
import json
import os
import random
import sqlite3
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from threading import Event, Thread

BATCH = 500
KEPT = 200_000  # readings that wait at most: nine days at one in four seconds
ASK_EVERY_S = 600
FIRMWARE = "example-1.0"


def measure():
    """What your sensors say now: vitals by name. Leave out what a sensor did not give; never invent a value."""
    return {"heart_rate": random.randint(68, 76), "oxygen_saturation": random.randint(96, 98)}


def battery_percent():
    """How full the battery is, or None."""
    return


class Stopped(Exception):
    """Something that only a person can put right."""


class Server:
    """Posts and questions to the server, with the device's key once it has one."""

    def __init__(self, url, key=None):
        if not url.startswith(("https://", "http://")):
            raise Stopped(f"{url}: not an http or https address")
        self.url, self.key = url.rstrip("/"), key

    def ask(self, path, body=None):
        """Status, headers and the decoded answer; OSError if the server cannot be reached."""
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = "Bearer " + self.key
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.headers, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                text = error.read()
            try:
                return error.code, error.headers, json.loads(text)
            except ValueError:
                return error.code, error.headers, {}


class Buffer:
    """Readings that were not answered yet, on disk: neither an outage nor a power cut loses one."""

    def __init__(self, path):
        self.path = path
        with closing(self.open()) as db, db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("CREATE TABLE IF NOT EXISTS reading (id INTEGER PRIMARY KEY, item TEXT NOT NULL)")

    def open(self):
        return sqlite3.connect(self.path, timeout=10)

    def keep(self, item):
        with closing(self.open()) as db, db:
            db.execute("INSERT INTO reading (item) VALUES (?)", (json.dumps(item),))
            db.execute("DELETE FROM reading WHERE id <= (SELECT max(id) FROM reading) - ?", (KEPT,))

    def oldest(self):
        with closing(self.open()) as db:
            return db.execute("SELECT id, item FROM reading ORDER BY id LIMIT ?", (BATCH,)).fetchall()

    def drop(self, upto):
        with closing(self.open()) as db, db:
            db.execute("DELETE FROM reading WHERE id <= ?", (upto,))


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def load(path):
    return json.loads(path.read_text()) if path.exists() else {}


def save(path, state):
    """Whole or not at all, and for its owner alone: it holds the key."""
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def pair(url, code, serial):
    """The key for a one-time code. It comes once."""
    try:
        status, _, said = Server(url).ask(
            "/api/devices/claim/", {"code": code} | ({"serial": serial} if serial else {})
        )
    except OSError as error:
        raise Stopped(f"cannot reach {url}: {error}") from None
    if status != 201:
        raise Stopped(f"not paired ({status}): {said.get('detail', 'no answer of Silver Watch')}")
    return {"serial": said["serial"], "key": said["key"], "interval_s": said["interval_s"]}


def send(server, buffer, stop):
    """The sender: oldest first, again until the server has answered for each. Returns when a person is needed."""
    failures = 0
    while not stop.is_set():
        waiting = buffer.oldest()
        if not waiting:
            stop.wait(0.2)
            continue
        body = {"sent_at": now(), "firmware": FIRMWARE, "readings": [json.loads(item) for _, item in waiting]}
        if (percent := battery_percent()) is not None:
            body["battery"] = percent
        wait_s = min(2**failures, 60)
        try:
            status, headers, said = server.ask("/api/readings/", body)
        except OSError:
            status, headers, said = 0, {}, {}
        if status in (200, 422) and "rejected" in said:
            # 422 too: each was answered for, and what was refused is kept by the server.
            buffer.drop(waiting[-1][0])
            for item in said["rejected"]:
                print(f"rejected: {item['code']} {item['pointer']} {item['detail']}", flush=True)
            failures = 0
            continue
        if status in (400, 401, 403, 415):
            print(f"the server answers {status}: pair the device again", file=sys.stderr, flush=True)
            return
        told = headers.get("Retry-After", "")
        stop.wait(float(told) if told.isdigit() else wait_s)
        failures += 1


def run(server, buffer, state, *, count):
    """Measure at the server's interval; gives how many readings still wait."""
    stop, interval_s, asked_at, done = Event(), state["interval_s"], 0.0, 0
    sender = Thread(target=send, args=(server, buffer, stop), daemon=True)
    sender.start()
    due = time.monotonic()
    while sender.is_alive() and (count is None or done < count):
        if time.monotonic() - asked_at > ASK_EVERY_S:
            asked_at = time.monotonic()
            interval_s = settings(server).get("interval_s", interval_s)
        buffer.keep({"measured_at": now(), **measure()})
        done += 1
        due = max(due + interval_s, time.monotonic() - interval_s)
        time.sleep(max(due - time.monotonic(), 0))
    while sender.is_alive() and buffer.oldest():
        time.sleep(0.05)
    stop.set()
    return len(buffer.oldest())


def settings(server):
    """How the server wants the device to behave; empty while it is away."""
    try:
        status, _, said = server.ask("/api/devices/self/")
    except OSError:
        return {}
    return said if status == 200 else {}


def main():
    parser = argparse.ArgumentParser(description="A device for Silver Watch.")
    parser.add_argument("--url", required=True, help="address of the server")
    parser.add_argument("--code", help="one-time code of the pairing page")
    parser.add_argument("--serial", help="serial of a device that is not in the list yet")
    parser.add_argument("--folder", type=Path, default=Path(), help="where key and buffer are kept")
    parser.add_argument("--count", type=int, help="stop after so many readings, when all are sent")
    options = parser.parse_args()
    file = options.folder / "device.json"
    try:
        state = load(file)
        if options.code:
            state = pair(options.url, options.code, options.serial)
            save(file, state)
            print(f"paired as {state['serial']}", flush=True)
        if not state:
            raise Stopped("pair the device first: --code with the code of the pairing page")
        server = Server(options.url, state["key"])
        return 1 if run(server, Buffer(options.folder / "buffer.db"), state, count=options.count) else 0
    except (Stopped, OSError, ValueError) as error:
        print(f"device: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
