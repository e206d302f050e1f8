"""Bring what is stored in line with what the fold found: alerts and their episodes, NEWS2, checkpoints."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import events
from silverwatch.domain.alerts import chains, device_events, scoring, service
from silverwatch.domain.alerts.care_models import AlertEpisode
from silverwatch.domain.alerts.facts import AlertChanged
from silverwatch.domain.alerts.folding import Fold
from silverwatch.domain.alerts.house_rule import NO_DATA
from silverwatch.domain.alerts.latch import RANK
from silverwatch.domain.alerts.models import Acknowledgement, Alert
from silverwatch.domain.alerts.reconcile import Follow, Raise, Stored, reconcile
from silverwatch.domain.alerts.rules import SENSOR_OFF, Episode, Verdict
from silverwatch.domain.records import stays


def apply(session: Session, folds: Sequence[Fold], *, now: datetime) -> None:
    """Raise, follow, end and withdraw alerts; each change in the caller's transaction with its fact."""
    # An episode that goes on, or has just ended, may be older than every reading of this fold.
    since = min(at for fold in folds for at in (fold.start, *(v.episode.run_from for v in fold.verdicts)))
    stored = _stored_alerts(session, folds, since=since - COMES_BACK)
    earlier = _earlier_episodes(session, folds, since=since)
    # Nobody stands at the bed of who has left: what is found of them is history.
    gone = stays.gone(session, [fold.patient_id for fold in folds])
    for fold in folds:
        if fold.patient_id in gone:
            fold.verdicts = [Verdict(verdict.episode, live=False) for verdict in fold.verdicts]
        rows = stored.get(fold.patient_id, {})
        views = [_view(alert, now=now) for alert, _ in rows.values()] + earlier.get(fold.patient_id, [])
        for change in reconcile(fold.verdicts, views, since=fold.start, until=fold.rest_from):
            alerts = [alert for alert, _ in rows.values()]
            if isinstance(change, Raise):
                _raise_anew(session, fold.patient_id, change, alerts, now=now)
            elif isinstance(change, Follow) and change.key not in rows:
                # An earlier episode of an alert is history; that it goes on after all is the alert's condition again.
                if change.reopen:
                    _raise_anew(session, fold.patient_id, Raise(change.episode, live=True), alerts, now=now)
            elif isinstance(change, Follow):
                followed = _not_beside(rows, change)
                alert, taken = rows[followed.key]
                _follow(session, alert, followed, taken=taken, now=now)
            else:
                _withdraw(session, rows[change.key][0], now=now)
    device_events.judge(session, [fold.patient_id for fold in folds], gone=gone, now=now)


def _not_beside(rows: Mapping[object, tuple[Alert, bool]], change: Follow) -> Follow:
    """The same; where a closed alert would open beside one of its kind that is open, the open one goes on instead."""
    if not change.reopen:
        return change
    kind = change.episode.kind
    is_open = (key for key, (alert, _) in rows.items() if alert.kind == kind and alert.closed_at is None)
    key = next(is_open, None)
    return change if key is None else replace(change, key=key, reopen=False)


def finish(session: Session, folds: Sequence[Fold]) -> None:
    """Store the new checkpoints and scores; these patients no longer wait, but for the rest of a backlog."""
    rows = [
        {
            "patient": fold.patient_id,
            "seq": fold.seq,
            "checkpoint": msgspec.json.encode(fold.checkpoint).decode(),
            "at": fold.checkpoint.at,
            "news": msgspec.json.encode(scoring.news(fold)).decode(),
            "rest": fold.rest_from,
        }
        for fold in folds
    ]
    session.execute(
        text(
            "INSERT INTO judge_state (patient_id, checkpoint, checkpoint_at, news)"
            " VALUES (:patient, CAST(:checkpoint AS jsonb), :at, CAST(:news AS jsonb))"
            " ON CONFLICT (patient_id) DO UPDATE SET checkpoint = excluded.checkpoint,"
            " checkpoint_at = excluded.checkpoint_at, news = excluded.news"
        ),
        rows,
    )
    session.execute(
        text(
            # What is judged is also to be rolled up: noted on the row that is written anyway.
            "UPDATE vital_state SET evaluated_seq = :seq, unjudged_from = :rest,"
            " unrolled_from = least(unrolled_from, unjudged_from),"
            " unjudged_since = CASE WHEN CAST(:rest AS timestamptz) IS NULL THEN NULL ELSE unjudged_since END"
            " WHERE patient_id = :patient"
        ),
        rows,
    )
    _keep_checkpoints(session, folds)


