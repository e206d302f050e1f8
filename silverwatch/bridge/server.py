"""The bridge's side of the ingest endpoint: a post is repeated until it is answered."""

import json
import logging
from threading import Event
from typing import Any, Final, NamedTuple

from silverwatch.bridge.errors import BridgeError
from silverwatch.server_call import AWAY, Answer, ServerCall, backoff_s, retry_after_s

log = logging.getLogger(__name__)

LEAST_WAIT_S: Final = 0.1
_REFUSED: Final = frozenset({401, 403})
_LATER: Final = frozenset({408, 429})


class Posted(NamedTuple):
    """What the server did with a post. `because` says why the post itself was refused, whole."""

    stored: int = 0
    duplicates: int = 0
    rejected: tuple[tuple[int, str], ...] = ()
    because: str = ""


class Server:
    """Posts with a gateway's key; belongs to one thread."""

    def __init__(self, url: str, key: str) -> None:
        """Raises BridgeError for an address that is none."""
        try:
            self._server = ServerCall(url, key)
        except ValueError as error:
            raise BridgeError(str(error)) from None
        self._url = url

    def gateway(self) -> tuple[str, dict[str, str]]:
        """The serial of the gateway, and the type of each device that its key speaks for, by serial.

        Raises BridgeError if the server is away, refuses the key, or the key is not a gateway's.
        """
        try:
            answer = self._server.call("GET", "/api/devices/self/")
        except AWAY as error:
            raise BridgeError(f"cannot reach {self._url} ({type(error).__name__}): check --url") from None
        _check_key(answer)
        try:
            about = json.loads(answer.body)
            serial, devices = str(about["serial"]), about["devices"]
            kinds = None if devices is None else {str(d["serial"]): str(d["kind"]) for d in devices}
        except (ValueError, KeyError, TypeError):
            raise BridgeError(
                f"{self._url} answers {answer.status}, and not as Silver Watch does: check --url"
            ) from None
        if kinds is None:
            raise BridgeError(f"the key is that of {serial} alone: give the bridge the key of a gateway")
        return serial, kinds

    def post(self, body: dict[str, Any], *, stop: Event) -> Posted | None:
        """Post until it is answered; None if `stop` is set before. Raises BridgeError if the key is refused."""
        sent, failures = json.dumps(body, allow_nan=False, separators=(",", ":")).encode(), 0
        while not stop.is_set():
            try:
                answer = self._server.call("POST", "/api/readings/", sent)
            except AWAY as error:
                wait_s, cause = backoff_s(failures), f"cannot reach the server ({type(error).__name__})"
            else:
                _check_key(answer)
                if (posted := _posted(answer)) is not None:
                    if failures:
                        log.info("the server is back")
                    return posted
                told = retry_after_s(answer.retry_after)
                wait_s, cause = (
                    backoff_s(failures) if told is None else told,
                    f"the server answers {answer.status}",
                )
            if not failures:
                log.warning("%s: the messages wait and are posted again", cause)
            failures += 1
            stop.wait(max(wait_s, LEAST_WAIT_S))
        return None

    def close(self) -> None:
        """Close the connection."""
        self._server.close()


def _check_key(answer: Answer) -> None:
    if answer.status in _REFUSED:
        raise BridgeError(
            f"the server refuses this key ({answer.status}): give the bridge the key of a gateway"
        )


def _posted(answer: Answer) -> Posted | None:
    """What the answer accounts for; None if the same post may be taken later."""
    if answer.status in {200, 422}:
        try:
            said = json.loads(answer.body)
            rejected = tuple((int(item["index"]), str(item["code"])) for item in said["rejected"])
            return Posted(int(said["stored"]), int(said["duplicates"]), rejected)
        except (ValueError, KeyError, TypeError):
            return None
    if answer.status in _LATER or answer.status >= 500 or answer.status < 400:
        return None
    return Posted(because=f"{answer.status} {answer.body[:200].decode(errors='replace')}")
