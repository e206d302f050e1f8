"""A receiver of webhooks and a mail server, each a program of its own that notes what arrives, a line of JSON each."""

import argparse
import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from aiosmtpd.controller import Controller

UP_WITHIN_S: Final = 20.0


class Receiver:
    """One of the two programs. `stop` kills it, `start` starts it again on the same port; `hang` only freezes it."""

    def __init__(self, kind: str, folder: Path, *, secrets: Path) -> None:
        self.kind, self.out = kind, folder / f"{kind}.jsonl"
        self.out.touch()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._secrets = secrets
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Wait until it listens."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.chain.receivers", self.kind, str(self.port), str(self.out),
             str(self._secrets)],
        )  # fmt: skip
        until = time.monotonic() + UP_WITHIN_S
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"the receiver {self.kind} does not start")

    def stop(self) -> None:
        """At once: nobody listens any more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        """It takes connections (the kernel does) and says nothing."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def arrived(self) -> list[dict[str, Any]]:
        """What has come, in order."""
        return [json.loads(line) for line in self.out.read_text().splitlines() if line.endswith("}")]


class _Book:
    """Appends a line for each arrival before it is answered."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")
        self._lock = threading.Lock()

    def note(self, **what: object) -> None:
        with self._lock:
            self._file.write(json.dumps({"at": time.time(), **what}) + "\n")
            self._file.flush()


def _webhooks(port: int, book: _Book, secrets: Path) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            key = base64.b64decode(json.loads(secrets.read_text()).get(self.path, ""))
            name, stamp = self.headers["webhook-id"], self.headers["webhook-timestamp"]
            mac = hmac.digest(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256)
            is_signed = self.headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()
            book.note(id=name, to=self.path, signed=is_signed, body=json.loads(body)["data"])
            self.send_response(204 if is_signed else 401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """It keeps no log."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.request_queue_size = 64
    server.serve_forever()


def _mails(port: int, book: _Book) -> None:
    class Office:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            letter = message_from_bytes(envelope.content)
            book.note(
                id=letter["Message-ID"].strip("<>").partition("@")[0],
                to=envelope.rcpt_tos[0],
                subject=letter["Subject"],
            )
            return "250 OK"

    Controller(Office(), hostname="127.0.0.1", port=port).start()
    threading.Event().wait()


def main() -> None:
    """The program itself."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["webhook", "email"])
    parser.add_argument("port", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("secrets", type=Path)
    options = parser.parse_args()
    book = _Book(options.out)
    if options.kind == "webhook":
        _webhooks(options.port, book, options.secrets)
    else:
        _mails(options.port, book)


if __name__ == "__main__":
    main()
