"""Fluids that went into a patient and came out: recorded, corrected, added up. The caller commits.

An entry never changes. A wrong one is struck out with a reason, and what is right instead is another entry that
replaces it: sums leave out what is struck out, lists show it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.access import Actor
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.readings.fluid_balance import (
    DAY,
    DAYS,
    INTAKE,
    Balance,
    HourSum,
    Sum,
    balance,
    day_begin,
)
from silverwatch.domain.readings.models import Fluid

MOST_TEXT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What went in or came out, how much and when; `what` says it in words where there is more to say."""

    kind: str
    ml: int
    at: datetime
    what: str = ""


def record(
    session: Session,
    actor: Actor,
    patient_id: UUID,
    entry: Entry,
    *,
    form_id: UUID,
    now: datetime,
    replaces: UUID | None = None,
) -> bool:
    """Add an entry. `form_id` is the form's own, so that a resend is the same entry: False then.

    Who goes back to the form and sends something else has made another entry.
    """
    values = {
        "patient_id": patient_id, "at": entry.at, "kind": entry.kind, "ml": entry.ml, "what": entry.what,
        "account_id": actor.account_id, "entered_at": now, "replaces": replaces,
    }  # fmt: skip
    query = insert(Fluid).values(id=form_id, **values).on_conflict_do_nothing(index_elements=["id"])
    if session.execute(query.returning(Fluid.id)).first() is not None:
        return True
    stored = session.get_one(Fluid, form_id)
    said = (stored.patient_id, stored.account_id, stored.at, stored.kind, stored.ml, stored.what)
    if said == (patient_id, actor.account_id, entry.at, entry.kind, entry.ml, entry.what):
        return False
    session.execute(insert(Fluid).values(id=clock.new_id(), **values))
    return True


