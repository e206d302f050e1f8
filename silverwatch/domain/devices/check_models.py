"""Checks of devices."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class DeviceCheck(Base):
    """Something that is to be done to a device at `due_at`; one of a kind is open (scheduled, in progress) at a time.

    `before` and `after` are what was measured or installed before and after it. `follows`: the check that scheduled
    this one when it ended. `reminded_at`: technicians were told that it comes.
    """

    __tablename__ = "device_check"
    __table_args__ = (
        CheckConstraint("kind IN ('calibration', 'battery', 'firmware', 'hardware')", name="kind"),
        CheckConstraint("status IN ('scheduled', 'in_progress', 'completed', 'failed')", name="status"),
        CheckConstraint("(ended_at IS NULL) = (status IN ('scheduled', 'in_progress'))", name="ended"),
        Index(
            "uq_device_check_open",
            "device_id",
            "kind",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_device_check_device", "device_id", "due_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"))
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="scheduled")
    due_at: Mapped[datetime]
    added_at: Mapped[datetime]
    added_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    started_at: Mapped[datetime | None]
    started_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    before: Mapped[str] = mapped_column(server_default="")
    after: Mapped[str] = mapped_column(server_default="")
    note: Mapped[str] = mapped_column(server_default="")
    follows: Mapped[UUID | None] = mapped_column(ForeignKey("device_check.id"), unique=True)
    reminded_at: Mapped[datetime | None]
