"""What devices report besides readings: a fall and a call for help are alarms at once, and a fall is an incident."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch.domain.alerts import incidents, service
from silverwatch.domain.alerts.models import Acknowledgement, Alert
from silverwatch.domain.alerts.watch import LOW_BATTERY
from silverwatch.domain.devices.models import DeviceEvent

FALL: Final = "fall"
SENSOR_OFF: Final = "sensor_off"
SENSOR_ON: Final = "sensor_on"


def judge(
    session: Session, patient_ids: Iterable[UUID], *, gone: Collection[UUID] = (), now: datetime
) -> None:
    """Take every event of these patients that nobody has judged; of who is `gone` it is history."""
    query = (
        select(DeviceEvent)
        .where(DeviceEvent.patient_id.in_(list(patient_ids)), DeviceEvent.judged_at.is_(None))
        .order_by(DeviceEvent.at)
        .with_for_update(skip_locked=True)
    )
    for event in session.scalars(query):
        event.judged_at = now
        if event.kind in service.EVENT_KINDS:
            live = event.patient_id not in gone
            _raise(session, event, subject="patient", priority="high", live=live, now=now)
        elif event.kind in (LOW_BATTERY, SENSOR_OFF) and event.patient_id not in gone:
            _raise(session, event, subject="device", priority="low", now=now)
        elif event.kind == SENSOR_ON:
            _end_sensor_off(session, event, now=now)


def _raise(
    session: Session, event: DeviceEvent, *, subject: str, priority: str, now: datetime, live: bool = True
) -> None:
    at = min(event.at, event.received_at)
    alert_id = service.raise_alert(
        session,
        now=now,
        live=live,
        subject=subject,
        subject_id=event.patient_id if subject == "patient" else event.device_id,
        patient_id=event.patient_id,
        device_id=event.device_id,
        kind=event.kind,
        priority=priority,
        technical=subject == "device",
        run_from=at,
        event_at=at,
        last_at=at,
    )
    if alert_id is None and event.kind in service.EVENT_KINDS:
        alert_id = _call_again(session, event, at=at, now=now)
    if event.kind == FALL and event.patient_id is not None:
        incidents.open_for_fall(session, patient_id=event.patient_id, alert_id=alert_id, at=at, now=now)


def _call_again(session: Session, event: DeviceEvent, *, at: datetime, now: datetime) -> UUID:
    """Another fall, another call for help: who took the last one has not taken this one."""
    alert, taken_at = session.execute(
        select(Alert, Acknowledgement.at)
        .outerjoin(Acknowledgement, service.standing())
        .where(Alert.subject_id == event.patient_id, Alert.kind == event.kind, Alert.closed_at.is_(None))
        .with_for_update(of=Alert)
    ).one()
    alert.last_at = max(alert.last_at, at)
    alert.times += 1
    if taken_at is not None and at > taken_at:
        service.sound(session, alert, now=now)
    found: UUID = alert.id
    return found


def _end_sensor_off(session: Session, event: DeviceEvent, *, now: datetime) -> None:
    """The device says that its sensor is back."""
    alert = session.scalar(
        select(Alert)
        .where(Alert.subject_id == event.device_id, Alert.kind == SENSOR_OFF, Alert.closed_at.is_(None))
        .with_for_update()
    )
    if alert is not None and event.at >= alert.run_from:
        service.end_condition(session, alert, ended_at=event.at, taken=False, now=now)
