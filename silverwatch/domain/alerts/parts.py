"""The parts of the system, and whether each works: who watches the watcher.

Every process that lives writes a heartbeat; the guard and each web process read all of them. So a part that stops is
missed by another one, and an alarm about it stands on every staff page. Source: reliability.md I7.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID, uuid5

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.alerts import service, waiting
from silverwatch.domain.alerts.board import Priority
from silverwatch.domain.alerts.models import Alert, Heartbeat
from silverwatch.domain.readings import partitions

State = Literal["ok", "late", "down"]

GUARD: Final = "guard"
HOUSEKEEPING: Final = "housekeeping"
LETTERS: Final = "letters"
NOTICES: Final = "notices"
ALARM_WORKER: Final = "alarm_worker"
REPORT_WORKER: Final = "report_worker"

BEAT_S: Final = 2.0
"""How often a process says that it lives."""
DOWN_S: Final = 7.0
"""Three beats missed: with a look every 2 s the alarm stands within 10 s."""
BOOT_S: Final = 20.0
"""Whoever has just started does not judge the others yet: they may be starting too."""
LATE_S: Final = 2.0
JUDGING_DOWN_S: Final = 7.0
LEAST_WEEKS_AHEAD: Final = 2
SKEW_S: Final = 5.0
"""How far the clocks of two servers may differ, and how far ours may go back."""

EXPECTED: Final[Mapping[str, float]] = {
    GUARD: DOWN_S,
    ALARM_WORKER: DOWN_S,
    REPORT_WORKER: DOWN_S,
    NOTICES: DOWN_S,
    # These beat once a round, and a round takes a minute at most.
    HOUSEKEEPING: 180.0,
    LETTERS: 90.0,
}
"""Who must beat, and after how many seconds without a beat it is down."""

PRIORITY: Final[Mapping[str, Priority]] = {
    "judging": "high",
    "clock": "high",
    GUARD: "high",
    NOTICES: "high",
    "storage": "high",
}
"""How urgent it is that the part is down; medium for the others."""

NAMESPACE: Final = UUID("0199f3a4-5d6e-7000-8000-51a7e2c0ffee")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part: `since` when it does not work, and by how many seconds it is behind."""

    name: str
    state: State
    since: datetime | None = None
    behind_s: float = 0.0

    @property
    def kind(self) -> str:
        """The kind of its alarm."""
        return f"down_{self.name}"

    @property
    def subject_id(self) -> UUID:
        """The subject of its alarm."""
        return uuid5(NAMESPACE, self.name)


def beat(session: Session, name: str, *, now: datetime) -> None:
    """This process lives."""
    row = insert(Heartbeat).values(name=name, at=now)
    session.execute(row.on_conflict_do_update(index_elements=["name"], set_={"at": row.excluded.at}))


def look(session: Session, *, now: datetime, bus: bool | None = None) -> list[Part]:
    """Every part and how it does. `bus`: whether the caller hears the message bus; None if it cannot tell."""
    beats = {row.name: row.at for row in session.scalars(select(Heartbeat))}
    found = [_judging(session, now=now)]
    found += [_beating(name, beats.get(name), now=now) for name in EXPECTED]
    found.append(_clock(session, now=now))
    weeks = partitions.weeks_ahead(session.connection(), now=now)
    found.append(Part(name="storage", state="ok" if weeks >= LEAST_WEEKS_AHEAD else "down", since=now))
    if bus is not None:
        found.append(Part(name="bus", state="ok" if bus else "down", since=now))
    return found


def sound(session: Session, parts: Sequence[Part], *, now: datetime) -> None:
    """Raise an alarm for each part that is down, and end those of the parts that work again."""
    open_alerts = {
        alert.subject_id: alert
        for alert in session.scalars(
            select(Alert)
            .where(Alert.subject == "system", Alert.patient_id.is_(None), Alert.closed_at.is_(None))
            .where(Alert.subject_id.in_([part.subject_id for part in parts]))
            .with_for_update(skip_locked=True)
        )
    }
    for part in parts:
        alert = open_alerts.get(part.subject_id)
        if part.state == "down" and alert is None:
            _raise(session, part, now=now)
        elif part.state == "ok" and alert is not None:
            alert.ended_at = now
            service.close(session, alert, now=now, closed_as="ended")


def watch(session: Session, *, now: datetime, bus: bool | None = None) -> list[Part]:
    """Look, and sound."""
    found = look(session, now=now, bus=bus)
    sound(session, found, now=now)
    return found


def is_well(parts: Iterable[Part]) -> bool:
    """Does everything work?"""
    return all(part.state != "down" for part in parts)


def _judging(session: Session, *, now: datetime) -> Part:
    lag_s = waiting.waiting_s(session, now=now)
    state: State = "ok" if lag_s < LATE_S else "late" if lag_s < JUDGING_DOWN_S else "down"
    return Part(name="judging", state=state, since=now - timedelta(seconds=lag_s), behind_s=lag_s)


def _beating(name: str, at: datetime | None, *, now: datetime) -> Part:
    if at is None:
        return Part(name=name, state="down", since=now)
    behind_s = max(0.0, (now - at).total_seconds())
    return Part(name=name, state="ok" if behind_s < EXPECTED[name] else "down", since=at, behind_s=behind_s)


def _clock(session: Session, *, now: datetime) -> Part:
    """Do our clock and the database's agree, and has ours gone back behind what was heard already?"""
    row = session.execute(
        text("SELECT clock_timestamp() AS at, (SELECT max(last_seen_at) FROM device_state) AS seen")
    ).one()
    skew_s = abs((clock.now() - row.at).total_seconds())
    back_s = (row.seen - now).total_seconds() if row.seen else 0.0
    behind_s = max(skew_s, back_s)
    return Part(name="clock", state="ok" if behind_s < SKEW_S else "down", since=now, behind_s=behind_s)


def _raise(session: Session, part: Part, *, now: datetime) -> None:
    service.raise_alert(
        session,
        now=now,
        subject="system",
        subject_id=part.subject_id,
        kind=part.kind,
        priority=PRIORITY.get(part.name, "medium"),
        technical=True,
        run_from=part.since or now,
        event_at=now,
        last_at=now,
        value=round(part.behind_s, 1) or None,
    )
