"""What a clinician decides about NEWS2 of one patient: the scale of the saturation, and how often to observe.

A decision is a row with who, when and why. The scale that stands is also on the patient, changed in the same
transaction; an interval of one's own has an end.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Row, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from silverwatch import clock
from silverwatch.db import Base
from silverwatch.domain.access import Actor
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.readings import corrections
from silverwatch.domain.records.models import Patient

REASON: Final = range(10, 301)
"""So many characters a reason has."""
INTERVALS_MIN: Final = (15, 30, 60, 120, 240, 360, 480, 720)
"""The intervals that can be chosen, the longest that of the chart for a score of 0."""
LONGEST: Final = timedelta(hours=24)
"""An interval of one's own ends after a day at most: then the chart decides again, or somebody does."""


class ScaleDecision(Base):
    """From then on the saturation of the patient is scored on this scale. The newest one stands."""

    __tablename__ = "scale_decision"
    __table_args__ = (
        Index("ix_scale_decision_patient", "patient_id", "decided_at"),
        CheckConstraint("scale IN (1, 2)", name="scale"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    scale: Mapped[int]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime]
    because: Mapped[str]


class IntervalDecision(Base):
    """Until then a set is due so many minutes after the last one, whatever the chart says. One stands at a time."""

    __tablename__ = "interval_decision"
    __table_args__ = (
        Index(
            "uq_interval_decision_standing",
            "patient_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        CheckConstraint("minutes BETWEEN 15 AND 1440", name="minutes"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    minutes: Mapped[int]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime]
    until: Mapped[datetime]
    because: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


def decide_scale(
    session: Session, actor: Actor, patient_id: UUID, *, scale: int, because: str, now: datetime
) -> None:
    """Score the saturation on this scale from now on; the patient is judged again.

    Raises ConflictError where it is that scale already: somebody decided the same meanwhile.
    """
    corrections.judge_again(session, patient_id, since=now, now=now)
    patient = session.get(Patient, patient_id, with_for_update=True)
    if patient is None:
        raise NotFoundError("There is no such patient.")
    if patient.spo2_scale == scale:
        raise ConflictError(f"The saturation is scored on scale {scale} already.")
    patient.spo2_scale = scale
    session.add(
        ScaleDecision(
            id=clock.new_id(),
            patient_id=patient_id,
            scale=scale,
            account_id=actor.account_id,
            decided_at=now,
            because=because,
        )
    )
    session.flush()


def decide_interval(
    session: Session,
    actor: Actor,
    patient_id: UUID,
    *,
    minutes: int,
    until: datetime,
    because: str,
    now: datetime,
) -> None:
    """A set is due every so many minutes until then; ends the decision before."""
    end_interval(session, actor, patient_id, now=now)
    session.add(
        IntervalDecision(
            id=clock.new_id(),
            patient_id=patient_id,
            minutes=minutes,
            account_id=actor.account_id,
            decided_at=now,
            until=until,
            because=because,
        )
    )
    session.flush()


def end_interval(session: Session, actor: Actor, patient_id: UUID, *, now: datetime) -> bool:
    """The chart decides again; False where it does already."""
    # Two who decide at once: the second one waits here and ends what the first one has decided.
    session.execute(select(Patient.id).where(Patient.id == patient_id).with_for_update())
    found = session.scalars(
        update(IntervalDecision)
        .where(IntervalDecision.patient_id == patient_id, IntervalDecision.ended_at.is_(None))
        .values(ended_at=now, ended_by=actor.account_id)
        .returning(IntervalDecision.until)
    ).all()
    return any(until > now for until in found)


_SCALES = """
SELECT d.scale, d.decided_at, d.because, a.name FROM scale_decision d JOIN account a ON a.id = d.account_id
WHERE d.patient_id = :id ORDER BY d.decided_at DESC, d.id DESC LIMIT :limit
"""


def scales_of(session: Session, patient_id: UUID, *, limit: int = 20) -> list[Row[Any]]:
    """The decisions about the scale, the newest first: scale, decided_at, because, name."""
    return list(session.execute(text(_SCALES), {"id": patient_id, "limit": limit}))


_INTERVALS = """
SELECT d.minutes, d.decided_at, d.until, d.because, d.ended_at, a.name, e.name AS ended_name
FROM interval_decision d JOIN account a ON a.id = d.account_id LEFT JOIN account e ON e.id = d.ended_by
WHERE d.patient_id = :id ORDER BY d.decided_at DESC LIMIT :limit
"""


def intervals_of(session: Session, patient_id: UUID, *, limit: int = 20) -> list[Row[Any]]:
    """The decisions about the interval, the newest first."""
    return list(session.execute(text(_INTERVALS), {"id": patient_id, "limit": limit}))


def own_intervals(session: Session, patient_ids: Iterable[UUID], *, now: datetime) -> dict[UUID, Row[Any]]:
    """Of each patient for whom a clinician has decided: minutes, decided_at, until, because, name."""
    rows = session.execute(
        text(
            "SELECT d.patient_id, d.minutes, d.decided_at, d.until, d.because, a.name FROM interval_decision d"
            " JOIN account a ON a.id = d.account_id"
            " WHERE d.patient_id = ANY(:ids) AND d.ended_at IS NULL AND d.until > :now"
        ),
        {"ids": list(patient_ids), "now": now},
    )
    return {row.patient_id: row for row in rows}
