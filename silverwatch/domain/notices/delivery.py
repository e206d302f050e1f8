"""Notices on their way: claimed one by one, delivered, tried again, or sent another way. The caller commits."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import exists, or_, select, text, update
from sqlalchemy.orm import Session

from silverwatch.domain import events
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.alerts.models import Acknowledgement, Alert
from silverwatch.domain.alerts.steps import PRIORITIES
from silverwatch.domain.mail.service import one_line
from silverwatch.domain.notices import other_ways, rules, ways
from silverwatch.domain.notices.facts import NoticeChanged
from silverwatch.domain.notices.models import Notice, NoticeAddress, NoticeAttempt
from silverwatch.domain.notices.ready import Ready, ready

ERROR_LENGTH: Final = 300


def claim(session: Session, channel: str, *, now: datetime, before: datetime | None = None) -> Ready | None:
    """Note one attempt at the next notice of this channel, the most urgent first, the newest first among those.

    `before`: one that was never tried must have been due since then. The caller commits, then makes the attempt, and
    says `keep` while it lasts. A notice whose alarm was taken or is over is cancelled instead.
    """
    due = select(Notice).where(
        Notice.channel == channel,
        Notice.next_attempt_at <= now,
        or_(Notice.next_attempt_at <= (before or now), Notice.attempts > 0),
    )
    if resting := ways.resting(session, channel, now=now):
        if channel != "webhook":
            return None
        due = due.where(Notice.address_id.not_in([way.address_id for way in resting]))
    if session.scalar(due.with_only_columns(Notice.id).limit(1)) is None:
        return None
    # By index, one priority after the other: ten thousand that wait are not to be sorted for each one that goes.
    for priority in PRIORITIES:
        one = due.where(Notice.priority == priority).order_by(Notice.created_at.desc()).limit(1)
        while (notice := session.scalar(one.with_for_update(skip_locked=True))) is not None:
            alert = session.get(Alert, notice.alert_id) if notice.alert_id else None
            if alert is not None and _is_taken(session, alert):
                notice.next_attempt_at, notice.cancelled_at = None, now
            elif now - notice.created_at > rules.GIVEN_UP_AFTER:
                notice.next_attempt_at, notice.failed_at = None, now
                notice.error = one_line(f"{rules.TOO_OLD} {notice.error or ''}")[:ERROR_LENGTH]
            elif not ways.may_try(session, notice, now=now):
                return None
            elif (noted := _attempt(session, notice, alert, now=now)) is not None:
                return noted
            session.flush()
    return None


def keep(session: Session, notice_id: UUID, *, now: datetime) -> None:
    """Its attempt is still being made: nobody else makes another one. Waits for nobody."""
    session.execute(text(_KEEP), {"id": notice_id, "until": now + rules.LEASE})


# Whoever has the row writes its end, or cancels it: then there is nothing to keep.
_KEEP: Final = """
UPDATE notice SET next_attempt_at = :until WHERE id = (
  SELECT id FROM notice WHERE id = :id AND next_attempt_at IS NOT NULL AND delivered_at IS NULL
  FOR UPDATE SKIP LOCKED)
"""


def close_old(session: Session, channel: str, *, now: datetime) -> int:
    """Give up what is too old, and cancel what nobody needs any more, many at once; gives how many."""
    params = {"channel": channel, "now": now, "old": now - rules.GIVEN_UP_AFTER, "why": rules.TOO_OLD}
    return sum(len(session.execute(text(statement), params).all()) for statement in (_CANCEL, _GIVE_UP))


_CANCEL: Final = """
UPDATE notice SET next_attempt_at = NULL, cancelled_at = :now WHERE id IN (
  SELECT n.id FROM notice n JOIN alert a ON a.id = n.alert_id
  WHERE n.channel = :channel AND n.next_attempt_at <= CAST(:now AS timestamptz)
    AND (a.closed_at IS NOT NULL OR a.muted_by IS NOT NULL OR EXISTS (
      SELECT 1 FROM acknowledgement k WHERE k.alert_id = a.id AND k.ended_at IS NULL))
  LIMIT 5000 FOR UPDATE OF n SKIP LOCKED)
