"""One-time codes with which a device gets its key."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class Pairing(Base):
    """A code, and what became of it. The code itself is nowhere: it is made of the id and the site's secret.

    `device_id` is None until a device that nobody has entered yet says its serial; then `ward_id`, `kind` and
    `interval_s` are those of the device to be made. `handle`: the first signs of the code, by which a wrong try is
    counted against this one. `met`: what a device that came with the code could not do, `met_serial` which it was.
    """

    __tablename__ = "pairing"
    __table_args__ = (
        CheckConstraint("ended_as IN ('claimed', 'replaced', 'tries', 'expired')", name="ended_as"),
        CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name="ended"),
        CheckConstraint("wrong_tries BETWEEN 0 AND 5", name="wrong_tries"),
        CheckConstraint("interval_s > 0", name="interval_s"),
        Index("ix_pairing_code_hash", "code_hash"),
        Index("uq_pairing_handle", "handle", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("uq_pairing_device", "device_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("device.id"))
    ward_id: Mapped[UUID | None] = mapped_column(ForeignKey("ward.id"))
    kind: Mapped[str]
    interval_s: Mapped[float]
    handle: Mapped[str]
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    wrong_tries: Mapped[int] = mapped_column(Integer, server_default="0")
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str | None]
    met: Mapped[str | None]
    met_serial: Mapped[str | None]
