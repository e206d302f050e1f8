"""The care plan of a patient: goals with their versions and progress, and assessments. Nothing is ever removed."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class Goal(Base):
    """What is to be reached with a patient, until it ends. What it says is in its versions."""

    __tablename__ = "goal"
    __table_args__ = (
        Index("ix_goal_patient", "patient_id", "set_at"),
        # What a task refers to: it can name no goal of another patient.
        UniqueConstraint("id", "patient_id", name="uq_goal_of_patient"),
        CheckConstraint("ended_as IN ('met', 'partly_met', 'not_met', 'dropped')", name="ended_as"),
        CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (ended_because IS NULL)"
            " AND (ended_at IS NULL) = (ended_as IS NULL)",
            name="ended",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    set_at: Mapped[datetime]
    set_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    ended_because: Mapped[str | None]


class GoalVersion(Base):
    """What a goal said from `at` on, 1 being what was set first.

    A `vital` has `sign` and `target` in the unit that is stored; a measure in words has `measure` and `wanted`.
    """

    __tablename__ = "goal_version"
    __table_args__ = (
        CheckConstraint("sign IN ('>=', '<=')", name="sign"),
        CheckConstraint(
            "(vital IS NULL) = (sign IS NULL) AND (vital IS NULL) = (target IS NULL)"
            " AND (vital IS NULL OR measure = '')",
            name="measure",
        ),
    )

    goal_id: Mapped[UUID] = mapped_column(ForeignKey("goal.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    what: Mapped[str]
    vital: Mapped[str | None]
    sign: Mapped[str | None]
    target: Mapped[float | None]
    measure: Mapped[str] = mapped_column(default="", server_default="")
    wanted: Mapped[str] = mapped_column(default="", server_default="")
    target_on: Mapped[date | None]
    at: Mapped[datetime]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))


class GoalProgress(Base):
    """How far a patient is with a goal, as somebody wrote it at `at`; struck out where it should not have been."""

    __tablename__ = "goal_progress"
    __table_args__ = (
        Index("ix_goal_progress_goal", "goal_id", "at"),
        CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL) AND (struck_at IS NULL) = (struck_because IS NULL)",
            name="struck",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    goal_id: Mapped[UUID] = mapped_column(ForeignKey("goal.id"))
    at: Mapped[datetime]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    text: Mapped[str]
    struck_at: Mapped[datetime | None]
    struck_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    struck_because: Mapped[str | None]


class Assessment(Base):
    """A list of questions about a patient, answered at `at`: `answers` maps each question to the choice.

    `version` is that of the instrument, `result` what it said then. `again_h`: due again so many hours after `at`.
    """

    __tablename__ = "assessment"
    __table_args__ = (
        Index("ix_assessment_patient", "patient_id", "instrument", "at"),
        CheckConstraint("again_h BETWEEN 1 AND 8760", name="again_h"),
        CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL) AND (struck_at IS NULL) = (struck_because IS NULL)",
            name="struck",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    instrument: Mapped[str]
    version: Mapped[int]
    at: Mapped[datetime]
    entered_at: Mapped[datetime]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    answers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    result: Mapped[str]
    score: Mapped[int | None]
    note: Mapped[str] = mapped_column(default="", server_default="")
    again_h: Mapped[int | None]
    replaces: Mapped[UUID | None] = mapped_column(ForeignKey("assessment.id"), unique=True)
    struck_at: Mapped[datetime | None]
    struck_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    struck_because: Mapped[str | None]
