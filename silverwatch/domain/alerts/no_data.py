"""House rules about missing values: only the clock finds them, by what `vital_state` knows of each patient in a bed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.alerts import service
from silverwatch.domain.alerts.conditions import All, AnyOf, Condition, NoData
from silverwatch.domain.alerts.house_rule import NO_DATA, Rule
from silverwatch.domain.alerts.models import Acknowledgement, Alert
from silverwatch.domain.alerts.rule_book import decode, in_force

_LYING = """
SELECT s.patient_id, lower(s.during) AS since, coalesce(vs.latest, '{}') AS latest
FROM stay s LEFT JOIN vital_state vs ON vs.patient_id = s.patient_id
WHERE s.during @> CAST(:now AS timestamptz)
"""
_ANY = """
SELECT 1 FROM alarm_rule r JOIN alarm_rule_version v ON v.rule_id = r.id AND v.number = r.version
WHERE r.retired_at IS NULL AND CAST(v.rule AS text) LIKE '%"no_data"%'
UNION ALL SELECT 1 FROM alert WHERE closed_at IS NULL AND kind LIKE 'no\\_data\\_%' LIMIT 1
"""


def watch_no_data(session: Session, *, now: datetime) -> None:
    """Raise and end the alarms of these rules; one small question where there are none."""
    if session.execute(text(_ANY)).first() is None:
        return
    lying: dict[UUID, Row[Any]] = {row.patient_id: row for row in session.execute(text(_LYING), {"now": now})}
    true: dict[tuple[UUID, str], tuple[str, Rule, datetime]] = {}
    for patient_id, rules in in_force(session, lying, now=now).items():
        for key, stored in rules:
            rule = decode(stored)
            since = _since(rule, lying[patient_id], now=now) if rule.enabled and rule.by_clock else None
            if since is not None:
                true[patient_id, rule.kind(key)] = key, rule, since
    open_now, held = _open(session), _held(session, now=now)
    for (patient_id, kind), (key, rule, since) in true.items():
        stands = open_now.get((patient_id, kind))
        if stands is not None:
            _goes_on(session, stands[0], now=now)
        elif (patient_id, kind) not in held:
            _raise(session, patient_id, kind, key=key, rule=rule, since=since, now=now)
    for at, (alert, taken) in open_now.items():
        if at not in true and alert.ended_at is None:
            service.end_condition(session, alert, ended_at=now, taken=taken, now=now)
    for at, alert in held.items():
        if at not in true:
            # Over while it was held: it does not come back by the clock.
            alert.ended_at, alert.realarm_at = now, None


def _since(rule: Rule, row: Row[Any], *, now: datetime) -> datetime | None:
    """Since when the rule is true; None while it is not, or out of its hours."""
    if rule.schedule and not rule.schedule.holds(now, clock.site_zone()):
        return None
    return missing_since(rule.condition, row.latest, since=row.since, now=now)


def missing_since(
    condition: Condition, latest: Mapping[str, Any], *, since: datetime, now: datetime
) -> datetime | None:
    """Pure: when what the condition misses was missing for as long as it says; `since`: the stay began."""
    if isinstance(condition, All | AnyOf):
        found = [missing_since(each, latest, since=since, now=now) for each in condition.of]
        known = [moment for moment in found if moment is not None]
        if isinstance(condition, AnyOf):
            return min(known, default=None)
        return max(known) if len(known) == len(found) else None
    if not isinstance(condition, NoData):
        return None
    entry = latest.get(condition.vital)
    last = max(since, clock.from_epoch_ms(entry[1])) if entry else since
    due = last + timedelta(minutes=condition.minutes)
    return due if due <= now else None


def _open(session: Session) -> dict[tuple[UUID, str], tuple[Alert, bool]]:
    rows = session.execute(
        select(Alert, Acknowledgement.id)
        .outerjoin(Acknowledgement, service.standing())
        .where(Alert.kind.startswith(NO_DATA, autoescape=True), Alert.closed_at.is_(None))
        .order_by(Alert.id)
        .with_for_update(of=Alert)
    )
    return {(alert.subject_id, alert.kind): (alert, taken is not None) for alert, taken in rows}


def _held(session: Session, *, now: datetime) -> dict[tuple[UUID, str], Alert]:
    """What a person resolved for a reason while it went on, until it may come back."""
    found = session.scalars(
        select(Alert)
        .where(
            Alert.kind.startswith(NO_DATA, autoescape=True),
            Alert.closed_as == "resolved",
            Alert.ended_at.is_(None),
            Alert.realarm_at > now,
        )
        .order_by(Alert.id)
        .with_for_update()
    )
    return {(alert.subject_id, alert.kind): alert for alert in found}


def _goes_on(session: Session, alert: Alert, *, now: datetime) -> None:
    """One that was over and waits to be seen is true again: it must not say that it is over."""
    if alert.ended_at is not None:
        alert.ended_at, alert.last_at = None, now
        alert.times += 1
        service.sound(session, alert, now=now)


def _raise(
    session: Session, patient_id: UUID, kind: str, *, key: str, rule: Rule, since: datetime, now: datetime
) -> None:
    service.raise_alert(
        session,
        now=now,
        subject="patient",
        subject_id=patient_id,
        patient_id=patient_id,
        kind=kind,
        priority=rule.priority,
        technical=rule.technical,
        run_from=since,
        event_at=since,
        last_at=now,
        rule_id=UUID(key),
        notify=rule.action == "notify",
    )
