"""People who sign in, what they belong to, their sessions, factors and links; wall screens and programs."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from silverwatch.db import Base


class Account(Base):
    """A person who may sign in. `email` is kept in lower case; `patient_id` ties a patient's account to the record.

    Invited: no password yet. Self-registered: `approved_at` is empty until an administrator has looked.
    `duty_role`: as what a caregiver usually is on duty.
    """

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("role IN ('admin', 'caregiver', 'technician', 'patient')", name="role"),
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint("role = 'patient' OR patient_id IS NULL", name="patient"),
        CheckConstraint(
            "role <> 'patient' OR approved_at IS NULL OR patient_id IS NOT NULL", name="patient_approved"
        ),
        CheckConstraint("duty_role IN ('nurse', 'charge_nurse', 'doctor', 'backup')", name="duty_role"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    password_changed_at: Mapped[datetime | None]
    role: Mapped[str]
    name: Mapped[str]
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    created_at: Mapped[datetime]
    email_confirmed_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    deactivated_at: Mapped[datetime | None]
    pin_hash: Mapped[str | None]
    language: Mapped[str] = mapped_column(default="en", server_default="en")
    phone: Mapped[str | None]
    department: Mapped[str | None]
    specialisation: Mapped[str | None]
    licence_number: Mapped[str | None]
    duty_role: Mapped[str] = mapped_column(default="nurse", server_default="nurse")


class AccountPhoto(Base):
    """A person's picture, re-encoded by us (JPEG, at most 256 x 256 pixels)."""

    __tablename__ = "account_photo"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    jpeg: Mapped[bytes] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime]


class UnitChoice(Base):
    """In which units a person reads and enters; what is stored is always °C, kg, mmHg and mmol/L."""

    __tablename__ = "unit_choice"
    __table_args__ = (
        CheckConstraint("temperature IN ('C', 'F')", name="temperature"),
        CheckConstraint("weight IN ('kg', 'lb')", name="weight"),
        CheckConstraint("pressure IN ('mmHg', 'kPa')", name="pressure"),
        CheckConstraint("glucose IN ('mmol/L', 'mg/dL')", name="glucose"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    temperature: Mapped[str]
    weight: Mapped[str]
    pressure: Mapped[str]
    glucose: Mapped[str]


class EmergencyContact(Base):
    """Whom to call for this person."""

    __tablename__ = "emergency_contact"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str]
    relation: Mapped[str]
    phone: Mapped[str]
    created_at: Mapped[datetime]


class Membership(Base):
    """An account belongs to a ward: it sees that ward's part of the hospital."""

    __tablename__ = "membership"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    ward_id: Mapped[UUID] = mapped_column(ForeignKey("ward.id"), primary_key=True)


class CareTeamMember(Base):
    """A caregiver looks after this patient, wherever the patient lies."""

    __tablename__ = "care_team_member"

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)
    added_at: Mapped[datetime]


class EmergencyAccess(Base):
    """Break-glass: a caregiver opened a foreign record for a stated reason, for an hour at most."""

    __tablename__ = "emergency_access"
    __table_args__ = (
        CheckConstraint("length(reason) >= 10", name="reason"),
        Index("ix_emergency_access_open", "account_id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_emergency_access_unreviewed", "begun_at", postgresql_where=text("reviewed_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    reason: Mapped[str]
    begun_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class Display(Base):
    """A wall screen: it shows one ward and takes nothing. Paired with a code that works once, for ten minutes."""

    __tablename__ = "display"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ward_id: Mapped[UUID] = mapped_column(ForeignKey("ward.id"))
    name: Mapped[str]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    code_expires_at: Mapped[datetime | None]
    paired_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class LoginSession(Base):
    """One sign-in, of a person, a wall screen (`display_id`) or a program (`kind` api).

    The browser holds a random token, we hold its hash; ending the row ends the sign-in. `second_factor_at` is
    empty while the code is still owed; `active_at` is when somebody last did something (polls do not count);
    `locked_at` is set by a person who walks away; `proved_at` is the last time the password was given.
    """

    __tablename__ = "login_session"
    __table_args__ = (
        CheckConstraint("num_nonnulls(account_id, display_id) = 1", name="holder"),
        CheckConstraint("kind IN ('browser', 'api', 'display')", name="kind"),
        Index("ix_login_session_open", "account_id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    kind: Mapped[str] = mapped_column(default="browser", server_default="browser")
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    display_id: Mapped[UUID | None] = mapped_column(ForeignKey("display.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    active_at: Mapped[datetime]
    proved_at: Mapped[datetime | None]
    second_factor_at: Mapped[datetime | None]
    locked_at: Mapped[datetime | None]
    pin_failures: Mapped[int] = mapped_column(default=0, server_default="0")
    address: Mapped[str | None]
    browser: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]


class OneTimeLink(Base):
    """A link sent by e-mail that works once: `kind` is invitation, confirmation, reset or email.

    `email` is where it was sent to; for kind email it is the new address.
    """

    __tablename__ = "one_time_link"
    __table_args__ = (
        CheckConstraint("kind IN ('invitation', 'confirmation', 'reset', 'email')", name="kind"),
        Index("ix_one_time_link_account", "account_id", "kind"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    email: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Totp(Base):
    """An authenticator app. The seed is encrypted; `last_step` is the newest code that was used."""

    __tablename__ = "totp"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int | None]


class RecoveryCode(Base):
    """A code for who has lost the app; works once."""

    __tablename__ = "recovery_code"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    used_at: Mapped[datetime | None]


class RefreshToken(Base):
    """A refresh token of an api session. Used twice, it ends the session: somebody has a copy."""

    __tablename__ = "refresh_token"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("login_session.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiKey(Base):
    """A key of a program (`swk_..`), with what it may do and until when."""

    __tablename__ = "api_key"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    hint: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    ward_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    created_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
