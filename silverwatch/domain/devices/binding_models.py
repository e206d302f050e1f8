"""Changes of bindings: who put a device on whom, took it off, or corrected from when to when it was worn."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class BindingChange(Base):
    """A binding became from `before` (None: there was none) to `after` (None: there is none any more).

    `act_id`: the move of the patient that it belongs to. `readings`: how many it moved.
    """

    __tablename__ = "binding_change"
    __table_args__ = (
        Index("ix_binding_change_device", "device_id", "at"),
        Index("ix_binding_change_act", "act_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    binding_id: Mapped[UUID]
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    at: Mapped[datetime]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    before: Mapped[Range[datetime] | None] = mapped_column(TSTZRANGE)
    after: Mapped[Range[datetime] | None] = mapped_column(TSTZRANGE)
    because: Mapped[str] = mapped_column(default="", server_default="")
    act_id: Mapped[UUID | None]
    readings: Mapped[int] = mapped_column(default=0, server_default="0")
