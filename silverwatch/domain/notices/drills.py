"""Drills: a test alarm that goes the way of every alarm, followed from its row to the people. The caller commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.alerts import service
from silverwatch.domain.alerts.models import Acknowledgement, Alert
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.notices.models import Drill, Escalation, Notice
from silverwatch.domain.wards.models import Ward

KIND: Final = "drill"
"""The kind of its alarm: labelled as a drill everywhere, and in no count of the alarm load."""
STEP_WITHIN_S: Final = 5.0
DELIVERED_WITHIN: Final = timedelta(seconds=30)
"""So long it waits for what is on its way: the first attempt comes within 5 s, and a retry after 5 and 15 s."""
TAKEN_WITHIN: Final = timedelta(minutes=2)
"""So long it waits for somebody to acknowledge. That nobody does is noted and is no failure of the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One step of the way: what happened, after how many seconds, and whether that is as it should be."""

    what: str
    ok: bool
    after_s: float | None = None
    detail: str = ""


def begin(session: Session, ward_id: UUID, *, by: UUID | None, now: datetime) -> Drill:
    """Raise the test alarm; raises ConflictError while one runs in the ward, NotFoundError without such a ward."""
    if session.get(Ward, ward_id, with_for_update=True) is None:
        raise NotFoundError("There is no such ward.")
    running = select(Drill.id).where(Drill.ward_id == ward_id, Drill.ended_at.is_(None))
    if session.scalar(running.limit(1)) is not None:
        raise ConflictError("A drill runs in this ward already. Wait until it has ended.")
    alert_id = service.raise_alert(
        session,
        now=now,
        subject="system",
        subject_id=ward_id,
        kind=KIND,
        priority="high",
        technical=True,
        run_from=now,
        event_at=now,
        last_at=now,
    )
    drill = Drill(id=clock.new_id(), ward_id=ward_id, alert_id=alert_id, begun_at=now, begun_by=by, lines=[])
    session.add(drill)
    audit.record(session, "drill.begun", ward_id=ward_id, subject=("drill", drill.id))
    session.flush()
    return drill


def watch(session: Session, *, now: datetime) -> int:
    """Look after every drill that runs, and end those whose time is over; gives how many still run."""
    rows = session.scalars(
        select(Drill).where(Drill.ended_at.is_(None)).with_for_update(skip_locked=True)
    ).all()
    for drill in rows:
        look(session, drill, now=now)
    return sum(1 for drill in rows if drill.ended_at is None)


def look(session: Session, drill: Drill, *, now: datetime, give_up: bool = False) -> list[Line]:
    """How the drill stands; ends it when everything has come to its end, or now with `give_up`."""
    lines, is_done = _lines(session, drill, now=now)
    drill.lines = [_plain(line) for line in lines]
    if is_done or give_up:
        drill.ended_at = now
        drill.passed = all(line.ok for line in lines)
        alert = session.get(Alert, drill.alert_id, with_for_update=True) if drill.alert_id else None
        if alert is not None and alert.closed_at is None:
            alert.ended_at = now
            service.close(session, alert, now=now, closed_as="ended")
    return lines


def lines_of(drill: Drill) -> list[Line]:
    """The lines of a drill as they were last seen."""
    return [Line(**line) for line in drill.lines]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A drill of the list."""

    id: UUID
    ward: str
    begun_at: datetime
    by: str | None
    ended_at: datetime | None
    passed: bool | None
    lines: Sequence[Line]


def lately(session: Session, ward_ids: Sequence[UUID], *, limit: int = 30) -> list[Shown]:
    """The last drills of these wards, the newest first."""
    query = (
        select(Drill, Ward.name, Account.name)
        .join(Ward, Ward.id == Drill.ward_id)
        .outerjoin(Account, Account.id == Drill.begun_by)
        .where(Drill.ward_id.in_(ward_ids))
        .order_by(Drill.begun_at.desc())
        .limit(limit)
    )
    return [
        Shown(
            id=drill.id,
            ward=ward,
            begun_at=drill.begun_at,
            by=by,
            ended_at=drill.ended_at,
            passed=drill.passed,
            lines=lines_of(drill),
        )
        for drill, ward, by in session.execute(query)
    ]


