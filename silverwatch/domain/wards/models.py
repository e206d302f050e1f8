"""Wards and their beds, and who works there when."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class Ward(Base):
    """A ward. `slug` is its name in addresses."""

    __tablename__ = "ward"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    description: Mapped[str]
    closed_at: Mapped[datetime | None]


class Room(Base):
    """A room of a ward, in which beds stand."""

    __tablename__ = "room"
    # What a bed refers to: it can stand in no room of another ward.
    __table_args__ = (
        UniqueConstraint("ward_id", "name"),
        UniqueConstraint("id", "ward_id", name="uq_room_of_ward"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ward_id: Mapped[UUID] = mapped_column(ForeignKey("ward.id"))
    name: Mapped[str]
    closed_at: Mapped[datetime | None]


class Bed(Base):
    """A bed of a ward; `position` is its place on the board, which never moves by itself. A closed one takes nobody.

    `kind` home: the place on the board of a patient whom the ward looks after at home, shown while somebody has it.
    """

    __tablename__ = "bed"
    __table_args__ = (
        UniqueConstraint("ward_id", "label"),
        CheckConstraint("kind IN ('bed', 'home')", name="kind"),
        ForeignKeyConstraint(["room_id", "ward_id"], ["room.id", "room.ward_id"], name="fk_bed_room_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ward_id: Mapped[UUID] = mapped_column(ForeignKey("ward.id"), index=True)
    label: Mapped[str]
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(default="bed", server_default="bed")
    room_id: Mapped[UUID | None]
    closed_at: Mapped[datetime | None]


class PlannedShift(Base):
    """Somebody is to be on duty in a ward. Planned, it is a wish; who comes accepts the duty."""

    __tablename__ = "planned_shift"
    __table_args__ = (
        Index(
            "uq_planned_shift",
            "ward_id",
            "account_id",
            "starts_at",
            unique=True,
            postgresql_where=text("cancelled_at IS NULL"),
        ),
        Index("ix_planned_shift_time", "ward_id", "starts_at"),
        CheckConstraint("role IN ('nurse', 'charge_nurse', 'doctor', 'backup')", name="role"),
        CheckConstraint("starts_at < ends_at", name="order"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ward_id: Mapped[UUID] = mapped_column(ForeignKey("ward.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    role: Mapped[str]
    day: Mapped[date]
    pattern: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    planned_at: Mapped[datetime]
    planned_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class Duty(Base):
    """Somebody accepted duty in a ward; it is over at `ended_at`: handed over, off duty, or forgotten for too long."""

    __tablename__ = "duty"
    __table_args__ = (
        Index(
            "uq_duty_present",
            "ward_id",
            "account_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_duty_time", "ward_id", "accepted_at"),
        CheckConstraint("role IN ('nurse', 'charge_nurse', 'doctor', 'backup')", name="role"),
        CheckConstraint("ended_as IN ('handed_over', 'off', 'changed', 'forgotten')", name="ended_as"),
        CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name="ended"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ward_id: Mapped[UUID] = mapped_column(ForeignKey("ward.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    role: Mapped[str]
    accepted_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str | None]
    handed_to: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class Allocation(Base):
    """Somebody looks after a bed and whoever lies in it, from `taken_at` on. One person a bed at a time."""

    __tablename__ = "allocation"
    __table_args__ = (
        Index("uq_allocation_standing", "bed_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        CheckConstraint("ended_as IN ('given_back', 'taken_over')", name="ended_as"),
        CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name="ended"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bed_id: Mapped[UUID] = mapped_column(ForeignKey("bed.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    taken_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str | None]
