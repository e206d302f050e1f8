"""The devices of an actor's wards and how they do, by the clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor
from silverwatch.domain.alerts.tiles import signal_bars
from silverwatch.domain.alerts.watch import BATTERY_LOW
from silverwatch.domain.readings.vitals import silent_after_s

State = Literal["offline", "late", "low battery", "new", "online"]
ORDER: Final[tuple[State, ...]] = ("offline", "late", "low battery", "new", "online")
LATE_INTERVALS: Final = 1.5

_DEVICES = """
SELECT d.id, d.serial, d.interval_s, ds.last_seen_at, ds.last_reading_at, ds.battery, ds.signal_dbm,
       w.name AS ward, b.label AS bed
FROM device d
JOIN device_state ds ON ds.device_id = d.id
LEFT JOIN binding bi ON bi.device_id = d.id AND bi.during @> CAST(:now AS timestamptz)
LEFT JOIN stay s ON s.patient_id = bi.patient_id AND s.during @> CAST(:now AS timestamptz)
LEFT JOIN bed b ON b.id = s.bed_id
LEFT JOIN ward w ON w.id = b.ward_id
WHERE d.retired_at IS NULL AND d.ward_id = ANY(:wards) AND d.kind <> 'gateway'
ORDER BY d.serial
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRow:
    """One device, without the patient's name."""

    id: UUID
    serial: str
    bed: str | None
    state: State
    battery: int | None
    signal_bars: int | None
    last_seen_at: datetime | None


def devices_of(session: Session, actor: Actor, *, now: datetime) -> list[FleetRow]:
    """The devices of the actor's wards, worst first."""
    rows = session.execute(text(_DEVICES), {"wards": list(actor.ward_ids), "now": now})
    found = [
        FleetRow(
            id=row.id,
            serial=row.serial,
            bed=f"{row.ward} · {row.bed}" if row.bed else None,
            state=_state(row, now=now),
            battery=row.battery,
            signal_bars=signal_bars(row.signal_dbm),
            last_seen_at=row.last_seen_at,
        )
        for row in rows
    ]
    return sorted(found, key=lambda row: (ORDER.index(row.state), row.serial))


def _state(row: Row[Any], *, now: datetime) -> State:
    if row.last_reading_at is None:
        return "new"
    age_s = (now - row.last_reading_at).total_seconds()
    if age_s >= silent_after_s(row.interval_s):
        return "offline"
    if age_s > LATE_INTERVALS * max(row.interval_s, 10):
        return "late"
    return "low battery" if row.battery is not None and row.battery < BATTERY_LOW else "online"
