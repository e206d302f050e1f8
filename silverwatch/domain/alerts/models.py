"""Limits, alerts, who took them, and where judging stands."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from silverwatch.db import Base


class VitalLimit(Base):
    """The site's limits of one vital: outside low/high warns, outside the critical ones is high priority."""

    __tablename__ = "vital_limit"
    __table_args__ = (
        CheckConstraint("hysteresis >= 0 AND delay_s BETWEEN 0 AND 30", name="bounds"),
        CheckConstraint("low IS NULL OR high IS NULL OR low < high", name="order"),
    )

    vital: Mapped[str] = mapped_column(primary_key=True)
    low: Mapped[float | None]
    high: Mapped[float | None]
    low_critical: Mapped[float | None]
    high_critical: Mapped[float | None]
    hysteresis: Mapped[float]
    delay_s: Mapped[float]
    extreme_low: Mapped[bool]
    priority: Mapped[str]


class Alert(Base):
    """Something that a person must take. At most one is open per subject and kind.

    `subject_id` is the patient's, the device's or the system part's id; `patient_id` the patient concerned.
    `event_at` is when it happened by event time, `raised_at` when we raised it. `live` alerts sound and
    escalate; a retrospective one was over before we knew, is closed from the start and counted.
    `ended_at`: the condition is over; `closed_at`: nothing is left to do. `times`: how often the condition came
    and went while the alert was open. `step`: how many steps of the escalation chain were taken, the next is due at
    `escalate_at`; `realarm_at`: when an acknowledged alarm whose condition is still true sounds again.
    `rule_id`: the house rule that decided; `partial`: its NEWS2 lacked parts, so that `value` is "at least";
    `notify`: whether it goes through the escalation chain.
    `muted_by`: why it neither sounds nor escalates (device, standby, pause), None for an alarm that does.
    """

    __tablename__ = "alert"
    __table_args__ = (
        Index("uq_alert_open", "subject_id", "kind", unique=True, postgresql_where=text("closed_at IS NULL")),
        Index("ix_alert_open_patient", "patient_id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_alert_patient", "patient_id", "event_at"),
        Index("ix_alert_rule", "rule_id", "event_at", postgresql_where=text("rule_id IS NOT NULL")),
        Index("ix_alert_escalate", "escalate_at", postgresql_where=text("escalate_at IS NOT NULL")),
        Index("ix_alert_realarm", "realarm_at", postgresql_where=text("realarm_at IS NOT NULL")),
        CheckConstraint("subject IN ('patient', 'device', 'system')", name="subject"),
        CheckConstraint("priority IN ('high', 'medium', 'low')", name="priority"),
        CheckConstraint("live OR closed_at IS NOT NULL", name="retrospective_closed"),
        CheckConstraint("muted_by IN ('device', 'standby', 'pause')", name="muted_by"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[str]
    subject_id: Mapped[UUID]
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("device.id"))
    kind: Mapped[str]
    priority: Mapped[str]
    peak_priority: Mapped[str]
    technical: Mapped[bool]
    live: Mapped[bool]
    run_from: Mapped[datetime]
    event_at: Mapped[datetime]
    last_at: Mapped[datetime]
    raised_at: Mapped[datetime]
    vital: Mapped[str | None]
    side: Mapped[str | None]
    value: Mapped[float | None]
    worst: Mapped[float | None]
    limit: Mapped[float | None]
    off_vitals: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    ended_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_as: Mapped[str | None]
    times: Mapped[int] = mapped_column(default=1, server_default="1")
    muted_by: Mapped[str | None]
    step: Mapped[int] = mapped_column(default=0, server_default="0")
    escalate_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]
    realarm_at: Mapped[datetime | None]
    realarmed_at: Mapped[datetime | None]
    resolved_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    resolution: Mapped[str | None]
    rule_id: Mapped[UUID | None] = mapped_column(ForeignKey("alarm_rule.id"))
    partial: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    notify: Mapped[bool] = mapped_column(default=True, server_default=text("true"))


class Acknowledgement(Base):
    """A person took responsibility for an alert. One stands at a time; it is over (`ended_at`) when the
    condition comes back or its priority rises, and then the alert is to be taken again."""

    __tablename__ = "acknowledgement"
    __table_args__ = (
        Index(
            "uq_acknowledgement_standing", "alert_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
        Index("ix_acknowledgement_alert", "alert_id", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    alert_id: Mapped[UUID] = mapped_column(ForeignKey("alert.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(server_default="")


class JudgeState(Base):
    """Where judging of a patient stands: the newest checkpoint of the rules and the last NEWS2.

    `news` is {"score", "risk", "at" (epoch ms), "previous"} of the last complete set, or {}.
    """

    __tablename__ = "judge_state"
    __table_args__ = {"postgresql_with": {"fillfactor": "50"}}

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    checkpoint: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    checkpoint_at: Mapped[datetime | None]
    news: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))


class Checkpoint(Base):
    """An older checkpoint of a patient: where judging starts again when a late reading comes in before it."""

    __tablename__ = "checkpoint"

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    state: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Heartbeat(Base):
    """A process says that it lives."""

    __tablename__ = "heartbeat"
    __table_args__ = {"postgresql_with": {"fillfactor": "50"}}

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
