"""Whose key is it, for whom does it speak, and about whom: the questions of ingest, on its psycopg cursor."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from silverwatch.domain.errors import DomainError, NotFoundError


class ForeignDeviceError(DomainError):
    """A device's own key named another device."""


class Source(NamedTuple):
    """A device whose readings are being stored, its `device_state` locked. `skew_s`: its clock is ahead."""

    id: UUID
    serial: str
    interval_s: float
    skew_s: float | None
    last_reading_at: datetime | None


class Speaker(NamedTuple):
    """The device that a key belongs to."""

    id: UUID
    serial: str
    interval_s: float
    skew_s: float | None
    last_reading_at: datetime | None
    is_gateway: bool
    ward_id: UUID | None


_ME = (
    "SELECT d.id, d.serial, d.interval_s, d.kind = 'gateway' AS is_gateway, d.ward_id"
    " FROM device_key k JOIN device d ON d.id = k.device_id"
    " WHERE k.hash = %s AND k.revoked_at IS NULL AND (k.ends_at IS NULL OR k.ends_at > %s)"
    "  AND d.retired_at IS NULL"
)
_LOCK_NAMED = (
    "SELECT d.id, d.serial, d.interval_s, s.skew_s, s.last_reading_at"
    " FROM device d JOIN device_state s ON s.device_id = d.id"
    " WHERE d.id = %(me)s OR (d.serial = ANY(%(serials)s) AND d.retired_at IS NULL AND d.kind <> 'gateway'"
    "  AND (%(ward)s::uuid IS NULL OR d.ward_id = %(ward)s)"
    "  AND EXISTS (SELECT FROM device g WHERE g.id = %(me)s AND (g.reach = 'ward' OR EXISTS ("
    "   SELECT FROM gateway_device l WHERE l.gateway_id = g.id AND l.device_id = d.id))))"
    " ORDER BY s.device_id FOR UPDATE OF s"
)


def authenticate(cur: Cursor[Any], key_hash: bytes, *, now: datetime) -> Speaker | None:
    """Whose key this is, unlocked; None for an unknown, ended or revoked key or a retired device."""
    row = cur.execute(_ME, (key_hash, now), prepare=True).fetchone()
    if row is None:
        return None
    device_id, serial, interval_s, is_gateway, ward_id = row
    return Speaker(device_id, serial, interval_s, None, None, is_gateway, ward_id)


def lock_sources(cur: Cursor[Any], speaker: Speaker, *, serials: Collection[str]) -> dict[str, Source]:
    """The devices among these serials that the key speaks for, by serial, their `device_state` locked.

    The speaker is always among them. A gateway without a ward speaks for every device, else for its ward's;
    one with a list only for those of them that stand in it.
    Raises ForeignDeviceError if a device that speaks for itself names another.
    """
    if speaker.is_gateway:
        named = {"me": speaker.id, "serials": list(serials), "ward": speaker.ward_id}
        rows = cur.execute(_LOCK_NAMED, named, prepare=True).fetchall()
        return {source.serial: source for source in (Source(*row) for row in rows)}
    for serial in serials:
        if serial != speaker.serial:
            raise ForeignDeviceError(f"This key speaks for {speaker.serial} alone.")
    return {speaker.serial: Source(*speaker[:5])}


class DeviceSetting(NamedTuple):
    """How a device is set. `version` grows with each change of it."""

    sensitivity: str
    sample_rate_hz: float | None
    version: int


_SETTING = "SELECT sensitivity, sample_rate_hz, settings_version FROM device WHERE id = %s"


def setting_of(cur: Cursor[Any], device_id: UUID) -> DeviceSetting:
    """How a device that has shown its key is set."""
    row = cur.execute(_SETTING, (device_id,)).fetchone()
    if row is None:
        raise NotFoundError("There is no such device.")
    return DeviceSetting(*row)


_SPOKEN_FOR = (
    "SELECT d.serial, d.kind, d.interval_s FROM device g"
    " JOIN device d ON d.kind <> 'gateway' AND d.retired_at IS NULL AND (g.ward_id IS NULL OR d.ward_id = g.ward_id)"
    " WHERE g.id = %s AND (g.reach = 'ward' OR EXISTS ("
    "  SELECT FROM gateway_device l WHERE l.gateway_id = g.id AND l.device_id = d.id))"
    " ORDER BY d.serial LIMIT 5000"
)


def spoken_for(cur: Cursor[Any], gateway_id: UUID) -> list[tuple[str, str, float]]:
    """Serial, kind and interval of the devices that a gateway's key speaks for."""
    return cur.execute(_SPOKEN_FOR, (gateway_id,)).fetchall()
