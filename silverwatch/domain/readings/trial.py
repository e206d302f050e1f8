"""A post that is tried and not kept: what would become of it if this device sent it now."""

from datetime import datetime
from typing import Any, Final

import msgspec
from psycopg import Cursor

from silverwatch.domain.devices.models import Device
from silverwatch.domain.devices.queries import ForeignDeviceError, Speaker
from silverwatch.domain.errors import DomainError
from silverwatch.domain.readings.intake import Batch, Outcome
from silverwatch.domain.readings.service import UnpreparedError, store_readings

MOST_ITEMS: Final = 50
MOST_TEXT: Final = 20_000


def read(text: str) -> Batch:
    """A reading, or an object with readings and events, as a device would send it; raises DomainError."""
    if len(text) > MOST_TEXT:
        raise DomainError(f"Enter at most {MOST_TEXT} characters.")
    try:
        sent: Any = msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        raise DomainError("This is not JSON. Copy what the device sends.") from error
    if type(sent) is not dict:
        raise DomainError("Enter an object, as the device sends it.")
    readings = sent.get("readings", [] if "events" in sent else [sent])
    events = sent.get("events", [])
    if type(readings) is not list or type(events) is not list or len(readings) + len(events) > MOST_ITEMS:
        raise DomainError(f"Enter at most {MOST_ITEMS} readings and events in lists.")
    return Batch(items=readings, events=events, raw=lambda _place, _index: "")


def speaker_of(device: Device) -> Speaker:
    """The device, as if it had shown its key."""
    return Speaker(device.id, device.serial, device.interval_s, None, None, device.is_gateway, device.ward_id)


def attempt(cur: Cursor[Any], speaker: Speaker, batch: Batch, *, now: datetime) -> Outcome:
    """What would become of it; afterwards nothing is stored, nobody is judged. Raises DomainError."""
    try:
        with cur.connection.transaction(force_rollback=True):
            return store_readings(cur, speaker, present=None, batch=batch, received_at=now, careful=True)
    except UnpreparedError as error:
        raise DomainError("There is no room prepared for readings.") from error
    except ForeignDeviceError as error:
        raise DomainError(str(error)) from error
