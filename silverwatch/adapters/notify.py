"""SMS, push and webhooks: the only place that knows their gateways. Calls go to hosts that an administrator set up.

No redirect is followed, and an attempt ends in time however slowly the other side drips: whoever waits for it holds
up the notices behind it.
"""

import base64
import hashlib
import hmac
import json
import logging
import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, cast
from urllib.parse import urlsplit
from uuid import UUID

from silverwatch.adapters import outbound

TIMEOUT_S: Final = 5.0
CONNECT_S: Final = 2.0
READ_S: Final = 3.0
SMS_LENGTH: Final = 160
"""One SMS: an alarm that comes in two parts, out of order, is none."""

SmsKind = Literal["africas_talking", "twilio"]


class NotTakenError(Exception):
    """It was not taken now; `for_good`: it never will be. The message is a sentence for the administrator."""

    def __init__(self, message: str, *, for_good: bool = False) -> None:
        super().__init__(message)
        self.for_good = for_good


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsGateway:
    """An account with a company that sends SMS. `sender`: the number or name it sends from.

    `url`: where its API is, empty for the company's own address.
    """

    kind: SmsKind
    user: str
    secret: str
    sender: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushServer:
    """An ntfy server, `url` like https://ntfy.hospital.example; `token` where it wants one."""

    url: str
    token: str = ""


def send_sms(gateway: SmsGateway, *, to: str, text: str) -> None:
    """Send one SMS; raises NotTakenError."""
    _call(lambda: _sms_plugin(gateway, to), text[:SMS_LENGTH], host=gateway.kind.replace("_", " "))


def send_push(server: PushServer, *, topic: str, title: str, text: str, urgent: bool) -> None:
    """Push to everybody who listens to the topic; raises NotTakenError."""

    def plugin() -> Any:
        from apprise.plugins import ntfy

        parts, kind = urlsplit(server.url), cast(Any, ntfy.NotifyNtfy)
        return kind(
            targets=[topic], mode="private", host=parts.hostname, port=parts.port,
            secure=parts.scheme == "https", priority="max" if urgent else "default", include_image=False,
            **({"token": server.token, "auth": "token"} if server.token else {}), **_times(),
        )  # fmt: skip

    _call(plugin, text, title=title, host=urlsplit(server.url).hostname or "the push server")


def call_webhook(
    url: str, *, hosts: Iterable[str], secret: bytes, message_id: UUID, at: datetime, body: dict[str, Any]
) -> None:
    """POST signed JSON as Standard Webhooks say; raises NotTakenError. Only to hosts of the list."""
    content = json.dumps(body, separators=(",", ":")).encode()
    stamp = str(int(at.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "webhook-id": str(message_id),
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + sign(secret, f"{message_id}.{stamp}.".encode() + content),
    }
    try:
        answer = outbound.post(
            url, body=content, headers=headers, timeout_s=TIMEOUT_S, rules=rules_for(hosts)
        )
    except outbound.OutboundError as error:
        raise NotTakenError(str(error)) from error
    if not 200 <= answer.status < 300:
        # 410 is how a receiver says that it wants no more of them.
        raise NotTakenError(f"The receiver answered {answer.status}.", for_good=answer.status == 410)


def sign(secret: bytes, text: bytes) -> str:
    """The signature of Standard Webhooks, in base64."""
    return base64.b64encode(hmac.digest(secret, text, hashlib.sha256)).decode()


def rules_for(hosts: Iterable[str]) -> outbound.Rules:
    """Where webhooks may go."""
    return outbound.fixed(hosts)


def _sms_plugin(gateway: SmsGateway, to: str) -> Any:
    if gateway.kind == "twilio":
        from apprise.plugins import twilio

        made = cast(Any, twilio.NotifyTwilio)(
            account_sid=gateway.user,
            auth_token=gateway.secret,
            source=gateway.sender,
            targets=[to],
            **_times(),
        )
        if gateway.url:
            made.notify_sms_url = gateway.url.rstrip("/") + "/2010-04-01/Accounts/{sid}/Messages.json"
        return made
    from apprise.plugins import africas_talking

    made = cast(Any, africas_talking.NotifyAfricasTalking)(
        appuser=gateway.user, apikey=gateway.secret, sender=gateway.sender or None, targets=[to], **_times()
    )
    if gateway.url:
        made.notify_url = dict.fromkeys(made.notify_url, gateway.url.rstrip("/") + "/version1/messaging")
    return made


def _times() -> dict[str, Any]:
    return {"cto": CONNECT_S, "rto": READ_S, "redirect": False, "format": "text", "overflow": "truncate"}


def _call(make: Callable[[], Any], text: str, *, host: str, title: str = "") -> None:
    """Let a plugin send within the time; what it writes to its log is the reason why not."""
    done: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def work() -> None:
        with _Said() as said:
            try:
                taken = make().send(body=text, title=title)
            except Exception as error:
                done.put(f"{type(error).__name__}: {said.last or error}")
            else:
                done.put(None if taken else said.last or f"{host} did not take it.")

    # A reader of its own that nobody waits for too long: each answer may drip for ever.
    threading.Thread(target=work, name="notify", daemon=True).start()
    try:
        problem = done.get(timeout=TIMEOUT_S)
    except queue.Empty:
        raise NotTakenError(f"{host} did not answer within {TIMEOUT_S:g} seconds.") from None
    if problem is not None:
        raise NotTakenError(problem)


class _Said(logging.Handler):
    """Keeps the last warning of the library that this thread made, and keeps it out of the log: it may name numbers."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.last = record.getMessage()

    def __enter__(self) -> "_Said":
        logger = logging.getLogger("apprise")
        logger.addHandler(self)
        logger.propagate = False
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("apprise").removeHandler(self)
