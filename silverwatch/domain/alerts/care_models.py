"""What people do about alarms, as rows: pauses, actions, incidents; and the earlier episodes of an alert."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from silverwatch.db import Base


class AlertEpisode(Base):
    """An earlier episode of an alert whose condition came back: what the alert's own columns said before.

    `withdrawn_at`: since then the readings, all of them, do not show it (any more).
    """

    __tablename__ = "alert_episode"
    __table_args__ = (Index("ix_alert_episode_patient", "patient_id", "last_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    alert_id: Mapped[UUID] = mapped_column(ForeignKey("alert.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    kind: Mapped[str]
    priority: Mapped[str]
    peak_priority: Mapped[str]
    run_from: Mapped[datetime]
    event_at: Mapped[datetime]
    last_at: Mapped[datetime]
    raised_at: Mapped[datetime]
    value: Mapped[float | None]
    worst: Mapped[float | None]
    limit: Mapped[float | None]
    off_vitals: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    ended_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Pause(Base):
    """Something does not sound for a while, for a reason and until a time.

    `scope` alarm: one kind of alarm of a patient; patient: standby, all but falls and calls for help; sound: the alarms
    that a ward knew when it began. One of each is open (`ended_at` NULL) at a time.
    """

    __tablename__ = "pause"
    __table_args__ = (
        CheckConstraint("scope IN ('alarm', 'patient', 'sound')", name="scope"),
        CheckConstraint("(scope = 'sound') = (ward_id IS NOT NULL)", name="ward"),
        CheckConstraint("(scope = 'sound') = (patient_id IS NULL)", name="patient"),
        CheckConstraint("(scope = 'alarm') = (kind IS NOT NULL)", name="kind"),
        CheckConstraint("ends_at > started_at", name="order"),
        Index(
            "uq_pause_alarm",
            "patient_id",
            "kind",
            unique=True,
            postgresql_where=text("ended_at IS NULL AND scope = 'alarm'"),
        ),
        Index(
            "uq_pause_patient",
            "patient_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL AND scope = 'patient'"),
        ),
        Index(
            "uq_pause_sound",
            "ward_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL AND scope = 'sound'"),
        ),
        Index("ix_pause_ends", "ends_at", postgresql_where=text("ended_at IS NULL")),
        Index("ix_pause_history", "patient_id", "started_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    scope: Mapped[str]
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    ward_id: Mapped[UUID | None] = mapped_column(ForeignKey("ward.id"))
    kind: Mapped[str | None]
    reason: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    started_at: Mapped[datetime]
    started_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class AlertAction(Base):
    """What somebody did about an alert, in one word of a short list."""

    __tablename__ = "alert_action"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    alert_id: Mapped[UUID] = mapped_column(ForeignKey("alert.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    what: Mapped[str]
    at: Mapped[datetime]


class Incident(Base):
    """A fall, or another harm: what happened, the injury, what was done and what follows.

    `values` are the fields that people write (`incidents.FIELDS`), as they are now; each change keeps what stood
    before.
    """

    __tablename__ = "incident"
    __table_args__ = (
        CheckConstraint("kind IN ('fall', 'other')", name="kind"),
        Index("ix_incident_patient", "patient_id", "at"),
        Index("ix_incident_ward", "ward_id", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    ward_id: Mapped[UUID | None] = mapped_column(ForeignKey("ward.id"))
    alert_id: Mapped[UUID | None] = mapped_column(ForeignKey("alert.id"))
    at: Mapped[datetime]
    values: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    opened_at: Mapped[datetime]
    opened_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class IncidentChange(Base):
    """What stood in an incident before somebody changed it."""

    __tablename__ = "incident_change"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime]
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)