def fluid_of(session: Session, patient_id: UUID, fluid_id: UUID, *, lock: bool = False) -> Fluid:
    """An entry of this patient; raises NotFoundError."""
    query = select(Fluid).where(Fluid.id == fluid_id, Fluid.patient_id == patient_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFoundError("There is no such entry of fluids.")
    return found


def correct(
    session: Session,
    actor: Actor,
    wrong: Fluid,
    *,
    because: str,
    right: Entry | None,
    form_id: UUID,
    now: datetime,
) -> None:
    """Strike the locked entry out, and put the right one in its place where there is one.

    The same correction sent twice is one. Raises ConflictError where somebody else was first, or where the right entry
    says the same.
    """
    if wrong.struck_at is not None:
        if (wrong.struck_by, wrong.struck_because) == (actor.account_id, because):
            return
        raise ConflictError("Somebody has corrected this entry meanwhile. Look at the list again.")
    if right is not None and (right.kind, right.ml, right.at, right.what) == (
        wrong.kind, wrong.ml, wrong.at, wrong.what,
    ):  # fmt: skip
        raise ConflictError("The entry says this already. Change something, strike it out, or go back.")
    wrong.struck_at, wrong.struck_by, wrong.struck_because = now, actor.account_id, because
    session.flush()
    if right is not None:
        record(session, actor, wrong.patient_id, right, form_id=form_id, now=now, replaces=wrong.id)


_ENTRIES = """
SELECT f.*, a.name AS entered_by, s.name AS struck_name, r.ml AS right_ml, r.kind AS right_kind,
       o.ml AS wrong_ml, o.kind AS wrong_kind
FROM fluid f JOIN account a ON a.id = f.account_id
LEFT JOIN account s ON s.id = f.struck_by
LEFT JOIN fluid r ON r.replaces = f.id
LEFT JOIN fluid o ON o.id = f.replaces
WHERE f.patient_id = :patient AND f.at > :since
ORDER BY f.at DESC, f.id DESC LIMIT :limit
"""


def entries(session: Session, patient_id: UUID, *, since: datetime, limit: int) -> list[Row[Any]]:
    """What was recorded since then, the newest first, with what was struck out and why."""
    params = {"patient": patient_id, "since": since, "limit": limit}
    return list(session.execute(text(_ENTRIES), params))


# Hours are cut from the day's begin on, so that a day is whole hours in every zone.
_HOURS = """
SELECT date_bin('1 hour', at, CAST(:origin AS timestamptz)) AS hour,
       coalesce(sum(ml) FILTER (WHERE kind = ANY(:intake)), 0)::int AS taken,
       coalesce(sum(ml) FILTER (WHERE kind <> ALL(:intake)), 0)::int AS lost,
       coalesce(sum(ml) FILTER (WHERE kind = ANY(:intake) AND at > :day), 0)::int AS taken_recently,
       coalesce(sum(ml) FILTER (WHERE kind <> ALL(:intake) AND at > :day), 0)::int AS lost_recently
FROM fluid WHERE patient_id = :patient AND at >= :since AND struck_at IS NULL GROUP BY 1
"""


def balance_of(session: Session, patient_id: UUID, *, now: datetime, zone: ZoneInfo) -> Balance:
    """The balance of the running day, of the last 24 h hour by hour, and of the last days."""
    params = {
        "patient": patient_id, "intake": list(INTAKE), "day": now - DAY,
        "origin": day_begin(now, zone=zone), "since": day_begin(now, zone=zone, back=DAYS - 1),
    }  # fmt: skip
    rows = session.execute(text(_HOURS), params)
    return balance(
        (
            HourSum(
                at=row.hour,
                whole=Sum(taken=row.taken, lost=row.lost),
                recent=Sum(taken=row.taken_recently, lost=row.lost_recently),
            )
            for row in rows
        ),
        now=now,
        zone=zone,
    )


_KINDS = """
SELECT kind, coalesce(sum(ml) FILTER (WHERE at >= :since), 0)::int AS today,
       coalesce(sum(ml) FILTER (WHERE at > :day), 0)::int AS recent
FROM fluid WHERE patient_id = :patient AND at >= least(CAST(:since AS timestamptz), CAST(:day AS timestamptz))
  AND struck_at IS NULL GROUP BY kind
"""


def by_kind(
    session: Session, patient_id: UUID, *, now: datetime, zone: ZoneInfo
) -> dict[str, tuple[int, int]]:
    """Kind to its ml since the day's begin and in the last 24 h; kinds of which nothing is known are left out."""
    params = {"patient": patient_id, "since": day_begin(now, zone=zone), "day": now - DAY}
    return {row.kind: (row.today, row.recent) for row in session.execute(text(_KINDS), params)}


_SUMS = """
SELECT patient_id, max(at) AS latest,
       coalesce(sum(ml) FILTER (WHERE kind = ANY(:intake) AND at >= :since), 0)::int AS taken,
       coalesce(sum(ml) FILTER (WHERE kind <> ALL(:intake) AND at >= :since), 0)::int AS lost,
       coalesce(sum(ml) FILTER (WHERE kind = ANY(:intake) AND at > :day), 0)::int AS taken_recently,
       coalesce(sum(ml) FILTER (WHERE kind <> ALL(:intake) AND at > :day), 0)::int AS lost_recently
FROM fluid WHERE patient_id = ANY(:patients) AND struck_at IS NULL
  AND at >= least(CAST(:since AS timestamptz), CAST(:day AS timestamptz)) GROUP BY patient_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The card of a patient: since the day's begin, in the last 24 h, and when the latest entry was."""

    since: datetime
    today: Sum
    last_24_h: Sum
    latest: datetime


def summaries(
    session: Session, patient_ids: Collection[UUID], *, now: datetime, zone: ZoneInfo
) -> dict[UUID, Summary]:
    """The sums of these patients; who has no entry in the last day is left out."""
    since = day_begin(now, zone=zone)
    params = {"patients": list(patient_ids), "intake": list(INTAKE), "since": since, "day": now - DAY}
    return {
        row.patient_id: Summary(
            since=since,
            today=Sum(taken=row.taken, lost=row.lost),
            last_24_h=Sum(taken=row.taken_recently, lost=row.lost_recently),
            latest=row.latest,
        )
        for row in session.execute(text(_SUMS), params)
    }