def _keep_checkpoints(session: Session, folds: Sequence[Fold]) -> None:
    stale = [{"patient": fold.patient_id, "since": fold.start} for fold in folds if fold.refolded]
    if stale:
        session.execute(text("DELETE FROM checkpoint WHERE patient_id = :patient AND at > :since"), stale)
    kept = [
        {"patient": fold.patient_id, "at": point.at, "state": msgspec.json.encode(point).decode()}
        for fold in folds
        for point in fold.kept
    ]
    if kept:
        session.execute(
            text(
                "INSERT INTO checkpoint (patient_id, at, state) VALUES (:patient, :at, CAST(:state AS jsonb))"
                " ON CONFLICT (patient_id, at) DO UPDATE SET state = excluded.state"
            ),
            kept,
        )


def _stored_alerts(
    session: Session, folds: Sequence[Fold], *, since: datetime
) -> dict[UUID, dict[object, tuple[Alert, bool]]]:
    """The open alerts of these patients, and the closed ones that the folded readings may still touch."""
    query = (
        select(Alert, Acknowledgement.id)
        .outerjoin(Acknowledgement, service.standing())
        .where(
            Alert.patient_id.in_([fold.patient_id for fold in folds]),
            Alert.subject == "patient",
            Alert.kind.not_in(service.EVENT_KINDS),
            # What only the clock finds, no reading ends.
            ~Alert.kind.startswith(NO_DATA, autoescape=True),
            Alert.closed_at.is_(None) | (func.coalesce(Alert.ended_at, Alert.last_at) >= since),
        )
        .order_by(Alert.id)
        .with_for_update(of=Alert)
    )
    found: dict[UUID, dict[object, tuple[Alert, bool]]] = {}
    for alert, taken in session.execute(query):
        assert alert.patient_id is not None  # noqa: S101 - the query asks for these patients
        found.setdefault(alert.patient_id, {})[alert.id] = (alert, taken is not None)
    return found


def _earlier_episodes(
    session: Session, folds: Sequence[Fold], *, since: datetime
) -> dict[UUID, list[Stored]]:
    """What alerts that came back said before, as far as late readings may touch it."""
    query = select(AlertEpisode).where(
        AlertEpisode.patient_id.in_([fold.patient_id for fold in folds]), AlertEpisode.last_at >= since
    )
    found: dict[UUID, list[Stored]] = {}
    for row in session.scalars(query):
        found.setdefault(row.patient_id, []).append(_as_stored(row, closed=True))
    return found


def _view(alert: Alert, *, now: datetime) -> Stored:
    is_held = (
        alert.closed_as == "resolved"
        and alert.ended_at is None
        and alert.realarm_at is not None
        and alert.realarm_at > now
    )
    return _as_stored(alert, closed=alert.closed_at is not None, held=is_held)


def _as_stored(row: Alert | AlertEpisode, *, closed: bool, held: bool = False) -> Stored:
    return Stored(
        key=row.id,
        kind=row.kind,
        priority=row.priority,
        run_from=row.run_from,
        event_at=row.event_at,
        last_at=row.last_at,
        ended_at=row.ended_at,
        closed=closed,
        held=held,
        off_vitals=tuple(row.off_vitals),
    )


def _raise_anew(
    session: Session, patient_id: UUID, change: Raise, stored: Iterable[Alert], *, now: datetime
) -> None:
    """Raise it; where the last alert of the kind has ended just now, it is that one that comes back."""
    before = _before(change.episode, stored) if change.live else None
    if before is None:
        _raise(session, patient_id, change, now=now)
    else:
        _come_back(session, before, change.episode, now=now)


COMES_BACK: Final = timedelta(minutes=15)
"""A condition that is there again within this time after its end is the same alarm again: one alert that counts."""
LOUD: Final = 3
"""So often it sounds each time; from then on at most once in `QUIET`."""
QUIET: Final = timedelta(minutes=5)
ENDED: Final = ("ended", "acknowledged", "resolved")


