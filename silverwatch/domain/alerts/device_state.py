"""Pure: the one word for how a device does, by the clock. The order of the words is that of the fleet: worst first."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from silverwatch.domain.alerts.silence import BATTERY_LOW, late_at, silent_at


class DeviceState(StrEnum):
    """How a device does. `READY`: nobody wears it and it is not expected to send."""

    OFFLINE = "offline"
    LATE = "late"
    LOW_BATTERY = "low-battery"
    CHECK_DUE = "check-due"
    NEW = "new"
    PAUSED = "paused"
    ONLINE = "online"
    READY = "ready"
    RETIRED = "retired"


ORDER: tuple[DeviceState, ...] = tuple(DeviceState)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFacts:
    """What the state comes from. `heard_at`: its newest reading; of a gateway, and of what nobody wears, its newest
    post. `bound_at`: since when somebody wears it, None for nobody. `is_paused`: who wears it is on standby.
    `check_due_at`: when its first check that is not done yet is due.
    """

    interval_s: float
    is_gateway: bool = False
    heard_at: datetime | None = None
    bound_at: datetime | None = None
    battery: int | None = None
    is_paused: bool = False
    check_due_at: datetime | None = None
    retired_at: datetime | None = None


def state_of(device: DeviceFacts, *, now: datetime) -> DeviceState:
    """The worst that is true of it. A device that nobody wears may be silent: it lies in the store."""
    if device.retired_at is not None:
        return DeviceState.RETIRED
    if device.heard_at is None:
        return DeviceState.NEW
    if device.is_paused:
        return DeviceState.PAUSED
    silent = silent_at(device.heard_at, device.interval_s, bound_at=device.bound_at)
    late = late_at(device.heard_at, device.interval_s, bound_at=device.bound_at)
    is_silent, is_late = silent is not None and silent <= now, late is not None and late < now
    expected = device.is_gateway or device.bound_at is not None
    if expected and is_silent:
        return DeviceState.OFFLINE
    if expected and is_late:
        return DeviceState.LATE
    if device.battery is not None and device.battery < BATTERY_LOW:
        return DeviceState.LOW_BATTERY
    if device.check_due_at is not None and device.check_due_at <= now:
        return DeviceState.CHECK_DUE
    return DeviceState.READY if is_silent else DeviceState.ONLINE
