"""The audit: one row for each thing that was done, seen or refused. Nobody updates or deletes one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class AuditEntry(Base):
    """One link of the chain: `mac` covers every column of this row and the mac of the row before it.

    `action` is a dotted name in past tense (`session.opened`); `outcome` done, refused or failed; `subject` what
    it was done to (`alert:<uuid>`); `patient_ids` whose data it shows or changes. No foreign keys: a row outlives
    what it speaks of.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_account", "account_id", "seq"),
        Index("ix_audit_entry_session", "session_id", "seq"),
        Index("ix_audit_entry_at", "at"),
        Index("ix_audit_entry_patients", "patient_ids", postgresql_using="gin"),
    )

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    action: Mapped[str]
    outcome: Mapped[str]
    account_id: Mapped[UUID | None]
    account_name: Mapped[str | None]
    role: Mapped[str | None]
    session_id: Mapped[UUID | None]
    patient_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    ward_id: Mapped[UUID | None]
    subject: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    address: Mapped[str | None]
    request_id: Mapped[str | None]
    mac: Mapped[bytes] = mapped_column(LargeBinary)
