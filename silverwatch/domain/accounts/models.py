"""People who sign in, the wards they belong to, and their sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class Account(Base):
    """A person who may sign in. `email` is kept in lower case; `patient_id` is set for a patient's own account."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("role IN ('admin', 'caregiver', 'technician', 'patient')", name="role"),
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint("(role = 'patient') = (patient_id IS NOT NULL)", name="patient"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    role: Mapped[str]
    name: Mapped[str]
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    created_at: Mapped[datetime]
    deactivated_at: Mapped[datetime | None]


class Membership(Base):
    """An account belongs to a ward: it sees that ward's part of the hospital."""

    __tablename__ = "membership"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    ward_id: Mapped[UUID] = mapped_column(ForeignKey("ward.id"), primary_key=True)


class LoginSession(Base):
    """One sign-in. The browser holds a random token, we hold its hash; ending the row ends the sign-in."""

    __tablename__ = "login_session"
    __table_args__ = (
        Index("ix_login_session_open", "account_id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
