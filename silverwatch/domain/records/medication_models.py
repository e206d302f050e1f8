"""Medications of a patient and the versions of their plans. Nothing is removed: a medication is stopped."""

from datetime import datetime, time
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, Time, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class Medication(Base):
    """Something that a patient is given, by the plan of its versions. Another name is another medication.

    `despite` are the allergies of the record that the name says, and that whoever added it has confirmed.
    """

    __tablename__ = "medication"
    __table_args__ = (
        Index("ix_medication_patient", "patient_id"),
        CheckConstraint(
            "(stopped_at IS NULL) = (stopped_by IS NULL) AND (stopped_at IS NULL) = (stopped_because IS NULL)",
            name="stopped",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    name: Mapped[str]
    despite: Mapped[str] = mapped_column(default="", server_default="")
    added_at: Mapped[datetime]
    added_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    stopped_at: Mapped[datetime | None]
    stopped_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    stopped_because: Mapped[str | None]


class MedicationVersion(Base):
    """A plan (`medication_schedule.Plan`) that holds from `from_at` on, until a newer version does. Never changed."""

    __tablename__ = "medication_version"
    __table_args__ = (
        CheckConstraint("kind IN ('times', 'interval', 'as_needed')", name="kind"),
        CheckConstraint("(kind = 'times') = (cardinality(times) > 0 AND cardinality(weekdays) > 0)", name="times"),
        CheckConstraint(
            "(kind = 'interval') = (every_h IS NOT NULL) AND (kind = 'interval') = (first_at IS NOT NULL)"
            " AND every_h BETWEEN 1 AND 168",
            name="interval",
        ),
        CheckConstraint(
            "(kind = 'as_needed') = (least_min IS NOT NULL) AND (kind = 'as_needed') = (most_24h IS NOT NULL)"
            " AND least_min > 0 AND most_24h > 0",
            name="as_needed",
        ),
    )  # fmt: skip

    medication_id: Mapped[UUID] = mapped_column(ForeignKey("medication.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    from_at: Mapped[datetime]
    at: Mapped[datetime]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    dose: Mapped[str]
    route: Mapped[str]
    kind: Mapped[str]
    times: Mapped[list[time]] = mapped_column(ARRAY(Time), server_default=text("'{}'"))
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), server_default=text("'{}'"))
    every_h: Mapped[int | None]
    first_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="", server_default="")
    least_min: Mapped[int | None]
    most_24h: Mapped[int | None]
    note: Mapped[str] = mapped_column(default="", server_default="")
    ends_at: Mapped[datetime | None]