def _before(episode: Episode, stored: Iterable[Alert]) -> Alert | None:
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


def _come_back(session: Session, alert: Alert, episode: Episode, *, now: datetime) -> None:
    """The condition was over and is there again: what was is history, and the alert counts how often."""
    assert alert.patient_id is not None  # noqa: S101 - these are alerts of patients
    was_unseen = alert.closed_at is None
    peak = _worse(alert.peak_priority, episode.peak_priority) if was_unseen else episode.peak_priority
    worse = RANK[episode.priority] > RANK[alert.priority]  # type: ignore[index]
    _keep_episode(session, alert, ended_at=alert.ended_at or alert.last_at)
    for name, value in _moving(episode).items():
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


def _keep_episode(session: Session, alert: Alert, *, ended_at: datetime) -> None:
    session.add(
        AlertEpisode(
            id=clock.new_id(),
            alert_id=alert.id,
            patient_id=alert.patient_id,
            kind=alert.kind,
            priority=alert.priority,
            peak_priority=alert.peak_priority,
            run_from=alert.run_from,
            event_at=alert.event_at,
            last_at=alert.last_at,
            raised_at=alert.raised_at,
            value=alert.value,
            worst=alert.worst,
            limit=alert.limit,
            off_vitals=list(alert.off_vitals),
            ended_at=ended_at,
        )
    )


def _raise(session: Session, patient_id: UUID, change: Raise, *, now: datetime) -> None:
    episode = change.episode
    service.raise_alert(
        session,
        now=now,
        live=change.live,
        subject="patient",
        subject_id=patient_id,
        patient_id=patient_id,
        kind=episode.kind,
        technical=episode.kind == SENSOR_OFF,
        vital=episode.vital,
        side=episode.side,
        ended_at=episode.ended_at,
        **_moving(episode),
    )


def _follow(session: Session, alert: Alert, change: Follow, *, taken: bool, now: datetime) -> None:
    episode = change.episode
    if alert.closed_at is None and alert.ended_at is not None and episode.run_from > alert.ended_at:
        _come_back(session, alert, episode, now=now)
        return
    rose = RANK[episode.priority] > RANK[alert.priority]  # type: ignore[index]
    was_over = alert.ended_at is not None
    peak = _worse(alert.peak_priority, episode.peak_priority)
    for name, value in _moving(episode).items():
        setattr(alert, name, value)
    alert.peak_priority = peak
    if change.reopen or (was_over and episode.ended_at is None):
        _again(session, alert, now=now)
    elif alert.closed_at is not None:
        # A person resolved it while it went on: only its end is still to be noted.
        if episode.ended_at is not None:
            alert.ended_at, alert.realarm_at = episode.ended_at, None
    elif episode.ended_at is not None:
        service.end_condition(session, alert, ended_at=episode.ended_at, taken=taken, now=now)
    elif rose and taken:
        service.sound(session, alert, now=now)
    elif not change.quiet:
        if rose:
            chains.start(alert, now)
        events.record(session, AlertChanged(alert_id=alert.id, patient_id=alert.patient_id))


def _worse(one: str, other: str) -> str:
    return max(one, other, key=lambda priority: RANK[priority])  # type: ignore[index]


def _again(session: Session, alert: Alert, *, now: datetime) -> None:
    """The condition is there again, or still: whoever had taken the alarm before has not taken this."""
    alert.live = True
    alert.ended_at = alert.closed_at = alert.closed_as = alert.resolution = alert.resolved_by = None
    service.sound(session, alert, now=now)


def _withdraw(session: Session, alert: Alert, *, now: datetime) -> None:
    alert.ended_at = now
    service.close(session, alert, now=now, closed_as="withdrawn")


def _moving(episode: Episode) -> dict[str, Any]:
    """What of an alert changes while its episode goes on; a late reading may even move its beginning."""
    return {
        "run_from": episode.run_from,
        "event_at": episode.raised_at,
        "priority": episode.priority,
        "peak_priority": episode.peak_priority,
        "last_at": episode.last_at,
        "value": episode.value,
        "limit": episode.limit,
        "worst": episode.worst,
        "off_vitals": list(episode.off_vitals),
        "rule_id": UUID(episode.rule) if episode.rule else None,
        "partial": episode.partial,
        "notify": episode.notify,
    }
