"""Chains of escalation: who is told when nobody takes an alarm."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class EscalationChain(Base):
    """One version of a chain: of the site, or of a ward (`ward_id`), for alarms of one priority.

    `steps` is a list of {"after_s", "role" or "account_id", "channels"}; the last one repeats every `repeat_s`. A
    change ends this version (`ended_at`) and adds another; a ward whose last version has ended uses the site's.
    """

    __tablename__ = "escalation_chain"
    __table_args__ = (
        Index(
            "uq_escalation_chain_site",
            "priority",
            unique=True,
            postgresql_where=text("ward_id IS NULL AND ended_at IS NULL"),
        ),
        Index(
            "uq_escalation_chain_ward",
            "ward_id",
            "priority",
            unique=True,
            postgresql_where=text("ward_id IS NOT NULL AND ended_at IS NULL"),
        ),
        CheckConstraint("priority IN ('high', 'medium', 'low')", name="priority"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ward_id: Mapped[UUID | None] = mapped_column(ForeignKey("ward.id"))
    priority: Mapped[str]
    version: Mapped[int]
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    repeat_s: Mapped[int]
    made_at: Mapped[datetime]
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    ended_at: Mapped[datetime | None]
