"""What is known of a patient besides what was measured: entries, ended and never removed, and corrected details."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class RecordEntry(Base):
    """One thing that is known of a patient, from its adding to its end, which has a reason and stays readable.

    `kind` says what `what`, `detail`, `phone` and `happened_on` mean; `records.entries.KINDS` lists all.
    """

    __tablename__ = "record_entry"
    __table_args__ = (
        Index("ix_record_entry_patient", "patient_id", "kind"),
        # A flag stands once: two of a kind would have to be ended twice.
        Index(
            "uq_record_entry_standing",
            "patient_id",
            "kind",
            "what",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        CheckConstraint(
            "kind IN ('flag', 'allergy', 'no_allergies', 'condition', 'surgery', 'contact')", name="kind"
        ),
        CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (ended_because IS NULL)",
            name="ended",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    kind: Mapped[str]
    what: Mapped[str]
    detail: Mapped[str] = mapped_column(default="", server_default="")
    phone: Mapped[str] = mapped_column(default="", server_default="")
    happened_on: Mapped[date | None]
    added_at: Mapped[datetime]
    added_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    ended_because: Mapped[str | None]


class PatientChange(Base):
    """Details of a patient were corrected: `changed` maps each field to what it was and what it became."""

    __tablename__ = "patient_change"
    __table_args__ = (Index("ix_patient_change_patient", "patient_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    at: Mapped[datetime]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    changed: Mapped[dict[str, Any]] = mapped_column(JSONB)


class CareTeamChange(Base):
    """Somebody joined the care team of a patient, or left it."""

    __tablename__ = "care_team_change"
    __table_args__ = (Index("ix_care_team_change_patient", "patient_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime]
    joined: Mapped[bool]
    changed_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
