"""A small real HTTP server that answers posts as told and keeps what it took, once each."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any


class IngestServer(ThreadingHTTPServer):
    """`answers` are used up first, one a post: (status, headers) or "lost" (taken, but the answer never comes)."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        super().__init__(address, Handler)
        self.answers: list[tuple[int, dict[str, str]] | str] = []
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.taken: dict[tuple[str, str], dict[str, Any]] = {}
        self.connections = 0
        self.lock = Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def take(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            stored = duplicates = 0
            for item in body["readings"] + body.get("events", []):
                name = (key + item.get("device", ""), item.get("measured_at") or item["at"] + item["kind"])
                stored, duplicates = stored + (name not in self.taken), duplicates + (name in self.taken)
                self.taken[name] = item
            return {"stored": stored, "duplicates": duplicates, "rejected": []}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: IngestServer

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections += 1

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == "/api/readings/"
        with self.server.lock:
            self.server.bodies.append(body)
            self.server.keys.append(self.headers["Authorization"])
            answer = self.server.answers.pop(0) if self.server.answers else (200, {})
        if answer == "lost":
            self.server.take(self.headers["Authorization"], body)
            self.close_connection = True
            return
        status, headers = answer
        self.say(
            status, headers, self.server.take(self.headers["Authorization"], body) if status == 200 else {}
        )

    def say(self, status: int, headers: dict[str, str], content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving(server: IngestServer) -> Iterator[IngestServer]:
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
