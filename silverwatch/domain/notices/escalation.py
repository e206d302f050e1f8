"""Taking the steps of a chain: by the clock, or because somebody wants the next one now. The caller commits.

The step, its notices and the next deadline are one transaction, so that whoever dies loses neither.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import case, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import events
from silverwatch.domain.access import Actor
from silverwatch.domain.alerts import chains, whereabouts
from silverwatch.domain.alerts.models import Acknowledgement, Alert
from silverwatch.domain.alerts.steps import Chain, Step
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.notices import nobody, people, rules
from silverwatch.domain.notices.facts import AlertEscalated
from silverwatch.domain.notices.models import Escalation, Notice
from silverwatch.domain.notices.people import History, Named
from silverwatch.domain.notices.rules import Person

AT_ONCE: Final = 50
"""Alerts a transaction: its locks are short, and the next round follows at once."""


def take_due(session: Session, *, now: datetime, zone: ZoneInfo) -> int:
    """Take the steps that are due, the most urgent first; gives how many alerts were looked at."""
    alerts = session.scalars(
        select(Alert)
        .where(Alert.escalate_at <= now)
        .order_by(case({"high": 0, "medium": 1}, value=Alert.priority, else_=2), Alert.escalate_at)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    waiting = _still_waiting(session, alerts)
    if waiting:
        round_ = _Round(session, waiting, now=now, zone=zone)
        for alert in waiting:
            round_.take(alert, by=None)
        round_.finish()
    return len(alerts)


def escalate(session: Session, actor: Actor, alert: Alert, *, now: datetime, zone: ZoneInfo) -> None:
    """Take the next step now; raises ConflictError for an alarm that is over."""
    if alert.closed_at is not None:
        raise ConflictError("This alarm is over. There is nothing to escalate.")
    round_ = _Round(session, [alert], now=now, zone=zone)
    round_.take(alert, by=actor)
    round_.finish()


def _still_waiting(session: Session, alerts: Sequence[Alert]) -> list[Alert]:
    """Those that nobody has taken; the others are no more of our business."""
    taken = set(
        session.scalars(
            select(Acknowledgement.alert_id).where(
                Acknowledgement.alert_id.in_([alert.id for alert in alerts]),
                Acknowledgement.ended_at.is_(None),
            )
        )
    )
    waiting = []
    for alert in alerts:
        if alert.closed_at is not None or alert.muted_by is not None or alert.id in taken:
            chains.stop(alert)
        else:
            waiting.append(alert)
    return waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A step that was taken, whose notices are still to be written."""

    alert: Alert
    escalation: Escalation
    step: Step
    account_ids: tuple[UUID, ...]


class _Round:
    """Steps of several alerts, with what they need read once for all of them."""

    def __init__(self, session: Session, alerts: Sequence[Alert], *, now: datetime, zone: ZoneInfo) -> None:
        self._session, self._now, self._zone = session, now, zone
        places = whereabouts.places_of_alerts(session, [alert.id for alert in alerts], now=now)
        self._wards = {alert.id: places[alert.id][0] if alert.id in places else None for alert in alerts}
        self._chains = chains.chains_for(session, self._wards.values())
        self._crews = people.crews(session, self._wards.values(), now=now)
        self._wanted: list[_Wanted] = []

    def take(self, alert: Alert, *, by: Actor | None) -> None:
        """Take the next step of the alert. One that names nobody is noted, and the next one taken at once."""
        ward_id = self._wards[alert.id]
        chain, crew = self._chains[ward_id, alert.priority], self._crews[ward_id]
        place = chain.place(alert.step)
        while (named := crew.named(chain.steps[place])) is None and place + 1 < len(chain.steps):
            self._note(alert, chain, place, Named(account_ids=()), by=by)
            place += 1
        named = named or crew.last_resort()
        row = self._note(alert, chain, place, named, by=by)
        self._wanted.append(
            _Wanted(alert=alert, escalation=row, step=chain.steps[place], account_ids=named.account_ids)
        )
        alert.step = place + 1
        alert.escalate_at = chain.next_at(place, now=self._now)
        if place > 0 or by is not None:
            alert.escalated_at = self._now
        events.record(self._session, AlertEscalated(alert_id=alert.id, patient_id=alert.patient_id))

    def finish(self) -> None:
        """Write the notices of all the steps, and see to the wards in which nobody is on duty."""
        self._session.flush()
        everybody = {account_id for wanted in self._wanted for account_id in wanted.account_ids}
        known = people.persons(self._session, everybody)
        history = History(self._session, everybody, now=self._now)
        rows = [
            row
            for wanted in self._wanted
            for account_id in wanted.account_ids
            if account_id in known
            for row in self._notices(wanted, known[account_id], history)
        ]
        if rows:
            self._session.execute(insert(Notice).values(rows).on_conflict_do_nothing())
        for ward_id, crew in self._crews.items():
            if ward_id is not None and not any(person.is_here for person in crew.on_duty):
                nobody.sound(self._session, ward_id, planned=bool(crew.on_duty), now=self._now)

    def _note(self, alert: Alert, chain: Chain, place: int, named: Named, *, by: Actor | None) -> Escalation:
        step = chain.steps[place]
        row = Escalation(
            id=clock.new_id(),
            alert_id=alert.id,
            ward_id=self._wards[alert.id],
            priority=alert.priority,
            place=place,
            role=step.role.value if step.role else None,
            fallback=named.fallback,
            reached=len(named.account_ids),
            taken_at=self._now,
            taken_by=by.account_id if by else None,
        )
        self._session.add(row)
        return row

    def _notices(self, wanted: _Wanted, person: Person, history: History) -> Iterable[dict[str, object]]:
        alert, about = wanted.alert, (wanted.alert.subject_id, wanted.alert.kind)
        for channel in rules.channels_of(wanted.step.channels, person.reachable):
            held = rules.held(
                channel,
                alert.priority,
                told=history.told(person.account_id, channel, about=about),
                quiet=person.quiet,
                now=self._now,
                zone=self._zone,
            )
            if held is None:
                history.add(person.account_id, channel, about=about, at=self._now, priority=alert.priority)
            yield {
                "id": clock.new_id(),
                "alert_id": alert.id,
                "escalation_id": wanted.escalation.id,
                "account_id": person.account_id,
                "channel": channel,
                "address_id": person.reachable.get(channel),
                "priority": alert.priority,
                "created_at": self._now,
                "next_attempt_at": self._now if held is None and channel != "web" else None,
                # A row on somebody's pages is there once it is committed.
                "delivered_at": self._now if held is None and channel == "web" else None,
                "held_as": held,
            }


def hurry(session: Session, alert_id: UUID, *, now: datetime) -> None:
    """Nobody of the last step could be reached: the next one is due now."""
    alert = session.get(Alert, alert_id, with_for_update=True)
    if alert is not None and alert.escalate_at is not None and alert.escalate_at > now:
        alert.escalate_at = now
