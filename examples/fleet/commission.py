#!/usr/bin/env python3
"""From a CSV file to devices that send: what a technician does in the browser, for many devices in one go.

    SILVERWATCH_PASSWORD=... python3 commission.py --url https://ward.hospital.example --email me@hospital.example \\
        --csv devices.csv --labels labels.pdf --keys keys.json

It signs in, shows the file to Silver Watch and adds its rows, fetches the sheet of labels, makes a code on the page of
each device, gives the code to the device (which gets its key), sends a first reading, and looks whether the panel
says so. It uses only what a browser and a device use. In a hospital the devices claim their own keys: `Device` below is
where your provisioning station talks to them.
"""

import argparse
import csv
import html
import http.cookiejar
import io
import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timezone
from pathlib import Path


class Failed(Exception):
    """Something did not go as it should; the text says what."""


class Browser:
    """Pages and forms of somebody who is signed in."""

    def __init__(self, url):
        self.url = url.rstrip("/")
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._open = urllib.request.build_opener(cookies).open
        self._token = ""

    def page(self, path, fields=None):
        """The page after the redirects, and its address; a form is sent where fields are given."""
        data = None
        if fields is not None:
            data = urllib.parse.urlencode({"csrf_token": self._token, **fields}).encode()
        try:
            with self._open(urllib.request.Request(self.url + path, data), timeout=60) as answer:
                body, where = answer.read(), urllib.parse.urlsplit(answer.url).path
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            said = re.findall(r'class="error"[^>]*>([^<]+)', text) or re.findall(r"<h1[^>]*>([^<]+)", text)
            raise Failed(f"{path}: {error.code} {html.unescape('; '.join(said[:3]))}") from None
        found = re.search(rb'name="csrf_token" value="([^"]+)"', body)
        if found:
            self._token = found[1].decode()
        return body, where

    def sign_in(self, email, password):
        self.page("/login")
        _, where = self.page("/login", {"email": email, "password": password})
        if where.startswith("/login"):
            raise Failed("the sign-in asks for more: use an account without a second factor for this run")


class Device:
    """What a device does: it gets its key for a code, and sends."""

    def __init__(self, url, serial):
        self.url, self.serial, self.key = url.rstrip("/"), serial, None

    def _post(self, path, body):
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = "Bearer " + self.key
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise Failed(
                    f"{self.serial}: {error.code} {error.read(300).decode(errors='replace')}"
                ) from None

    def claim(self, code):
        self.key = self._post("/api/devices/claim/", {"code": code, "serial": self.serial})["key"]

    def send(self):
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        return self._post("/api/readings/", {"readings": [{"measured_at": now, "heart_rate": 72}]})


def add(browser, text):
    """Show the file, then add it: nothing is stored while a row is refused."""
    browser.page("/devices/import", {"text": text})
    browser.page("/devices/import", {"text": text, "confirmed": "yes"})


def address_of(browser, serial):
    """The page of a device, as the list of devices links it."""
    listed, _ = browser.page("/devices?" + urllib.parse.urlencode({"q": serial}))
    for path, name in re.findall(r'href="(/devices/[0-9a-f-]{36})">([^<]+)</a>', listed.decode()):
        if html.unescape(name) == serial:
            return path
    raise Failed(f"{serial} is not in the list of devices")


def connect(browser, serial):
    """Pair one device and send its first reading; gives its page and key."""
    path, device = address_of(browser, serial), Device(browser.url, serial)
    panel, where = browser.page(f"{path}/pairing", None)
    panel, where = browser.page(f"{path}/pairing", {})
    code = re.search(rb'aria-label="([2-9A-HJKMNP-Z]{3}-[2-9A-HJKMNP-Z]{3})"', panel)
    if not code:
        raise Failed(f"{serial}: the panel shows no code")
    device.claim(code[1].decode())
    device.send()
    panel, _ = browser.page(where)
    if b'data-state="connected"' not in panel:
        raise Failed(f"{serial}: the panel does not say that it is connected")
    return path, device.key


def main():
    parser = argparse.ArgumentParser(description="From a CSV file to devices that send.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--email", required=True, help="a technician; the password is SILVERWATCH_PASSWORD")
    parser.add_argument("--csv", type=Path, required=True, help="as /devices/import takes it")
    parser.add_argument("--labels", type=Path, required=True, help="where the sheet of labels goes")
    parser.add_argument(
        "--keys", type=Path, required=True, help="where serials and keys go; for your eyes only"
    )
    options = parser.parse_args()
    keys = {}
    try:
        text = options.csv.read_text("utf-8-sig")
        serials = [row["serial"] for row in csv.DictReader(io.StringIO(text))]
        browser = Browser(options.url)
        browser.sign_in(options.email, os.environ.get("SILVERWATCH_PASSWORD", ""))
        add(browser, text)
        print(f"{len(serials)} devices added", flush=True)
        first, last = min(serials), max(serials)
        shared = next(first[:end] for end in range(len(first), -1, -1) if last.startswith(first[:end]))
        labels, _ = browser.page("/devices/labels.pdf?" + urllib.parse.urlencode({"q": shared}))
        options.labels.write_bytes(labels)
        print(f"labels of {shared}... in {options.labels}", flush=True)
        for serial in serials:
            path, keys[serial] = connect(browser, serial)
            print(f"{serial} is connected: {options.url.rstrip('/')}{path}", flush=True)
    except (Failed, OSError, KeyError, IndexError, ValueError) as error:
        print(f"commission: {error}", file=sys.stderr)
        return 1
    finally:
        if keys:
            with os.fdopen(os.open(options.keys, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(keys, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
