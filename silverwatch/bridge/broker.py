"""The bridge's side of the MQTT broker: what comes in, and what may be acknowledged.

The session outlives the connection: what was not acknowledged comes again, with its packet id and marked as a
duplicate, so that it is known again and keeps the time at which it came first.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from queue import SimpleQueue
from threading import Event, Lock
from typing import Any, Final
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from silverwatch import clock
from silverwatch.bridge.errors import BridgeError
from silverwatch.bridge.messages import TOPICS

log = logging.getLogger(__name__)

AT_ONCE: Final = 10_000
"""So many messages may be on their way to the server before the broker holds the next ones back."""
_ANSWERED_WITHIN_S: Final = 10.0
_KEEPALIVE_S: Final = 20
_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}

_Name = tuple[int, str, bytes]


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came. `session` tells which of the broker's sessions its packet id belongs to."""

    topic: str
    payload: bytes
    at: datetime
    mid: int
    qos: int
    session: int

    @property
    def name(self) -> _Name:
        """What it is known by when the broker sends it again."""
        return self.mid, self.topic, self.payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the broker is and who asks. `session_s`: how long it keeps messages while the bridge is away."""

    url: str
    client_id: str
    username: str | None = None
    password: str | None = None
    ca_file: str | None = None
    session_s: int = 300


class Broker:
    """A subscription to the topics of the firmware. `received` is filled by a thread of paho's."""

    def __init__(self, address: Address, *, on_retained: Callable[[], None]) -> None:
        """Raises BridgeError for an address that is none."""
        parts = urlsplit(address.url)
        try:
            port = parts.port or _PORTS[parts.scheme]
        except (KeyError, ValueError):
            port = 0
        if not port or not parts.hostname:
            raise BridgeError(f"{address.url}: not an address like mqtt://host:1883 or mqtts://host")
        self.received: SimpleQueue[Received] = SimpleQueue()
        self._address, self._host, self._port = address, parts.hostname, port
        self._on_retained = on_retained
        self._lock = Lock()
        self._session = 0
        self._waiting: set[_Name] = set()
        self._answered: OrderedDict[_Name, None] = OrderedDict()
        self._told, self._is_up, self._problem = Event(), False, ""
        self._client = self._make_client(tls=parts.scheme == "mqtts")

    def open(self) -> None:
        """Connect and subscribe; from then on it reconnects by itself. Raises BridgeError if it cannot."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._address.session_s
        properties.ReceiveMaximum = AT_ONCE
        try:
            self._client.connect(
                self._host, self._port, _KEEPALIVE_S, clean_start=False, properties=properties
            )
        except (OSError, ValueError) as error:
            raise BridgeError(f"cannot reach the broker {self._address.url}: {error}") from None
        self._client.loop_start()
        self._told.wait(_ANSWERED_WITHIN_S)
        if not self._is_up:
            self.close()
            raise BridgeError(f"the broker {self._address.url}: {self._problem or 'does not answer'}")

    def acknowledge(self, message: Received) -> None:
        """The message has been answered for: the broker may forget it."""
        with self._lock:
            self._waiting.discard(message.name)
            if message.qos == 0:
                return
            if message.session != self._session:
                # Its packet id may be another message's by now. In that session nobody knows this one.
                return
            self._answered[message.name] = None
            while len(self._answered) > 2 * AT_ONCE:
                self._answered.popitem(last=False)
        self._client.ack(message.mid, message.qos)

    def close(self) -> None:
        """Leave; the broker keeps the session for a while."""
        self._client.disconnect()
        self._client.loop_stop()

    def _make_client(self, *, tls: bool) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._address.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        if self._address.username:
            client.username_pw_set(self._address.username, self._address.password)
        if tls:
            try:
                client.tls_set(ca_certs=self._address.ca_file)
            except (OSError, ValueError) as error:
                raise BridgeError(f"the certificates of {self._address.ca_file}: {error}") from None
        client.reconnect_delay_set(1, 30)
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_subscribe, client.on_message = self._subscribed, self._message
        return client

    def _connected(self, client: Client, _: Any, flags: Any, reason: ReasonCode, __: Any) -> None:
        if reason.is_failure:
            self._say(f"refuses the bridge: {reason}")
            return
        if not flags.session_present:
            with self._lock:
                self._session += 1
                self._waiting.clear()
                self._answered.clear()
            if self._is_up:
                log.warning("the broker has begun a new session: what came meanwhile was not kept for us")
        client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in TOPICS])

    def _disconnected(self, _: Client, __: Any, ___: Any, reason: ReasonCode, ____: Any) -> None:
        if reason.is_failure and self._is_up:
            log.warning("the broker is away (%s): connecting again", reason)

    def _subscribed(self, _: Client, __: Any, ___: int, reasons: list[ReasonCode], ____: Any) -> None:
        failed = [str(reason) for reason in reasons if reason.is_failure]
        if failed:
            self._say(f"does not give {', '.join(TOPICS)}: {failed[0]}")
            return
        log.info("subscribed to %s", ", ".join(TOPICS))
        self._is_up = True
        self._told.set()

    def _message(self, client: Client, _: Any, message: MQTTMessage) -> None:
        received = Received(
            message.topic, bytes(message.payload), clock.now(), message.mid, message.qos, self._session
        )
        if message.retain:
            # Nobody knows how old it is.
            self._on_retained()
            client.ack(message.mid, message.qos)
            return
        with self._lock:
            if message.dup and received.name in self._answered:
                client.ack(message.mid, message.qos)
                return
            if message.dup and received.name in self._waiting:
                return
            if message.qos:
                self._answered.pop(received.name, None)
                self._waiting.add(received.name)
        self.received.put(received)

    def _say(self, problem: str) -> None:
        if self._is_up:
            log.error("the broker %s", problem)
        else:
            self._problem = problem
            self._told.set()
