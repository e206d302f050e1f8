"""Who wears what."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from silverwatch.domain.devices.models import Binding, Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Worn:
    """A device is on a patient, since `since`."""

    binding_id: UUID
    device_id: UUID
    patient_id: UUID
    serial: str
    kind: str
    since: datetime | None


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
