"""Patients and their stays in beds."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class Patient(Base):
    """A person who is cared for. `spo2_scale` 2 is NEWS2's scale for hypercapnic failure: a clinician's decision.

    `merged_into`: this was a second record of that patient, to which everything has gone. No stay, binding or reading
    comes to it any more, by the database's word; its number is still found, and leads there.
    """

    __tablename__ = "patient"
    __table_args__ = (
        CheckConstraint("sex IN ('F', 'M', 'O', 'U')", name="sex"),
        CheckConstraint("spo2_scale IN (1, 2)", name="spo2_scale"),
        CheckConstraint(
            "(merged_into IS NULL) = (merged_at IS NULL) AND (merged_into IS NULL) = (merged_by IS NULL)"
            " AND (merged_into IS NULL) = (merged_because IS NULL) AND merged_into <> id",
            name="merged",
        ),
        Index("ix_patient_born_on", "born_on"),
        Index("ix_patient_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hospital_number: Mapped[str] = mapped_column(unique=True)
    family_name: Mapped[str]
    given_name: Mapped[str]
    title: Mapped[str | None]
    born_on: Mapped[date]
    sex: Mapped[str]
    phone: Mapped[str] = mapped_column(default="", server_default="")
    address: Mapped[str] = mapped_column(default="", server_default="")
    spo2_scale: Mapped[int] = mapped_column(default=1, server_default="1")
    simulated: Mapped[bool] = mapped_column(default=False, server_default="false")
    created_at: Mapped[datetime]
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id", name="fk_patient_merged_into"))
    merged_at: Mapped[datetime | None]
    merged_by: Mapped[UUID | None] = mapped_column(
        ForeignKey("account.id", name="fk_patient_merged_by", use_alter=True)
    )
    merged_because: Mapped[str | None]


class Stay(Base):
    """A patient lies in a bed for an interval: one patient a bed, one bed a patient, by the database's word."""

    __tablename__ = "stay"
    __table_args__ = (
        ExcludeConstraint(("bed_id", "="), ("during", "&&"), name="ex_stay_bed", using="gist"),
        ExcludeConstraint(("patient_id", "="), ("during", "&&"), name="ex_stay_patient", using="gist"),
        CheckConstraint("NOT isempty(during)", name="during"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    bed_id: Mapped[UUID] = mapped_column(ForeignKey("bed.id"))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)


class Note(Base):
    """Something that a caregiver wrote about a patient. What it says stands in its versions, of which none is ever
    changed; a note that should not have been written is struck out with a reason and stays readable."""

    __tablename__ = "note"
    __table_args__ = (
        Index("ix_note_patient", "patient_id", "written_at"),
        CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL) AND (struck_at IS NULL) = (struck_because IS NULL)",
            name="struck",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    written_at: Mapped[datetime]
    written_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    struck_at: Mapped[datetime | None]
    struck_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    struck_because: Mapped[str | None]


class NoteVersion(Base):
    """What a note said from `at` on, 1 being what was written first."""

    __tablename__ = "note_version"

    note_id: Mapped[UUID] = mapped_column(ForeignKey("note.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    at: Mapped[datetime]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))


class Task(Base):
    """Something to do for a patient at a time. What repeats gets its successor when it is done: `follows` names the
    task before, so that doing it twice gives one. `repeat_h` is in hours, None for once. `goal_id`: the goal of the
    care plan that it is done for."""

    __tablename__ = "task"
    __table_args__ = (
        Index(
            "ix_task_open",
            "patient_id",
            "due_at",
            postgresql_where=text("done_at IS NULL AND cancelled_at IS NULL"),
        ),
        Index("ix_task_done", "patient_id", "done_at", postgresql_where=text("done_at IS NOT NULL")),
        Index("ix_task_goal", "goal_id", postgresql_where=text("goal_id IS NOT NULL")),
        # Both columns: a task for one patient cannot be for a goal of another one.
        ForeignKeyConstraint(
            ["goal_id", "patient_id"], ["goal.id", "goal.patient_id"], name="fk_task_goal_id", deferrable=True
        ),
        CheckConstraint("repeat_h BETWEEN 1 AND 168", name="repeat_h"),
        CheckConstraint("(done_at IS NULL) = (done_by IS NULL)", name="done"),
        CheckConstraint(
            "(cancelled_at IS NULL) = (cancelled_by IS NULL)"
            " AND (cancelled_at IS NULL) = (cancelled_because IS NULL)"
            " AND (cancelled_at IS NULL OR done_at IS NULL)",
            name="cancelled",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    what: Mapped[str]
    due_at: Mapped[datetime]
    repeat_h: Mapped[int | None]
    added_at: Mapped[datetime]
    added_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    done_at: Mapped[datetime | None]
    done_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    note: Mapped[str] = mapped_column(default="", server_default="")
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    cancelled_because: Mapped[str | None]
    follows: Mapped[UUID | None] = mapped_column(ForeignKey("task.id"), unique=True)
    goal_id: Mapped[UUID | None]


class HandoverRemark(Base):
    """What the outgoing shift wants the next one to know about a patient; the newest one stands."""

    __tablename__ = "handover_remark"
    __table_args__ = (Index("ix_handover_remark_patient", "patient_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime]
    text: Mapped[str]


class Handover(Base):
    """What somebody saw when they accepted duty in a ward: the whole sheet (`alerts.sheet.Sheet`), never changed."""

    __tablename__ = "handover"
    __table_args__ = (Index("ix_handover_ward", "ward_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ward_id: Mapped[UUID] = mapped_column(ForeignKey("ward.id"))
    at: Mapped[datetime]
    accepted_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    sheet: Mapped[dict[str, Any]] = mapped_column(JSONB)
