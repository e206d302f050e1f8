"""The form of a device as it is written, read and checked."""

from dataclasses import dataclass, field
from math import isfinite
from uuid import UUID

from werkzeug.datastructures import MultiDict

from silverwatch.domain.devices import registry
from silverwatch.domain.devices.models import Device
from silverwatch.domain.devices.registry import MAX_LOCATION, MAX_SERIAL, Setting
from silverwatch.web import fields

Sent = MultiDict[str, str]
STORE = "store"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceForm:
    """What was written. `ward` is an id or "store"; without `device_id` it is a new device."""

    device_id: UUID | None = None
    serial: str = ""
    kind: str = ""
    ward: str = STORE
    location: str = ""
    interval_s: str = ""
    sensitivity: str = "normal"
    sample_rate_hz: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def read(sent: Sent, *, device_id: UUID | None = None, serial: str | None = None) -> DeviceForm:
    """The form as it was sent; a device that is there keeps its serial number."""
    return DeviceForm(
        device_id=device_id,
        serial=fields.line(sent, "serial", most=MAX_SERIAL) if serial is None else serial,
        kind=fields.line(sent, "kind", most=40),
        ward=fields.line(sent, "ward", most=40),
        location=fields.line(sent, "location", most=MAX_LOCATION),
        interval_s=fields.line(sent, "interval_s", most=12),
        sensitivity=fields.line(sent, "sensitivity", most=12),
        sample_rate_hz=fields.line(sent, "sample_rate_hz", most=12),
    )


def of(device: Device) -> DeviceForm:
    """The form that says how a device is set now."""
    return DeviceForm(
        device_id=device.id,
        serial=device.serial,
        kind=device.kind,
        ward=str(device.ward_id) if device.ward_id else STORE,
        location=device.location,
        interval_s=f"{device.interval_s:g}",
        sensitivity=device.sensitivity,
        sample_rate_hz=f"{device.sample_rate_hz:g}" if device.sample_rate_hz else "",
    )


def setting(form: DeviceForm) -> Setting | None:
    """What the form asks for; None with its errors filled in."""
    if not 1 <= len(form.serial) <= MAX_SERIAL:
        form.errors["serial"] = f"Enter a serial number of at most {MAX_SERIAL} characters."
    ward_id = None if form.ward == STORE else fields.identity(form.ward)
    if form.ward != STORE and ward_id is None:
        form.errors["ward"] = "Choose one of your wards, or the store."
    interval_s, rate = number(form.interval_s), number(form.sample_rate_hz)
    if form.sample_rate_hz and rate is None:
        form.errors["sample_rate_hz"] = "Enter a sample rate of 0.01 to 10000 Hz, or nothing."
    wanted = Setting(
        kind=form.kind,
        ward_id=ward_id,
        location=form.location,
        interval_s=interval_s or 0,
        sensitivity=form.sensitivity,
        sample_rate_hz=rate,
    )
    form.errors.update(registry.problems(wanted))
    return None if form.errors else wanted


def number(written: str) -> float | None:
    """A number, written with point or comma; None for what is none."""
    try:
        found = float(written.strip().replace(",", "."))
    except ValueError:
        return None
    return found if isfinite(found) else None
