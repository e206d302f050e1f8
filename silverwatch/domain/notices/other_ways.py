"""When a way to somebody does not work: their next one, or else the next people. The caller commits."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import events
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.notices import escalation, people, rules, ways
from silverwatch.domain.notices.facts import NoticeChanged
from silverwatch.domain.notices.models import Escalation, Notice, NoticeWay

AT_ONCE: Final = 100


def find(session: Session, notice: Notice, *, now: datetime) -> None:
    """The next channel of the same person, or else the next people."""
    if notice.alert_id is None or notice.escalation_id is None:
        return
    channel, address_id = _next(session, notice)
    if channel is not None:
        session.execute(
            insert(Notice)
            .values(
                id=clock.new_id(),
                alert_id=notice.alert_id,
                escalation_id=notice.escalation_id,
                account_id=notice.account_id,
                channel=channel,
                address_id=address_id,
                priority=notice.priority,
                created_at=now,
                next_attempt_at=now,
            )
            .on_conflict_do_nothing()
        )
    elif not _somebody_reached(session, notice):
        escalation.hurry(session, notice.alert_id, now=now)


def divert(session: Session, *, now: datetime) -> int:
    """Whoever waits for a way that is down and was not tried yet is told another way; gives how many were."""
    diverted = 0
    for way in ways.down(session):
        waiting = session.scalars(_untried(way, now)).all()
        for notice in waiting:
            notice.error = way.error
            session.flush()
            find(session, notice, now=now)
        for alert_id in {notice.alert_id for notice in waiting if notice.alert_id}:
            patient_id = session.scalar(select(Alert.patient_id).where(Alert.id == alert_id))
            events.record(session, NoticeChanged(alert_id=alert_id, patient_id=patient_id))
        diverted += len(waiting)
    return diverted


def _untried(way: NoticeWay, now: datetime) -> Select[Notice]:
    """Without an error: each of them is told another way once."""
    query = select(Notice).where(
        Notice.channel == way.channel,
        Notice.next_attempt_at <= now,
        Notice.kind == "alarm",
        Notice.error.is_(None),
    )
    if way.address_id is not None:
        query = query.where(Notice.address_id == way.address_id)
    return query.order_by(Notice.created_at.desc()).limit(AT_ONCE).with_for_update(skip_locked=True)


def _next(session: Session, notice: Notice) -> tuple[str | None, UUID | None]:
    account = session.get_one(Account, notice.account_id)
    if account.deactivated_at is not None:
        return None, None
    person = people.persons(session, [account.id])[account.id]
    tried = set(
        session.scalars(
            select(Notice.channel).where(
                Notice.escalation_id == notice.escalation_id, Notice.account_id == notice.account_id
            )
        )
    )
    channel = rules.next_channel(tried, person.reachable)
    return channel, person.reachable[channel] if channel is not None else None


def _somebody_reached(session: Session, notice: Notice) -> bool:
    """Was anybody of this step told, or may still be, or has another step come since?"""
    hopeful = exists().where(
        Notice.escalation_id == notice.escalation_id,
        Notice.channel != "web",
        or_(
            Notice.delivered_at.is_not(None),
            # Nothing was said against it yet: not tried, or being tried.
            (Notice.next_attempt_at.is_not(None)) & (Notice.error.is_(None)),
        ),
    )
    own = session.get_one(Escalation, notice.escalation_id)
    later = exists().where(Escalation.alert_id == notice.alert_id, Escalation.taken_at > own.taken_at)
    return bool(session.scalar(select(or_(hopeful, later))))
