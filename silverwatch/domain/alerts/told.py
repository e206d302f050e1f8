"""What is stored of the alerts of patients whose readings were folded, as `reconcile` sees it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from silverwatch.domain.alerts import service
from silverwatch.domain.alerts.care_models import AlertEpisode
from silverwatch.domain.alerts.folding import Fold
from silverwatch.domain.alerts.house_rule import NO_DATA
from silverwatch.domain.alerts.models import Acknowledgement, Alert
from silverwatch.domain.alerts.reconcile import Stored

WITHDRAWN: Final = "withdrawn"
_OF_EPISODE: Final = ("run_from", "event_at", "priority", "value", "limit", "worst", "off_vitals")
_OF_ALERT: Final = (*_OF_EPISODE, "vital", "side", "rule_id", "partial", "notify")


@dataclass(slots=True)
class Told:
    """One patient's: the alerts by id, whose acknowledgement stands, and what alerts that came back said before."""

    alerts: dict[object, Alert] = field(default_factory=dict)
    taken: set[object] = field(default_factory=set)
    earlier: dict[object, AlertEpisode] = field(default_factory=dict)

    def views(self, now: datetime) -> list[Stored]:
        """All of it."""
        return [_of_alert(alert, now=now) for alert in self.alerts.values()] + [
            _of_episode(row) for row in self.earlier.values()
        ]

    def open_one(self, kind: str) -> Alert | None:
        """The alert of this kind that is open."""
        return next((a for a in self.alerts.values() if a.kind == kind and a.closed_at is None), None)


def told(
    session: Session, folds: Sequence[Fold], *, since: datetime, alerts_since: datetime
) -> dict[UUID, Told]:
    """The open alerts of these patients, and the closed ones that the folded readings may still touch."""
    found = {fold.patient_id: Told() for fold in folds}
    for alert, taken in _alerts(session, found, since=alerts_since):
        assert alert.patient_id is not None  # noqa: S101 - the query asks for these patients
        of = found[alert.patient_id]
        of.alerts[alert.id] = alert
        if taken is not None:
            of.taken.add(alert.id)
    query = select(AlertEpisode).where(AlertEpisode.patient_id.in_(found), AlertEpisode.last_at >= since)
    for row in session.scalars(query):
        found[row.patient_id].earlier[row.id] = row
    return found


def _alerts(
    session: Session, patients: Mapping[UUID, Told], *, since: datetime
) -> Iterable[tuple[Alert, UUID | None]]:
    query = (
        select(Alert, Acknowledgement.id)
        .outerjoin(Acknowledgement, service.standing())
        .where(
            Alert.patient_id.in_(patients),
            Alert.subject == "patient",
            Alert.kind.not_in(service.EVENT_KINDS),
            # What only the clock finds, no reading ends.
            ~Alert.kind.startswith(NO_DATA, autoescape=True),
            Alert.closed_at.is_(None) | (func.coalesce(Alert.ended_at, Alert.last_at) >= since),
        )
        .order_by(Alert.id)
        .with_for_update(of=Alert)
    )
    return ((alert, taken) for alert, taken in session.execute(query))


def _of_alert(alert: Alert, *, now: datetime) -> Stored:
    is_held = (
        alert.closed_as == "resolved"
        and alert.ended_at is None
        and alert.realarm_at is not None
        and alert.realarm_at > now
    )
    return Stored(
        key=alert.id,
        kind=alert.kind,
        priority=alert.priority,
        peak_priority=alert.peak_priority,
        run_from=alert.run_from,
        event_at=alert.event_at,
        last_at=alert.last_at,
        ended_at=alert.ended_at,
        closed=alert.closed_at is not None,
        live=alert.live,
        held=is_held,
        withdrawn=alert.closed_as == WITHDRAWN,
        says={name: getattr(alert, name) for name in _OF_ALERT},
    )


def _of_episode(row: AlertEpisode) -> Stored:
    return Stored(
        key=row.id,
        kind=row.kind,
        priority=row.priority,
        peak_priority=row.peak_priority,
        run_from=row.run_from,
        event_at=row.event_at,
        last_at=row.last_at,
        ended_at=row.ended_at,
        closed=True,
        withdrawn=row.withdrawn_at is not None,
        earlier=True,
        says={name: getattr(row, name) for name in _OF_EPISODE},
    )
