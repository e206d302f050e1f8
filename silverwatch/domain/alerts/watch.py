"""What only the clock finds: devices and gateways that have gone silent, batteries that run low."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts import service
from silverwatch.domain.alerts.models import Acknowledgement, Alert
from silverwatch.domain.alerts.silence import BATTERY_LOW, silent_at

SILENT: Final = "device_silent"
GATEWAY_SILENT: Final = "gateway_silent"
"""Another kind than a device's: no patient's values are muted for it."""
LOW_BATTERY: Final = "low_battery"
SENSOR_OFF: Final = "sensor_off"
SENSOR_BACK: Final = timedelta(seconds=15)
"""A device that sends readings again so long after it said "sensor off" has its sensor back."""
BATTERY_GOOD: Final = 25

# A gateway speaks for others: its posts are its life, and nobody wears it.
_WATCHED = """
SELECT d.id, d.interval_s, bi.patient_id, lower(bi.during) AS bound_at, ds.last_reading_at AS heard_at, ds.battery,
       'device_silent' AS silent
FROM binding bi
JOIN device d ON d.id = bi.device_id
JOIN device_state ds ON ds.device_id = d.id
WHERE bi.during @> CAST(:now AS timestamptz) AND d.kind <> 'gateway' AND d.retired_at IS NULL
UNION ALL
SELECT d.id, d.interval_s, NULL, NULL, ds.last_seen_at, ds.battery, 'gateway_silent'
FROM device d JOIN device_state ds ON ds.device_id = d.id
WHERE d.kind = 'gateway' AND d.retired_at IS NULL
"""


def watch_devices(session: Session, *, now: datetime) -> None:
    """Raise and end the technical alerts of every bound device and every gateway, by the clock alone."""
    watched: dict[UUID, Row[Any]] = {row.id: row for row in session.execute(text(_WATCHED), {"now": now})}
    open_alerts = _open(session)
    held = _held(session, now=now)
    for device in watched.values():
        since = _silent_at(device)
        if since is not None and since <= now:
            if (device.id, device.silent) not in open_alerts.keys() | held:
                _raise(session, device, kind=device.silent, priority="medium", since=since, now=now)
        if device.battery is not None and device.battery < BATTERY_LOW:
            if (device.id, LOW_BATTERY) not in open_alerts.keys() | held:
                _raise(session, device, kind=LOW_BATTERY, priority="low", since=now, now=now)
    for (device_id, kind), (alert, taken) in open_alerts.items():
        if _is_over(watched.get(device_id), alert, kind=kind, taken=taken, now=now):
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
    return silent_at(device.heard_at, device.interval_s, bound_at=device.bound_at)


def _is_over(device: Row[Any] | None, alert: Alert, *, kind: str, taken: bool, now: datetime) -> bool:
    if device is None or device.patient_id != alert.patient_id:
        return True
    if kind in (SILENT, GATEWAY_SILENT):
        since = _silent_at(device)
        return since is None or since > now
    if kind == SENSOR_OFF:
        return device.heard_at is not None and device.heard_at > alert.last_at + SENSOR_BACK
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
        run_from=device.heard_at or since,
        event_at=since,
        last_at=now,
        value=float(device.battery) if kind == LOW_BATTERY else None,
    )
