"""Companies that send SMS, a push server and a receiver of webhooks: real HTTP servers that speak their protocols."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


class Gateway:
    """Keeps what it takes. `mood`: ok, refuse (as the company says no), broken (500), hang."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.mood = "ok"
        self.taken: list[dict[str, Any]] = []
        self.asked = 0
        self.closing = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    gateway: Gateway

    def do_POST(self) -> None:
        gateway = self.gateway
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        gateway.asked += 1
        if gateway.mood == "hang":
            gateway.closing.wait(60)
            return
        if gateway.mood == "broken":
            self._answer(500, {"error": "out of order"})
            return
        self._answer(*self._speak(body))

    def _speak(self, body: bytes) -> tuple[int, dict[str, Any]]:
        if self.path.endswith("/version1/messaging"):
            return self._africas_talking(parse_qs(body.decode()))
        if self.path.endswith("/Messages.json"):
            return self._twilio(parse_qs(body.decode()))
        if "webhook-id" in self.headers:
            self.gateway.taken.append({"headers": dict(self.headers), "body": body, "path": self.path})
            return (410 if self.gateway.mood == "refuse" else 200), {}
        return self._ntfy(body)

    def _africas_talking(self, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        if self.headers.get("apiKey") != "key-of-the-site":
            return 401, {"error": "The supplied authentication is invalid"}
        refused = self.gateway.mood == "refuse"
        if not refused:
            self.gateway.taken.append(
                {"to": form["to"][0], "text": form["message"][0], "user": form["username"][0]}
            )
        one = {
            "statusCode": 403 if refused else 101, "number": form["to"][0], "cost": "KES 0.8000",
            "status": "InvalidPhoneNumber" if refused else "Success", "messageId": "ATXid_1",
        }  # fmt: skip
        return 201, {"SMSMessageData": {"Message": "Sent to 1/1 Total Cost: KES 0.8000", "Recipients": [one]}}

    def _twilio(self, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        sent = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if not sent.endswith(":" + "b" * 32):
            return 401, {"code": 20003, "message": "Authenticate"}
        if self.gateway.mood == "refuse":
            return 400, {"code": 21211, "message": "Invalid 'To' Phone Number"}
        self.gateway.taken.append({"to": form["To"][0], "text": form["Body"][0], "from": form["From"][0]})
        return 201, {"sid": "SM1", "status": "queued"}

    def _ntfy(self, body: bytes) -> tuple[int, dict[str, Any]]:
        if self.gateway.mood == "refuse":
            return 403, {"code": 40301, "http": 403, "error": "forbidden"}
        sent = json.loads(body) if body.startswith(b"{") else {"message": body.decode()}
        self.gateway.taken.append({**sent, "path": self.path, "token": self.headers.get("Authorization")})
        return 200, {"id": "x", "event": "message"}

    def _answer(self, status: int, said: dict[str, Any]) -> None:
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """It keeps no log."""


@contextmanager
def open_gateway() -> Iterator[Gateway]:
    """A gateway until the end of the block."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    gateway = Gateway(server.server_address[1])
    handler.gateway = gateway  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield gateway
    finally:
        gateway.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
