"""Faults of devices for technicians: open alarms about a device, whoever wears it. No name of a patient."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor, Permission
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.devices.models import Device
from silverwatch.domain.errors import NotFoundError

MOST: Final = 200
OVER_FOR: Final = timedelta(hours=24)
WHY: Final = ("battery", "sensor", "exchanged", "reach", "false", "other")
"""Why a fault is resolved: battery changed, sensor put right, device exchanged, back in reach, no fault, other."""

# The device says where: its own ward; its wearer's bed as a place only.
_FAULTS = """
SELECT a.id, a.kind, a.priority, a.value, a.times, a.event_at, a.ended_at, a.closed_at, a.resolution,
       d.id AS device_id, d.serial, d.kind AS device_kind, w.name AS ward, d.location,
       b.label AS bed, bw.name AS bed_ward, ak.at AS taken_at, t.name AS taken_by
FROM alert a JOIN device d ON d.id = a.device_id
LEFT JOIN ward w ON w.id = d.ward_id
LEFT JOIN stay s ON s.patient_id = a.patient_id AND s.during @> CAST(:now AS timestamptz)
LEFT JOIN bed b ON b.id = s.bed_id LEFT JOIN ward bw ON bw.id = b.ward_id
LEFT JOIN LATERAL (SELECT k.at, k.account_id FROM acknowledgement k WHERE k.alert_id = a.id
  ORDER BY k.ended_at IS NOT NULL, k.at DESC LIMIT 1) ak ON true
LEFT JOIN account t ON t.id = ak.account_id
WHERE a.subject = 'device' AND a.technical AND (d.ward_id IS NULL OR d.ward_id = ANY(:wards)) AND {condition}
ORDER BY {order} LIMIT :most
"""
_OPEN: Final = _FAULTS.format(
    condition="a.closed_at IS NULL",
    order="ak.at IS NOT NULL, array_position(ARRAY['high', 'medium', 'low'], a.priority), a.event_at",
)
_OVER: Final = _FAULTS.format(condition="a.closed_at > :since", order="a.closed_at DESC")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultList:
    """Rows of faults: open ones, those that nobody has taken first; and those that ended in the last day."""

    open: Sequence[Row[Any]]
    over: Sequence[Row[Any]]

    @property
    def untaken(self) -> int:
        """How many nobody has taken."""
        return sum(row.taken_at is None for row in self.open)


def faults(session: Session, actor: Actor, *, now: datetime) -> FaultList:
    """The faults of the devices of the actor's wards and of the store; two statements."""
    if not actor.may(Permission.TAKE_FAULTS):
        raise NotFoundError("There are no faults here.")
    params = {"wards": list(actor.ward_ids), "now": now, "since": now - OVER_FOR, "most": MOST}
    return FaultList(
        open=session.execute(text(_OPEN), params).all(), over=session.execute(text(_OVER), params).all()
    )


def fault_of(session: Session, actor: Actor, alert_id: UUID, *, lock: bool = True) -> tuple[Alert, Device]:
    """A fault of a device that the actor sees; raises NotFoundError for any other, or what is no fault."""
    alert = session.get(Alert, alert_id, with_for_update=lock)
    device = session.get(Device, alert.device_id) if alert is not None and alert.device_id else None
    if alert is None or device is None or alert.subject != "device" or not alert.technical:
        raise NotFoundError("There is no such fault.")
    if not actor.may(Permission.TAKE_FAULTS) or (
        device.ward_id is not None and device.ward_id not in actor.ward_ids
    ):
        raise NotFoundError("There is no such fault.")
    return alert, device
