"""Browsers without a browser: many sockets with live regions in one process, which notes when an alert first shows."""

import base64
import http.cookiejar
import multiprocessing
import os
import re
import selectors
import socket
import struct
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Final
from uuid import UUID

_TOKEN: Final = re.compile(r'name="csrf_token" value="([^"]+)"')
_LIVE: Final = re.compile(r'/ws/live/\?[^"]+')
_ALERT: Final = re.compile(rb"/alerts/([0-9a-f]{8}-[0-9a-f-]{27})/")
PING: Final = 9
CLOSE: Final = 8


def browser(base_url: str, *, email: str, password: str) -> urllib.request.OpenerDirector:
    """Signed in, with its cookie."""
    jar = http.cookiejar.CookieJar()
    opened = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    found = _TOKEN.search(opened.open(f"{base_url}/login").read().decode())
    fields = {"csrf_token": found[1] if found else "", "email": email, "password": password}
    opened.open(f"{base_url}/login", urllib.parse.urlencode(fields).encode()).read()
    opened.cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)  # type: ignore[attr-defined]
    return opened


def live_address(page: str) -> str:
    """The address of a page's socket, as the page itself says it."""
    found = _LIVE.search(page)
    if not found:
        raise RuntimeError("the page has no live address")
    return found[0].replace("&amp;", "&")


@dataclass(slots=True)
class Screen:
    """One socket: what is left of its last read, and when each alert first came."""

    sock: socket.socket
    rest: bytearray = field(default_factory=bytearray)
    first: dict[str, float] = field(default_factory=dict)
    frames: int = 0
    octets: int = 0


@dataclass(slots=True, kw_only=True)
class Seen:
    """What the screens of all wards saw: for each screen its ward's number and alert id -> time.time()."""

    screens: list[tuple[int, dict[str, float]]]
    frames: int
    octets: int
    own_cpu_s: float
    hung_up: int
    opened_in_s: float = 0.0


class Watchers:
    """`screens` sockets in a process of their own, spread evenly over the addresses.

    Made when each has been sent all its regions, which took `opened_in_s` for all together.
    """

    def __init__(self, base_url: str, addresses: Sequence[str], *, screens: int, cookie: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_watch, args=(theirs, base_url, list(addresses), screens, cookie), daemon=True
        )
        self._process.start()
        began = time.monotonic()
        if not self._pipe.poll(120) or self._pipe.recv() != "ready":
            raise RuntimeError("the screens do not open")
        self.opened_in_s = time.monotonic() - began

    def stop(self) -> Seen:
        """Close them; what they saw."""
        self._pipe.send("stop")
        if not self._pipe.poll(60):
            raise RuntimeError("the screens do not answer")
        seen: Seen = self._pipe.recv()
        seen.opened_in_s = self.opened_in_s
        self._process.join(10)
        return seen


def _watch(
    pipe: "Connection[Any, Any]", base_url: str, addresses: list[str], screens: int, cookie: str
) -> None:
    opened = [
        (n % len(addresses), Screen(_open(base_url, addresses[n % len(addresses)], cookie)))
        for n in range(screens)
    ]
    hung_up, regions = 0, min(address.count("r=") for address in addresses)
    with selectors.DefaultSelector() as selector:
        for _, screen in opened:
            selector.register(screen.sock, selectors.EVENT_READ, screen)
        is_ready = False
        while not pipe.poll():
            for key, _ in selector.select(timeout=0.05):
                if not _read(key.data):
                    selector.unregister(key.fileobj)
                    hung_up += 1
            if not is_ready and all(screen.frames >= regions for _, screen in opened):
                is_ready = True
                pipe.send("ready")
    pipe.send(
        Seen(
            screens=[(ward, screen.first) for ward, screen in opened],
            frames=sum(screen.frames for _, screen in opened),
            octets=sum(screen.octets for _, screen in opened),
            own_cpu_s=time.process_time(),
            hung_up=hung_up,
        )
    )
    for _, screen in opened:
        screen.sock.close()


def _open(base_url: str, address: str, cookie: str) -> socket.socket:
    host, _, port = base_url.removeprefix("http://").partition(":")
    sock = socket.create_connection((host, int(port)), timeout=10)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(
        (
            f"GET {address} HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {base_url}\r\nCookie: {cookie}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n"
        ).encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        head += sock.recv(1)
    if not head.startswith(b"HTTP/1.1 101"):
        raise RuntimeError(f"no socket: {head[:200]!r}")
    return sock


def _read(screen: Screen) -> bool:
    """Take what has come, note new alerts, answer pings; False when the server hung up."""
    part = screen.sock.recv(1 << 20)
    now = time.time()
    screen.rest += part
    screen.octets += len(part)
    while (frame := _frame(screen.rest)) is not None:
        code, data = frame
        screen.frames += 1
        if code == PING:
            screen.sock.sendall(bytes((0x8A, 0x80 | len(data))) + b"\0\0\0\0" + data)
        elif code == CLOSE:
            return False
        elif b"/alerts/" in data:
            for found in _ALERT.findall(data):
                screen.first.setdefault(found.decode(), now)
    return bool(part)


def _frame(rest: bytearray) -> tuple[int, bytes] | None:
    """Cut the first whole frame off; a server does not mask."""
    if len(rest) < 2:
        return None
    size, begin = rest[1] & 0x7F, 2
    if size == 126:
        begin = 4
    elif size == 127:
        begin = 10
    if len(rest) < begin:
        return None
    if begin > 2:
        size = struct.unpack(">H" if begin == 4 else ">Q", rest[2:begin])[0]
    if len(rest) < begin + size:
        return None
    code, data = rest[0] & 0x0F, bytes(rest[begin : begin + size])
    del rest[: begin + size]
    return code, data


def shown_at(seen: Seen, alert_id: UUID, *, ward: int) -> list[float | None]:
    """When each screen of that ward first showed the alert."""
    return [first.get(str(alert_id)) for number, first in seen.screens if number == ward]
