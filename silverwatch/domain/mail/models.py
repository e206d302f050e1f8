"""Letters that wait, and those that were sent."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class Letter(Base):
    """An e-mail to one address. `next_attempt_at` is empty once it was sent or given up (`failed_at`).

    `body` is emptied when it was sent: it may hold a link that opens an account.
    """

    __tablename__ = "letter"
    __table_args__ = (
        Index("ix_letter_waiting", "next_attempt_at", postgresql_where=text("next_attempt_at IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    address: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    next_attempt_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    error: Mapped[str | None]