RETURNING id
"""
_GIVE_UP: Final = """
UPDATE notice SET next_attempt_at = NULL, failed_at = :now, error = concat_ws(' ', CAST(:why AS text), error)
WHERE id IN (
  SELECT id FROM notice WHERE channel = :channel AND next_attempt_at <= CAST(:now AS timestamptz)
    AND created_at < CAST(:old AS timestamptz)
  LIMIT 5000 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def delivered(session: Session, notice_id: UUID, *, now: datetime) -> None:
    """The gateway took it."""
    notice = session.get(Notice, notice_id, with_for_update=True)
    if notice is None:
        return
    _close_attempt(session, notice, "delivered", now=now)
    notice.delivered_at, notice.next_attempt_at, notice.error, notice.failed_at = now, None, None, None
    session.flush()
    ways.worked(session, notice, now=now)
    _changed(session, notice)


def failed(
    session: Session,
    notice_id: UUID,
    *,
    error: str,
    now: datetime,
    for_good: bool = False,
    ours: bool = False,
) -> datetime | None:
    """The attempt failed: when the next one is, None when there is none. `ours`: its way is not to blame.

    At the first failure, which need not be the first attempt (its maker may have died), the next channel of the same
    person is tried at once; with none left, and nobody else of the step reached, the next step of the chain is due.
    """
    notice = session.get(Notice, notice_id, with_for_update=True)
    if notice is None or notice.delivered_at is not None:
        return None
    is_first = notice.error is None
    notice.error = one_line(error)[:ERROR_LENGTH]
    _close_attempt(session, notice, "failed", now=now, error=notice.error)
    if notice.cancelled_at is not None:
        # Its alarm was taken, or its step taken back, while this attempt was made.
        notice.next_attempt_at = None
        _changed(session, notice)
        return None
    if for_good or notice.kind == "test" or now - notice.created_at >= rules.GIVEN_UP_AFTER:
        # A test is tried once: whoever asked for it looks at it now.
        notice.next_attempt_at, notice.failed_at = None, now
    else:
        notice.next_attempt_at = now + rules.back_off(notice.attempts)
    session.flush()
    if not (for_good or ours or notice.kind == "test"):
        ways.failed(session, notice, error=notice.error, now=now)
    if is_first or for_good:
        other_ways.find(session, notice, now=now)
    _changed(session, notice)
    return notice.next_attempt_at


def waiting(session: Session, *, now: datetime) -> list[str]:
    """The channels on which a notice is due."""
    query = select(Notice.channel).where(Notice.next_attempt_at <= now).distinct()
    return list(session.scalars(query))


def _is_taken(session: Session, alert: Alert) -> bool:
    if alert.closed_at is not None or alert.muted_by is not None:
        return True
    standing = exists().where(Acknowledgement.alert_id == alert.id, Acknowledgement.ended_at.is_(None))
    return bool(session.scalar(select(standing)))


def _attempt(session: Session, notice: Notice, alert: Alert | None, *, now: datetime) -> Ready | None:
    """Note the attempt; None, and the notice given up, when its address is gone."""
    account = session.get_one(Account, notice.account_id)
    address = session.get(NoticeAddress, notice.address_id) if notice.address_id else None
    gone = address is not None and (address.removed_at is not None or address.verified_at is None)
    # A test of a gateway goes to an address that is used for nothing else.
    if account.deactivated_at is not None or (gone and alert is not None):
        notice.next_attempt_at, notice.failed_at, notice.error = None, now, "The address was taken back."
        session.flush()
        other_ways.find(session, notice, now=now)
        return None
    before = session.scalar(
        select(NoticeAttempt.notice_id)
        .where(NoticeAttempt.notice_id == notice.id, NoticeAttempt.outcome.is_(None))
        .limit(1)
    )
    notice.attempts += 1
    notice.next_attempt_at = now + rules.LEASE
    session.add(NoticeAttempt(notice_id=notice.id, number=notice.attempts, begun_at=now))
    session.flush()
    return ready(session, notice, alert, account, address, repeat=before is not None, now=now)


def _close_attempt(
    session: Session, notice: Notice, outcome: str, *, now: datetime, error: str | None = None
) -> None:
    session.execute(
        update(NoticeAttempt)
        .where(NoticeAttempt.notice_id == notice.id, NoticeAttempt.number == notice.attempts)
        .values(ended_at=now, outcome=outcome, error=error)
    )


def _changed(session: Session, notice: Notice) -> None:
    if notice.alert_id is None:
        return
    patient_id = session.scalar(select(Alert.patient_id).where(Alert.id == notice.alert_id))
    events.record(session, NoticeChanged(alert_id=notice.alert_id, patient_id=patient_id))
