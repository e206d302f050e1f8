"""An alert whose condition comes back is one alert that counts (decision 0010): what it said before is kept."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import events
from silverwatch.domain.alerts import chains, service
from silverwatch.domain.alerts.care_models import AlertEpisode
from silverwatch.domain.alerts.facts import AlertChanged
from silverwatch.domain.alerts.latch import RANK
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.alerts.reconcile import columns
from silverwatch.domain.alerts.rules import Episode

COMES_BACK: Final = timedelta(minutes=15)
"""A condition that is there again within this time after its end is the same alarm again: one alert that counts."""
LOUD: Final = 3
"""So often it sounds each time; from then on at most once in `QUIET`."""
QUIET: Final = timedelta(minutes=5)
ENDED: Final = ("ended", "acknowledged", "resolved")
_KEPT: Final = (
    "kind", "priority", "peak_priority", "run_from", "event_at", "last_at", "raised_at", "value", "worst", "limit",
    "off_vitals",
)  # fmt: skip
"""What of an alert one of its episodes has too, beside its end."""


def before(episode: Episode, stored: Iterable[Alert]) -> Alert | None:
    """The alert that comes back with this episode: one that waits to be seen, else the newest that ended lately."""
    same = [alert for alert in stored if alert.kind == episode.kind and alert.live]
    waits = next((alert for alert in same if alert.closed_at is None), None)
    if waits is not None:
        return waits
    ended = [
        (alert.ended_at, alert)
        for alert in same
        if alert.closed_as in ENDED and alert.ended_at is not None
        if timedelta() <= episode.run_from - alert.ended_at <= COMES_BACK
    ]
    return max(ended, key=lambda pair: pair[0])[1] if ended else None


def come_back(session: Session, alert: Alert, episode: Episode, *, now: datetime) -> None:
    """The condition was over and is there again: what was is history, and the alert counts how often."""
    assert alert.patient_id is not None  # noqa: S101 - these are alerts of patients
    was_unseen = alert.closed_at is None
    peak = worse_of(alert.peak_priority, episode.peak_priority) if was_unseen else episode.peak_priority
    worse = RANK[episode.priority] > RANK[alert.priority]  # type: ignore[index]
    kept = {name: getattr(alert, name) for name in _KEPT}
    session.add(
        AlertEpisode(
            id=clock.new_id(),
            alert_id=alert.id,
            patient_id=alert.patient_id,
            ended_at=alert.ended_at or alert.last_at,
            **kept,
        )
    )
    for name, value in columns(episode).items():
        setattr(alert, name, value)
    alert.peak_priority = peak
    alert.times += 1
    alert.ended_at = alert.closed_at = alert.closed_as = alert.resolution = alert.resolved_by = None
    session.flush()
    if worse or alert.times <= LOUD or now - alert.raised_at >= QUIET:
        service.sound(session, alert, now=now)
    else:
        chains.start(alert, now)
        events.record(session, AlertChanged(alert_id=alert.id, patient_id=alert.patient_id))


def step_back(session: Session, alert: Alert, *, taken: bool, now: datetime) -> bool:
    """The readings do not show that it came back: it is again what it was before. False if there is nothing before."""
    query = (
        select(AlertEpisode)
        .where(AlertEpisode.alert_id == alert.id, AlertEpisode.withdrawn_at.is_(None))
        .order_by(AlertEpisode.event_at.desc())
    )
    last = session.scalars(query.limit(1)).first()
    if last is None:
        return False
    for name in _KEPT:
        was, is_now = getattr(last, name), getattr(alert, name)
        setattr(alert, name, was)
        setattr(last, name, is_now)
    ended_at, last.ended_at, last.withdrawn_at = last.ended_at, alert.ended_at or alert.last_at, now
    alert.times = max(1, alert.times - 1)
    if alert.closed_at is None:
        service.end_condition(session, alert, ended_at=ended_at, taken=taken, now=now)
    else:
        alert.ended_at, alert.realarm_at = ended_at, None
    return True


def follow_earlier(session: Session, row: AlertEpisode, episode: Episode) -> None:
    """What an alert said before it came back was another thing in hindsight."""
    now = columns(episode)
    for name in _KEPT:
        if name in now:
            setattr(row, name, now[name])
    row.peak_priority = worse_of(row.peak_priority, episode.peak_priority)
    if episode.ended_at is not None:
        row.ended_at = episode.ended_at
    if row.withdrawn_at is not None:
        row.withdrawn_at = None
        _count(session, row, 1)


def withdraw_earlier(session: Session, row: AlertEpisode, *, now: datetime) -> None:
    """What an alert said before it came back, the readings do not show."""
    row.withdrawn_at = now
    _count(session, row, -1)


def _count(session: Session, row: AlertEpisode, change: int) -> None:
    alert = session.get_one(Alert, row.alert_id)
    alert.times = max(1, alert.times + change)


def worse_of(one: str, other: str) -> str:
    """The more urgent of two priorities."""
    return max(one, other, key=lambda priority: RANK[priority])  # type: ignore[index]