def begin_daily(session: Session, *, hour: int, now: datetime, zone: ZoneInfo) -> int:
    """Begin today's drill in each ward that has had none yet, in the hour of the day for it; gives how many."""
    local = now.astimezone(zone)
    if local.hour != hour:
        return 0
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    had = set(
        session.scalars(select(Drill.ward_id).where(Drill.begun_by.is_(None), Drill.begun_at >= midnight))
    )
    running = set(session.scalars(select(Drill.ward_id).where(Drill.ended_at.is_(None))))
    wards = set(session.scalars(select(Ward.id))) - had - running
    for ward_id in sorted(wards):
        begin(session, ward_id, by=None, now=now)
    return len(wards)


def _lines(session: Session, drill: Drill, *, now: datetime) -> tuple[list[Line], bool]:
    """The lines, and whether nothing more is to come."""
    alert = session.get(Alert, drill.alert_id) if drill.alert_id else None
    if alert is None:
        return [Line(what="raised", ok=False, detail="The test alarm was not stored.")], True
    lines = [Line(what="raised", ok=True, after_s=_s(drill.begun_at, alert.raised_at))]
    late = now - drill.begun_at > DELIVERED_WITHIN
    steps = session.scalars(
        select(Escalation).where(Escalation.alert_id == alert.id).order_by(Escalation.taken_at)
    ).all()
    if not steps:
        lines.append(Line(what="step", ok=False, detail="No step of the chain was taken."))
        return lines, late
    first = next((step for step in steps if step.reached), steps[0])
    after_s = _s(drill.begun_at, first.taken_at)
    detail = f"{first.reached} to tell" + (f", by fallback ({first.fallback})" if first.fallback else "")
    ok = bool(first.reached) and first.fallback is None and after_s <= STEP_WITHIN_S
    lines.append(Line(what="step", ok=ok, after_s=after_s, detail=detail))
    told, all_told = _told(session, drill, first)
    lines += told
    taken, is_taken = _taken(session, drill, alert)
    lines.append(taken)
    waited = now - drill.begun_at > TAKEN_WITHIN
    return lines, (late or all_told) and (is_taken or waited)


def _told(session: Session, drill: Drill, step: Escalation) -> tuple[list[Line], bool]:
    rows = session.execute(
        select(Notice, Account.name)
        .join(Account, Account.id == Notice.account_id)
        .where(Notice.escalation_id == step.id)
        .order_by(Account.name, Notice.channel)
    ).all()
    lines, waits = [], False
    for notice, name in rows:
        # Who acknowledged before a notice went out needs it no more.
        ok = notice.delivered_at is not None or notice.cancelled_at is not None
        waits = waits or (not ok and notice.next_attempt_at is not None)
        after_s = _s(drill.begun_at, notice.delivered_at) if notice.delivered_at else None
        detail = notice.error or notice.held_as or ("not needed any more" if notice.cancelled_at else "")
        lines.append(Line(what=f"{notice.channel} to {name}", ok=ok, after_s=after_s, detail=detail))
    return lines, bool(rows) and not waits


def _taken(session: Session, drill: Drill, alert: Alert) -> tuple[Line, bool]:
    row = session.execute(
        select(Acknowledgement.at, Account.name)
        .join(Account, Account.id == Acknowledgement.account_id)
        .where(Acknowledgement.alert_id == alert.id)
        .order_by(Acknowledgement.at)
        .limit(1)
    ).one_or_none()
    if row is None:
        return Line(what="acknowledged", ok=True, detail="not yet by anybody"), False
    return Line(
        what="acknowledged", ok=True, after_s=_s(drill.begun_at, row.at), detail=f"by {row.name}"
    ), True


def _s(since: datetime, at: datetime) -> float:
    return round((at - since).total_seconds(), 2)


def _plain(line: Line) -> dict[str, Any]:
    return {"what": line.what, "ok": line.ok, "after_s": line.after_s, "detail": line.detail}
