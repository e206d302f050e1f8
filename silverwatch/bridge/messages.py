"""What existing firmware publishes, in the words of the ingest endpoint. Pure.

`sensor/data` carries user_id, device_id, temperature, humidity, heart_rate, spo2, systolicBP and diastolicBP.
`user_id` is nothing to us: whom a device speaks about is known by its binding. Humidity is no vital sign.
`device/status/<id>` carries a word (online, offline), or an object with status, battery, signal and firmware.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

DATA: Final = "sensor/data"
STATUS: Final = "device/status/"
TOPICS: Final = (DATA, STATUS + "+")
VITALS: Final = {
    "heart_rate": "heart_rate",
    "spo2": "oxygen_saturation",
    "temperature": "temperature",
    "systolicBP": "systolic_bp",
    "diastolicBP": "diastolic_bp",
}
PRESSURES: Final = frozenset({"systolic_bp", "diastolic_bp"})
_ABOUT: Final = {
    "battery": "battery",
    "battery_level": "battery",
    "signal": "signal_dbm",
    "rssi": "signal_dbm",
}
_MAX_SERIAL: Final = 40
_MAX_KEPT: Final = 2_000


class BadMessageError(Exception):
    """This is not what the firmware is known to send; the text says why."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Types of devices whose blood pressure, or whose temperature, is not believed.

    Some firmware makes a pressure up from other values; some measures the room and calls it the temperature.
    """

    blood_pressure: Collection[str] = ()
    temperature: Collection[str] = ()

    def of(self, kind: str | None) -> frozenset[str]:
        """The vitals that are taken out of what such a device says."""
        pressure = PRESSURES if kind in self.blood_pressure else frozenset[str]()
        return pressure | ({"temperature"} if kind in self.temperature else frozenset[str]())


@dataclass(frozen=True, slots=True)
class Data:
    """A reading as the ingest endpoint takes it, but without a time where the message had none.

    `taken_out` are the vitals that its type is not believed.
    """

    item: dict[str, Any]
    taken_out: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Status:
    """What a device says about itself, as the fields of an envelope."""

    about: dict[str, Any]


def read(topic: str, payload: bytes, *, kinds: Mapping[str, str], refused: Refused) -> Data | Status:
    """The message; `kinds` is serial to type of device. Raises BadMessageError."""
    if topic == DATA:
        return _data(_object(payload), kinds=kinds, refused=refused)
    if topic.startswith(STATUS):
        return _status(_serial(topic.removeprefix(STATUS)), payload)
    raise BadMessageError("a topic that the bridge does not know")


def kept(topic: str, payload: bytes) -> dict[str, str]:
    """An item in which the server refuses a bad message and keeps its words in quarantine."""
    return {"mqtt_topic": topic[:200], "mqtt_payload": payload[:_MAX_KEPT].decode(errors="backslashreplace")}


def _data(sent: dict[str, Any], *, kinds: Mapping[str, str], refused: Refused) -> Data:
    serial = _serial(sent.get("device_id"))
    values = {}
    for said, name in VITALS.items():
        value = sent.get(said)
        if value is None:
            continue
        if type(value) is not int and type(value) is not float:
            raise BadMessageError(f"{said} is no number")
        values[name] = value
    if not values:
        raise BadMessageError("no vital sign in it")
    taken_out = refused.of(kinds.get(serial)) & values.keys()
    left = {name: value for name, value in values.items() if name not in taken_out}
    item: dict[str, Any] = {"device": serial, **left}
    # The server reads the time; one that it cannot read is refused and kept there.
    if sent.get("measured_at") is not None:
        item["measured_at"] = sent["measured_at"]
    return Data(item, taken_out)


def has_vitals(item: Mapping[str, Any]) -> bool:
    """Is anything left to be stored?"""
    return not item.keys() <= {"device", "measured_at"}


def _status(serial: str, payload: bytes) -> Status:
    text = payload.decode(errors="replace").strip()
    about: dict[str, Any] = {"device": serial}
    if text.startswith("{"):
        sent = _object(payload)
        for said, name in _ABOUT.items():
            if type(sent.get(said)) in (int, float):
                about[name] = sent[said]
        firmware = sent.get("firmware")
        if type(firmware) is str and len(firmware) <= 200:
            about["firmware"] = firmware
        text = str(sent.get("status", "online"))
    if text.casefold() not in {"online", "offline", "connected", "disconnected"}:
        raise BadMessageError("a status that is neither online nor offline")
    return Status(about if text.casefold() in {"online", "connected"} else {})


def _object(payload: bytes) -> dict[str, Any]:
    try:
        sent = json.loads(payload.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadMessageError("not JSON in UTF-8") from error
    if type(sent) is not dict:
        raise BadMessageError("not an object")
    return sent


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _serial(said: Any) -> str:
    serial = str(said) if type(said) is int else said
    if type(serial) is not str or not 1 <= len(serial) <= _MAX_SERIAL or not serial.isprintable():
        raise BadMessageError("no device_id")
    return serial
