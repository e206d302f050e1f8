"""The limits that people set, every version of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class LimitVersion(Base):
    """All that a layer (the site, a ward, a patient) sets of its own from `at` on, until the next version stands.

    `cells`: vital -> cell -> {"value", "off", "by", "at", "reason", "until"}; what is not in it is inherited.
    `changes`: [{"vital", "cell", "before", "after"}], what applied before and after, as it was then.
    `account_id` is None where the clock made the version: a time was over (`ends_at`, the earliest of its cells), or
    a stay.
    """

    __tablename__ = "limit_version"
    __table_args__ = (
        CheckConstraint("layer IN ('site', 'ward', 'patient')", name="layer"),
        CheckConstraint("(layer = 'ward') = (ward_id IS NOT NULL)", name="ward"),
        CheckConstraint("(layer = 'patient') = (patient_id IS NOT NULL)", name="patient"),
        Index(
            "uq_limit_version_number",
            "layer",
            "ward_id",
            "patient_id",
            "number",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index(
            "uq_limit_version_standing",
            "layer",
            "ward_id",
            "patient_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("superseded_at IS NULL"),
        ),
        Index("ix_limit_version_patient", "patient_id", "superseded_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    layer: Mapped[str]
    ward_id: Mapped[UUID | None] = mapped_column(ForeignKey("ward.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    number: Mapped[int]
    at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    reason: Mapped[str]
    ends_at: Mapped[datetime | None]
    cells: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
