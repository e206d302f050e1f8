"""Bytes to many browsers: a frame is encoded once and offered to each socket without ever waiting for one.

simple-websocket writes from its own thread too (pongs, pings, close), so the socket itself is wrapped: every
writer goes through one lock and one bounded buffer. A browser that does not read is dropped; it reconnects
and gets a snapshot.
"""

import contextlib
import json
import socket
import struct
import threading
from typing import Any, Final

from simple_websocket import ConnectionClosed, Server

PENDING_LIMIT: Final = 256 * 1024


def encode(text: str) -> bytes:
    """A WebSocket text frame (RFC 6455, server to client: not masked)."""
    data = text.encode()
    size = len(data)
    if size < 126:
        return bytes((0x81, size)) + data
    if size < 65536:
        return b"\x81\x7e" + struct.pack(">H", size) + data
    return b"\x81\x7f" + struct.pack(">Q", size) + data


def region_frame(dom_id: str, fragment: str) -> bytes:
    """The frame that morphs one element, as hx-ws of htmx 4 reads it."""
    return encode(json.dumps({"target": f"#{dom_id}", "swap": "outerMorph", "content": fragment}))


class OneWriter:
    """A socket whose `send` takes all bytes at once and never blocks: what does not fit waits in a buffer."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lock = threading.Lock()
        self._pending = bytearray()

    def send(self, data: bytes) -> int:
        """Take `data`; raises OSError when the peer has not read for too long."""
        with self._lock:
            self._pending += data
            self._push()
            if len(self._pending) > PENDING_LIMIT:
                raise OSError("the peer does not read")
        return len(data)

    def flush(self) -> None:
        """Try again what the peer did not take last time."""
        with self._lock:
            self._push()

    def _push(self) -> None:
        while self._pending:
            try:
                sent = self._sock.send(self._pending, socket.MSG_DONTWAIT)
            except (BlockingIOError, InterruptedError):
                return
            del self._pending[:sent]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Connection:
    """One open socket: remembers which version of each region it was sent, so that none goes backwards."""

    def __init__(self, ws: Server) -> None:
        self._ws = ws
        self._writer = OneWriter(ws.sock)
        ws.sock = self._writer
        self._lock = threading.Lock()
        self._versions: dict[str, int] = {}
        self.alive = True

    def offer(self, dom_id: str, *, version: int, frame: bytes) -> bool:
        """Send a region unless a newer reading of it was sent already; False when the socket is gone."""
        with self._lock:
            if self._versions.get(dom_id, -1) > version:
                return True
            self._versions[dom_id] = version
            return self.send(frame)

    def send(self, frame: bytes) -> bool:
        """Send a frame; False when the socket is gone."""
        try:
            self._writer.send(frame)
        except OSError:
            self.drop()
            return False
        return True

    def flush(self) -> None:
        """Push what is waiting."""
        try:
            self._writer.flush()
        except OSError:
            self.drop()

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye with a WebSocket close code."""
        self.alive = False
        with contextlib.suppress(ConnectionClosed, OSError):
            self._ws.close(code, reason)
        self._wake()

    def drop(self) -> None:
        """Give up on a peer that is gone or does not read."""
        self.alive = False
        with contextlib.suppress(OSError):
            self._writer.shutdown(socket.SHUT_RDWR)
        self._wake()

    def wait(self) -> None:
        """Hold the socket's thread until the peer or we hang up. What a browser says here is not listened to."""
        with contextlib.suppress(ConnectionClosed):
            while self.alive:
                self._ws.receive(timeout=30)

    def _wake(self) -> None:
        self._ws.event.set()
