"""What only the clock finds: devices that have gone silent, batteries that run low."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts import service
from silverwatch.domain.alerts.models import Acknowledgement, Alert
from silverwatch.domain.alerts.silence import BATTERY_LOW, silent_at

SILENT: Final = "device_silent"
LOW_BATTERY: Final = "low_battery"
SENSOR_OFF: Final = "sensor_off"
SENSOR_BACK: Final = timedelta(seconds=15)
"""A device that sends readings again so long after it said "sensor off" has its sensor back."""
BATTERY_GOOD: Final = 25

_BOUND = """
SELECT d.id, d.interval_s, bi.patient_id, lower(bi.during) AS bound_at, ds.last_reading_at, ds.battery
FROM binding bi
JOIN device d ON d.id = bi.device_id
JOIN device_state ds ON ds.device_id = d.id
WHERE bi.during @> CAST(:now AS timestamptz) AND d.kind <> 'gateway' AND d.retired_at IS NULL
"""


def watch_devices(session: Session, *, now: datetime) -> None:
    """Raise and end the technical alerts of every bound device, by the clock alone."""
    bound: dict[UUID, Row[Any]] = {row.id: row for row in session.execute(text(_BOUND), {"now": now})}
    open_alerts = _open(session)
    held = _held(session, now=now)
    for device in bound.values():
        since = _silent_at(device)
        if since is not None and since <= now:
            if (device.id, SILENT) not in open_alerts.keys() | held:
                _raise(session, device, kind=SILENT, priority="medium", since=since, now=now)
        if device.battery is not None and device.battery < BATTERY_LOW:
            if (device.id, LOW_BATTERY) not in open_alerts.keys() | held:
                _raise(session, device, kind=LOW_BATTERY, priority="low", since=now, now=now)
    for (device_id, kind), (alert, taken) in open_alerts.items():
        if _is_over(bound.get(device_id), alert, kind=kind, taken=taken, now=now):
            service.end_condition(session, alert, ended_at=now, taken=taken, now=now)


def _open(session: Session) -> dict[tuple[UUID, str], tuple[Alert, bool]]:
    rows = session.execute(
        select(Alert, Acknowledgement.id)
        .outerjoin(Acknowledgement, service.standing())
        .where(Alert.subject == "device", Alert.closed_at.is_(None))
        .order_by(Alert.id)
        .with_for_update(of=Alert)
    )
    return {(alert.subject_id, alert.kind): (alert, taken is not None) for alert, taken in rows}


def _held(session: Session, *, now: datetime) -> set[tuple[UUID, str]]:
    """What a person resolved for a reason while it went on, until it may come back."""
    rows = session.execute(
        select(Alert.subject_id, Alert.kind).where(
            Alert.subject == "device", Alert.closed_as == "resolved", Alert.realarm_at > now
        )
    )
    return {(row.subject_id, row.kind) for row in rows}


def _silent_at(device: Row[Any]) -> datetime | None:
    """When this device counts as silent; None for one that never delivered: it is new, not silent."""
    return silent_at(device.last_reading_at, device.interval_s, bound_at=device.bound_at)


def _is_over(device: Row[Any] | None, alert: Alert, *, kind: str, taken: bool, now: datetime) -> bool:
    if device is None or device.patient_id != alert.patient_id:
        return True
    if kind == SILENT:
        since = _silent_at(device)
        return since is None or since > now
    if kind == SENSOR_OFF:
        return device.last_reading_at is not None and device.last_reading_at > alert.last_at + SENSOR_BACK
    if device.battery is None:
        # It called its battery low and never says how low: done when somebody has taken it.
        return taken
    return bool(device.battery >= BATTERY_GOOD)


def _raise(
    session: Session, device: Row[Any], *, kind: str, priority: str, since: datetime, now: datetime
) -> None:
    service.raise_alert(
        session,
        now=now,
        subject="device",
        subject_id=device.id,
        device_id=device.id,
        patient_id=device.patient_id,
        kind=kind,
        priority=priority,
        technical=True,
        run_from=device.last_reading_at or since,
        event_at=since,
        last_at=now,
        value=float(device.battery) if kind == LOW_BATTERY else None,
    )
