"""What became of the doses of medications, as rows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class MedicationDose(Base):
    """What became of a dose that was due at `due_at` (None for one as needed), by the plan of that version.

    A row is never changed. A wrong one is struck out with a reason, and what is right instead `replaces` it. Of each
    dose that was due one row stands, by the database's word.
    """

    __tablename__ = "medication_dose"
    __table_args__ = (
        ForeignKeyConstraint(
            ["medication_id", "version"],
            ["medication_version.medication_id", "medication_version.version"],
            name="fk_medication_dose_version",
        ),
        Index(
            "uq_medication_dose_due",
            "medication_id",
            "due_at",
            unique=True,
            postgresql_where=text("struck_at IS NULL AND due_at IS NOT NULL"),
        ),
        Index("ix_medication_dose_patient", "patient_id", "at"),
        CheckConstraint("outcome IN ('given', 'refused', 'missed', 'held')", name="outcome"),
        CheckConstraint("outcome = 'given' OR (reason <> '' AND due_at IS NOT NULL)", name="reason"),
        CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL) AND (struck_at IS NULL) = (struck_because IS NULL)",
            name="struck",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    medication_id: Mapped[UUID] = mapped_column(ForeignKey("medication.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    version: Mapped[int]
    due_at: Mapped[datetime | None]
    outcome: Mapped[str]
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    entered_at: Mapped[datetime]
    struck_at: Mapped[datetime | None]
    struck_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    struck_because: Mapped[str | None]
    replaces: Mapped[UUID | None] = mapped_column(ForeignKey("medication_dose.id"), unique=True)
