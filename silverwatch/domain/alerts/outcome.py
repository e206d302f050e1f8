"""Bring what is stored in line with what the fold found: alerts, device events, NEWS2, checkpoints."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from silverwatch.domain import events
from silverwatch.domain.alerts import scoring, service
from silverwatch.domain.alerts.facts import AlertChanged, AlertRaised
from silverwatch.domain.alerts.folding import Fold
from silverwatch.domain.alerts.latch import RANK
from silverwatch.domain.alerts.models import Acknowledgement, Alert
from silverwatch.domain.alerts.reconcile import Follow, Raise, Stored, reconcile
from silverwatch.domain.alerts.rules import SENSOR_OFF, Episode
from silverwatch.domain.alerts.watch import LOW_BATTERY
from silverwatch.domain.devices.models import DeviceEvent


def apply(session: Session, folds: Sequence[Fold], *, now: datetime) -> None:
    """Raise, follow, end and withdraw alerts; each change in the caller's transaction with its fact."""
    stored = _stored_alerts(session, folds)
    for fold in folds:
        rows = stored.get(fold.patient_id, {})
        views = [_view(alert) for alert, _ in rows.values()]
        for change in reconcile(fold.verdicts, views, since=fold.start, until=fold.rest_from):
            if isinstance(change, Raise):
                _raise_anew(session, fold.patient_id, change, [alert for alert, _ in rows.values()], now=now)
            elif isinstance(change, Follow):
                alert, taken = rows[change.key]
                _follow(session, alert, change, taken=taken, now=now)
            else:
                _withdraw(session, rows[change.key][0], now=now)
    _device_events(session, [fold.patient_id for fold in folds], now=now)


def finish(session: Session, folds: Sequence[Fold], *, now: datetime) -> None:
    """Store the new checkpoints and scores; these patients no longer wait, but for the rest of a backlog."""
    rows = [
        {
            "patient": fold.patient_id,
            "seq": fold.seq,
            "checkpoint": msgspec.json.encode(fold.checkpoint).decode(),
            "at": fold.checkpoint.at,
            "news": msgspec.json.encode(scoring.news(fold, now=now)).decode(),
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


def _stored_alerts(session: Session, folds: Sequence[Fold]) -> dict[UUID, dict[object, tuple[Alert, bool]]]:
    """The open alerts of these patients, and the closed ones that the folded readings may still touch."""
    # An episode that goes on, or has just ended, may be older than every reading of this fold.
    since = min(at for fold in folds for at in (fold.start, *(v.episode.run_from for v in fold.verdicts)))
    query = (
        select(Alert, Acknowledgement.id)
        .outerjoin(Acknowledgement, service.standing())
        .where(
            Alert.patient_id.in_([fold.patient_id for fold in folds]),
            Alert.subject == "patient",
            Alert.kind.not_in(service.EVENT_KINDS),
            Alert.closed_at.is_(None) | (Alert.last_at >= since),
        )
        .order_by(Alert.id)
        .with_for_update(of=Alert)
    )
    found: dict[UUID, dict[object, tuple[Alert, bool]]] = {}
    for alert, taken in session.execute(query):
        assert alert.patient_id is not None  # noqa: S101 - the query asks for these patients
        found.setdefault(alert.patient_id, {})[alert.id] = (alert, taken is not None)
    return found


def _view(alert: Alert) -> Stored:
    return Stored(
        key=alert.id,
        kind=alert.kind,
        priority=alert.priority,
        run_from=alert.run_from,
        event_at=alert.event_at,
        last_at=alert.last_at,
        ended_at=alert.ended_at,
        closed=alert.closed_at is not None,
        off_vitals=tuple(alert.off_vitals),
    )


def _raise_anew(
    session: Session, patient_id: UUID, change: Raise, stored: Iterable[Alert], *, now: datetime
) -> None:
    """Raise it, also where the last alert of the kind has ended just now and still waits to be seen."""
    episode = change.episode
    waits = next((a for a in stored if a.kind == episode.kind and a.closed_at is None), None)
    if change.live and waits is not None:
        _repeat(session, waits, episode, peak=_worse(waits.peak_priority, episode.peak_priority), now=now)
    else:
        _raise(session, patient_id, change, now=now)


def _raise(
    session: Session, patient_id: UUID, change: Raise, *, now: datetime, peak: str | None = None
) -> None:
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
        **_moving(episode) | ({"peak_priority": peak} if peak else {}),
    )


def _follow(session: Session, alert: Alert, change: Follow, *, taken: bool, now: datetime) -> None:
    episode = change.episode
    peak = _worse(alert.peak_priority, episode.peak_priority)
    if alert.closed_at is None and alert.ended_at is not None and episode.run_from > alert.ended_at:
        _repeat(session, alert, episode, peak=peak, now=now)
        return
    rose = RANK[episode.priority] > RANK[alert.priority]  # type: ignore[index]
    was_over = alert.ended_at is not None
    for name, value in _moving(episode).items():
        setattr(alert, name, value)
    alert.peak_priority = peak
    if change.reopen or (was_over and episode.ended_at is None):
        _again(session, alert, now=now)
    elif episode.ended_at is not None and alert.closed_at is None:
        service.end_condition(session, alert, ended_at=episode.ended_at, taken=taken, now=now)
    elif not change.quiet:
        if rose and taken:
            _untake(session, alert, now=now)
        events.record(session, AlertChanged(alert_id=alert.id, patient_id=alert.patient_id))


def _repeat(session: Session, alert: Alert, episode: Episode, *, peak: str, now: datetime) -> None:
    """Another episode before anybody saw the last: the last is history, but what of it was unseen is still to
    be seen, so the new alert waits as the old one would have."""
    assert alert.patient_id is not None  # noqa: S101 - these are alerts of patients
    service.close(session, alert, now=now, closed_as="repeated")
    session.flush()
    _raise(session, alert.patient_id, Raise(episode, live=True), peak=peak, now=now)


def _worse(one: str, other: str) -> str:
    return max(one, other, key=lambda priority: RANK[priority])  # type: ignore[index]


def _again(session: Session, alert: Alert, *, now: datetime) -> None:
    """The condition is there again: whoever had taken the alarm before has not taken this."""
    _untake(session, alert, now=now)
    alert.live = True
    alert.raised_at = now
    alert.ended_at = alert.closed_at = alert.closed_as = None
    events.record(session, AlertRaised(alert_id=alert.id, patient_id=alert.patient_id))


def _untake(session: Session, alert: Alert, *, now: datetime) -> None:
    session.execute(update(Acknowledgement).where(service.standing(alert.id)).values(ended_at=now))


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
    }


