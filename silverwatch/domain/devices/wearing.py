"""Who wears what."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from silverwatch.domain.devices.kinds import GATEWAY
from silverwatch.domain.devices.models import Binding, Device
from silverwatch.domain.records.models import Stay
from silverwatch.domain.wards.models import Bed, Ward

MOST: Final = 500
"""So many devices are offered to be put on."""
MOST_PAST: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Worn:
    """A device is on a patient, since `since`."""

    binding_id: UUID
    device_id: UUID
    patient_id: UUID
    serial: str
    kind: str
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """A device that nobody wears."""

    id: UUID
    serial: str
    kind: str
    location: str
    is_of_store: bool


def free_devices(session: Session, ward_ids: Iterable[UUID], *, at: datetime) -> list[Free]:
    """What nobody wears of these wards and of the store, those of the wards first."""
    worn = select(Binding.device_id).where(Binding.during.op("&&")(func.tstzrange(at, None, "[)")))
    wards = set(ward_ids)
    query = (
        select(Device)
        .where(
            Device.kind != GATEWAY,
            Device.retired_at.is_(None),
            Device.ward_id.is_(None) | Device.ward_id.in_(wards),
            Device.id.not_in(worn),
        )
        .order_by(Device.ward_id.is_(None), Device.serial)
        .limit(MOST)
    )
    return [
        Free(id=d.id, serial=d.serial, kind=d.kind, location=d.location, is_of_store=d.ward_id is None)
        for d in session.scalars(query)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wearing:
    """A device was on somebody from `since` to `until` (None: still). No name: where the wearer lay when it began."""

    binding_id: UUID
    since: datetime | None
    until: datetime | None
    ward: str | None
    bed: str | None


def wearings_of(session: Session, device_id: UUID) -> list[Wearing]:
    """By whom the device was worn, the newest first."""
    query = (
        select(Binding.id, func.lower(Binding.during), func.upper(Binding.during), Ward.name, Bed.label)
        .outerjoin(
            Stay, (Stay.patient_id == Binding.patient_id) & Stay.during.op("@>")(func.lower(Binding.during))
        )
        .outerjoin(Bed, Bed.id == Stay.bed_id)
        .outerjoin(Ward, Ward.id == Bed.ward_id)
        .where(Binding.device_id == device_id)
        .order_by(func.lower(Binding.during).desc())
        .limit(MOST_PAST)
    )
    return [
        Wearing(binding_id=row[0], since=row[1], until=row[2], ward=row[3], bed=row[4])
        for row in session.execute(query)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastWorn:
    """A device that a patient does not wear any more."""

    binding_id: UUID
    serial: str
    kind: str
    since: datetime | None
    until: datetime


def past_of(session: Session, patient_id: UUID) -> list[PastWorn]:
    """What the patient wore, the newest first."""
    query = (
        select(Binding.id, Device.serial, Device.kind, func.lower(Binding.during), func.upper(Binding.during))
        .join(Device, Device.id == Binding.device_id)
        .where(Binding.patient_id == patient_id, ~func.upper_inf(Binding.during))
        .order_by(func.upper(Binding.during).desc())
        .limit(MOST_PAST)
    )
    return [
        PastWorn(binding_id=row[0], serial=row[1], kind=row[2], since=row[3], until=row[4])
        for row in session.execute(query)
    ]


def worn_by(session: Session, patient_ids: Iterable[UUID], *, at: datetime) -> list[Worn]:
    """What these patients wear then, or are to wear later, by serial number."""
    query = (
        select(
            Binding.id,
            Binding.device_id,
            Binding.patient_id,
            Device.serial,
            Device.kind,
            func.lower(Binding.during),
        )
        .join(Device, Device.id == Binding.device_id)
        .where(
            Binding.patient_id.in_(set(patient_ids)),
            Binding.during.op("&&")(func.tstzrange(at, None, "[)")),
        )
        .order_by(Device.serial)
    )
    return [
        Worn(binding_id=row[0], device_id=row[1], patient_id=row[2], serial=row[3], kind=row[4], since=row[5])
        for row in session.execute(query)
    ]
