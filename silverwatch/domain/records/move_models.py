"""Moves of patients: who came, went, and lay where, by whom. The stays are what they led to."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class Move(Base):
    """A patient was admitted, transferred, swapped with another (two moves of one `act_id`), or discharged.

    `limits_number`: the version of own limits that a discharge ended, to be set again if it is undone.
    """

    __tablename__ = "move"
    __table_args__ = (
        Index("ix_move_patient", "patient_id", "at"),
        Index("ix_move_at", "at"),
        Index("ix_move_act", "act_id"),
        CheckConstraint("kind IN ('admission', 'transfer', 'swap', 'discharge')", name="kind"),
        CheckConstraint(
            "(from_bed_id IS NULL) = (kind = 'admission') AND (to_bed_id IS NULL) = (kind = 'discharge')",
            name="beds",
        ),
        CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name="undone"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    act_id: Mapped[UUID]
    kind: Mapped[str]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    from_bed_id: Mapped[UUID | None] = mapped_column(ForeignKey("bed.id"))
    to_bed_id: Mapped[UUID | None] = mapped_column(ForeignKey("bed.id"))
    at: Mapped[datetime]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    because: Mapped[str] = mapped_column(default="", server_default="")
    limits_number: Mapped[int | None]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
