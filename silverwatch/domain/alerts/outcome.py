"""Bring the alerts in line with what the fold found, each change with its fact in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from silverwatch.domain import events
from silverwatch.domain.alerts import chains, device_events, leaving, returning, service
from silverwatch.domain.alerts.facts import AlertChanged
from silverwatch.domain.alerts.folding import Fold
from silverwatch.domain.alerts.latch import RANK
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.alerts.reconcile import Change, Follow, Raise, Withdraw, columns, reconcile
from silverwatch.domain.alerts.rules import SENSOR_OFF, Verdict
from silverwatch.domain.alerts.told import WITHDRAWN, Told, told
from silverwatch.domain.records import stays


def apply(session: Session, folds: Sequence[Fold], *, now: datetime) -> None:
    """Raise, follow, end and withdraw alerts; then what devices report besides readings."""
    # An episode that goes on, or has just ended, may be older than every reading of this fold.
    since = min(at for fold in folds for at in (fold.start, *(v.episode.run_from for v in fold.verdicts)))
    found = told(session, folds, since=since, alerts_since=since - returning.COMES_BACK)
    # Nobody stands at the bed of who has left: what is found of them is history.
    gone = stays.gone(session, [fold.patient_id for fold in folds])
    for fold in folds:
        if fold.patient_id in gone:
            fold.verdicts = [Verdict(verdict.episode, live=False) for verdict in fold.verdicts]
        of = found[fold.patient_id]
        changes = reconcile(fold.verdicts, of.views(now), since=fold.start, until=fold.rest_from)
        for change in sorted(changes, key=lambda change: _turn(of, change)):
            _apply(session, fold.patient_id, of, change, now=now)
    device_events.judge(session, [fold.patient_id for fold in folds], gone=gone, now=now)


def _turn(of: Told, change: Change) -> int:
    """What alerts said before they came back is put right first: an alert that is withdrawn may become that again."""
    if isinstance(change, Raise):
        return 3
    if change.key in of.earlier:
        return 0 if isinstance(change, Withdraw) else 1
    return 2 if isinstance(change, Withdraw) else 3


def _apply(session: Session, patient_id: UUID, of: Told, change: Change, *, now: datetime) -> None:
    if isinstance(change, Raise):
        _raise(session, patient_id, of, change, now=now)
    elif isinstance(change, Withdraw):
        if change.key in of.earlier:
            returning.withdraw_earlier(session, of.earlier[change.key], now=now)
        else:
            _withdraw(session, of, of.alerts[change.key], now=now)
    elif change.key in of.earlier:
        returning.follow_earlier(session, of.earlier[change.key], change.episode)
    else:
        _follow(session, of, change, now=now)


def _raise(session: Session, patient_id: UUID, of: Told, change: Raise, *, now: datetime) -> None:
    """Raise it; where the last alert of the kind has ended just now, it is that one that comes back."""
    episode = change.episode
    before = returning.before(episode, of.alerts.values()) if change.live else None
    if before is not None:
        returning.come_back(session, before, episode, now=now)
        return
    service.raise_alert(
        session,
        now=now,
        live=change.live,
        subject="patient",
        subject_id=patient_id,
        patient_id=patient_id,
        kind=episode.kind,
        technical=episode.kind == SENSOR_OFF,
        peak_priority=episode.peak_priority,
        ended_at=episode.ended_at,
        **columns(episode),
    )


def _follow(session: Session, of: Told, change: Follow, *, now: datetime) -> None:
    alert, episode, taken = of.alerts[change.key], change.episode, change.key in of.taken
    stands = of.open_one(alert.kind)
    if change.live and stands is not None and stands is not alert:
        # One of a kind is open: the one that waits to be seen comes back, and there is no second beside it.
        returning.come_back(session, stands, episode, now=now)
        _withdraw(session, of, alert, now=now)
        return
    rose = RANK[episode.priority] > RANK[alert.priority]  # type: ignore[index]
    was_over, was_closed = alert.ended_at is not None, alert.closed_at is not None
    peak = (
        returning.worse_of(alert.peak_priority, episode.peak_priority)
        if alert.live
        else episode.peak_priority
    )
    for name, value in columns(episode).items():
        setattr(alert, name, value)
    alert.peak_priority = peak
    if change.live and (was_closed or was_over):
        _again(session, alert, now=now)
    elif was_closed:
        _correct(alert, ended_at=episode.ended_at)
    elif episode.ended_at is not None:
        service.end_condition(session, alert, ended_at=episode.ended_at, taken=taken, now=now)
    else:
        alert.ended_at = None
        _tell(session, alert, rose=rose, taken=taken, quiet=change.quiet, now=now)


def _tell(session: Session, alert: Alert, *, rose: bool, taken: bool, quiet: bool, now: datetime) -> None:
    if rose and taken:
        service.sound(session, alert, now=now)
    elif not quiet:
        if rose:
            chains.start(alert, now)
        events.record(session, AlertChanged(alert_id=alert.id, patient_id=alert.patient_id))


def _correct(alert: Alert, *, ended_at: datetime | None) -> None:
    """A closed alert stays closed; what it says is put right, and what was withdrawn counts again.

    Where it still held when its patient left, it ends with the stay: nothing was measured afterwards.
    """
    if ended_at is None and alert.resolution == leaving.DISCHARGED:
        ended_at = alert.closed_at
    alert.ended_at = ended_at
    if ended_at is not None:
        alert.realarm_at = None
    if alert.closed_as == WITHDRAWN:
        alert.closed_as = "ended" if alert.live else "retrospective"


def _again(session: Session, alert: Alert, *, now: datetime) -> None:
    """The condition is there again, or still: whoever had taken the alarm before has not taken this."""
    alert.live = True
    alert.ended_at = alert.closed_at = alert.closed_as = alert.resolution = alert.resolved_by = None
    service.sound(session, alert, now=now)


def _withdraw(session: Session, of: Told, alert: Alert, *, now: datetime) -> None:
    if returning.step_back(session, alert, taken=alert.id in of.taken, now=now):
        pass
    elif alert.closed_at is None:
        alert.ended_at = alert.ended_at or now
        service.close(session, alert, now=now, closed_as=WITHDRAWN)
    else:
        alert.ended_at, alert.closed_as, alert.realarm_at = alert.ended_at or alert.last_at, WITHDRAWN, None
    # The open one of its kind may be another from now on, and the table holds only one at any time.
    session.flush()
