"""Load from one thread: many keep-alive connections, bodies made beforehand, nothing but sockets and a selector."""

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Done:
    """What came back. `own_cpu_s`: what making the load itself took."""

    took_s: float = 0.0
    answered: int = 0
    refused: int = 0
    first_refusal: bytes = b""
    latencies_s: list[float] = field(default_factory=list)
    own_cpu_s: float = 0.0


def post(path: str, body: bytes, *, key: str) -> bytes:
    """A whole request."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def drive(port: int, requests: Iterator[bytes], *, clients: int, seconds: float) -> Done:
    """Send the requests over `clients` connections, each waiting for its answer, until the time is over."""
    done, began_cpu = Done(), time.process_time()
    with selectors.DefaultSelector() as selector:
        for _ in range(clients):
            selector.register(_open(port), selectors.EVENT_READ, _Waiting())
        began = time.perf_counter()
        until, open_ = began + seconds, clients
        for key in list(selector.get_map().values()):
            _send(key, requests)
        while open_:
            for key, _ in selector.select(timeout=5) or _nothing():
                if not _read(key, done):
                    continue
                if time.perf_counter() < until:
                    _send(key, requests)
                else:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]
                    open_ -= 1
        done.took_s = time.perf_counter() - began
    done.own_cpu_s = time.process_time() - began_cpu
    return done


@dataclass(slots=True)
class _Waiting:
    sent_at: float = 0.0
    answer: bytes = b""


def _nothing() -> list[tuple[selectors.SelectorKey, int]]:
    raise RuntimeError("no answer within 5 s")


def _open(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _send(key: selectors.SelectorKey, requests: Iterator[bytes]) -> None:
    request = next(requests)
    key.data.sent_at, key.data.answer = time.perf_counter(), b""
    key.fileobj.sendall(request)  # type: ignore[union-attr]


def _read(key: selectors.SelectorKey, done: Done) -> bool:
    """Take what has come; is the answer complete?"""
    part = key.fileobj.recv(65536)  # type: ignore[union-attr]
    if not part:
        raise RuntimeError("the server hung up")
    key.data.answer += part
    if not _length(key.data.answer):
        return False
    done.latencies_s.append(time.perf_counter() - key.data.sent_at)
    if key.data.answer.startswith(b"HTTP/1.1 200"):
        done.answered += 1
    else:
        done.refused += 1
        done.first_refusal = done.first_refusal or key.data.answer[:400]
    return True


def _length(received: bytes) -> int:
    """The octets of the first answer in there, 0 if it is not whole yet."""
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return 0
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    return len(head) + 4 + length if len(body) >= length else 0


class Device:
    """One keep-alive connection that does not wait for its answers: they are read away before the next post."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sock: socket.socket | None = None
        self._unread = 0

    def send(self, request: bytes) -> None:
        """Post; raises RuntimeError when the answer before was not 200."""
        if self._sock is None:
            self._sock = _open(self._port)
        self._read()
        self._sock.sendall(request)
        self._unread += 1

    def _read(self) -> None:
        received = b""
        while self._unread and self._sock:
            received += self._sock.recv(65536)
            while length := _length(received):
                if not received.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(f"refused: {received[:1200]!r}")
                received = received[length:]
                self._unread -= 1

    def close(self) -> None:
        """Hang up after the last answer."""
        if self._sock:
            self._read()
            self._sock.close()
