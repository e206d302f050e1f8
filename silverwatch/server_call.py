"""A kept connection to a Silver Watch server, for what speaks as a device: the simulator and the bridge."""

import http.client
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from silverwatch import clock

FIRST_BACKOFF_S: Final = 1.0
MAX_BACKOFF_S: Final = 60.0
MAX_RETRY_AFTER_S: Final = 3600.0

AWAY: Final = (OSError, http.client.HTTPException)
"""What `ServerCall.call` raises when the server cannot be reached or does not answer."""


class Answer(NamedTuple):
    """What the server said. `retry_after` is the header as it came."""

    status: int
    retry_after: str | None
    body: bytes


class ServerCall:
    """One connection with one bearer key, opened when needed. Belongs to one thread."""

    def __init__(self, base_url: str, key: str, *, timeout_s: float = 10.0) -> None:
        """Raises ValueError for a base_url that is not http(s)."""
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{base_url}: not an http or https address")
        self._https, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._path, self._key, self._timeout_s = parts.path.rstrip("/"), key, timeout_s
        self._connection: http.client.HTTPConnection | None = None

    def call(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """One answer; a kept connection that the server has closed meanwhile is opened anew once, unseen."""
        kept = self._connection is not None
        try:
            return self._call_once(method, path, body)
        except (ConnectionError, http.client.RemoteDisconnected, http.client.CannotSendRequest):
            self.close()
            if not kept:
                raise
            return self._call_once(method, path, body)
        except AWAY:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _call_once(self, method: str, path: str, body: bytes | None) -> Answer:
        if self._connection is None:
            self._connection = self._connect()
        headers = {"Authorization": f"Bearer {self._key}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        self._connection.request(method, self._path + path, body, headers)
        response = self._connection.getresponse()
        return Answer(response.status, response.getheader("Retry-After"), response.read())

    def _connect(self) -> http.client.HTTPConnection:
        kind: Any = http.client.HTTPConnection
        options: dict[str, Any] = {"timeout": self._timeout_s}
        if self._https:
            kind, options["context"] = http.client.HTTPSConnection, ssl.create_default_context()
        connection: http.client.HTTPConnection = kind(self._host, self._port, **options)
        return connection


def backoff_s(failures: int) -> float:
    """How long to wait after so many failures in a row, the last one not counted."""
    return float(min(FIRST_BACKOFF_S * 2 ** min(failures, 10), MAX_BACKOFF_S))


def rfc3339(moment: datetime) -> str:
    """UTC to the millisecond with Z; cut, not rounded, so that it never moves ahead."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def retry_after_s(header: str | None) -> float | None:
    """Seconds of a Retry-After header (a number or a date), 0 to an hour; None without or with a broken
    one."""
    if header is None:
        return None
    try:
        wait_s = float(header)
    except ValueError:
        try:
            wait_s = (parsedate_to_datetime(header) - clock.now()).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)