def _device_events(session: Session, patient_ids: Iterable[UUID], *, now: datetime) -> None:
    """A fall and a call for help are alerts at once; so is a battery that its device calls low."""
    query = (
        select(DeviceEvent)
        .where(DeviceEvent.patient_id.in_(list(patient_ids)), DeviceEvent.judged_at.is_(None))
        .order_by(DeviceEvent.at)
        .with_for_update(skip_locked=True)
    )
    for event in session.scalars(query):
        event.judged_at = now
        if event.kind in service.EVENT_KINDS:
            _raise_event(session, event, subject="patient", kind=event.kind, priority="high", now=now)
        elif event.kind == LOW_BATTERY:
            _raise_event(session, event, subject="device", kind=LOW_BATTERY, priority="low", now=now)


def _raise_event(
    session: Session, event: DeviceEvent, *, subject: str, kind: str, priority: str, now: datetime
) -> None:
    at = min(event.at, event.received_at)
    raised = service.raise_alert(
        session,
        now=now,
        subject=subject,
        subject_id=event.patient_id if subject == "patient" else event.device_id,
        patient_id=event.patient_id,
        device_id=event.device_id,
        kind=kind,
        priority=priority,
        technical=subject == "device",
        run_from=at,
        event_at=at,
        last_at=at,
    )
    if raised is None and kind in service.EVENT_KINDS:
        _call_again(session, event, at=at, now=now)


def _call_again(session: Session, event: DeviceEvent, *, at: datetime, now: datetime) -> None:
    """Another fall, another call for help: who took the last one has not taken this one."""
    alert, taken_at = session.execute(
        select(Alert, Acknowledgement.at)
        .outerjoin(Acknowledgement, service.standing())
        .where(Alert.subject_id == event.patient_id, Alert.kind == event.kind, Alert.closed_at.is_(None))
        .with_for_update(of=Alert)
    ).one()
    alert.last_at = max(alert.last_at, at)
    if taken_at is not None and at > taken_at:
        _again(session, alert, now=now)
