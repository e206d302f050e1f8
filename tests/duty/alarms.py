"""Alarms to escalate, and what came of them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from silverwatch import clock, db
from silverwatch.domain.alerts import reach, service
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.notices import escalation
from silverwatch.jobs import notify
from tests.conftest import Site
from tests.duty.crew import actor_of


def sound(
    patient_id: UUID, *, priority: str = "high", kind: str = "oxygen_saturation_low", **more: Any
) -> UUID:
    """Raise an alarm of a patient."""
    now = clock.now()
    with db.transaction() as session:
        alert_id = service.raise_alert(
            session, now=now, subject="patient", subject_id=patient_id, patient_id=patient_id, kind=kind,
            priority=priority, technical=False, run_from=now, event_at=now, last_at=now, vital="oxygen_saturation",
            side="low", value=71.0, limit=80.0, **more,
        )  # fmt: skip
    assert alert_id is not None
    return alert_id


def steps(*, later: timedelta = timedelta(0), now: datetime | None = None) -> int:
    """Take the steps that are due now, or so much later."""
    with db.transaction() as session:
        return escalation.take_due(session, now=(now or clock.now()) + later, zone=notify.zone())


def take(site: Site, email: str, alert_id: UUID) -> None:
    """Acknowledge it."""
    actor = actor_of(email)
    with db.transaction() as session:
        alert = reach.alert_for(session, actor, alert_id, now=clock.now())
        service.acknowledge(session, actor, alert, now=clock.now())


def told(site: Site, *, kind: str = "oxygen_saturation_low") -> list[tuple[Any, ...]]:
    """Who was told about alarms of this kind: step, name, channel, in order."""
    rows = site.rows(
        "SELECT e.place, c.name, n.channel FROM notice n JOIN escalation e ON e.id = n.escalation_id"
        " JOIN account c ON c.id = n.account_id JOIN alert a ON a.id = n.alert_id"
        " WHERE a.kind = %s AND n.held_as IS NULL ORDER BY n.created_at, e.place, c.name, n.channel DESC",
        kind,
    )
    return [tuple(row) for row in rows]


def states(site: Site) -> list[tuple[Any, ...]]:
    """Each notice that goes out: channel, attempts, delivered, waits, given up, cancelled, held."""
    rows = site.rows(
        "SELECT channel, attempts, delivered_at IS NOT NULL, next_attempt_at IS NOT NULL, failed_at IS NOT NULL,"
        " cancelled_at IS NOT NULL, held_as FROM notice WHERE channel <> 'web' ORDER BY created_at, id"
    )
    return [tuple(row) for row in rows]


def alert(alert_id: UUID) -> Alert:
    """The alert as it is stored."""
    with db.transaction() as session:
        return session.get_one(Alert, alert_id)


def pass_time(site: Site, by: timedelta) -> None:
    """As if so much time had gone by since everything happened."""
    with site.cursor() as cur:
        cur.execute("UPDATE alert SET escalate_at = escalate_at - %s, raised_at = raised_at - %s", (by, by))
        cur.execute("UPDATE escalation SET taken_at = taken_at - %s", (by,))
        cur.execute(
            "UPDATE notice SET created_at = created_at - %s, next_attempt_at = next_attempt_at - %s", (by, by)
        )
