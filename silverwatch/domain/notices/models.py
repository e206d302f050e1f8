"""Steps of escalation that were taken, notices with their attempts, and where people can be told; drills."""

from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class Escalation(Base):
    """One step of the chain was taken for an alert, by the clock or by a person (`taken_by`).

    `place`: which step of the chain; `reached`: how many people it names; 0 where nobody had the duty, and the next
    step was taken at once. `fallback`: they were only planned, are backup, or belong to the ward.
    """

    __tablename__ = "escalation"
    __table_args__ = (
        Index("ix_escalation_alert", "alert_id", "taken_at"),
        CheckConstraint("fallback IN ('backup', 'planned', 'ward', 'admins')", name="fallback"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    alert_id: Mapped[UUID] = mapped_column(ForeignKey("alert.id"))
    ward_id: Mapped[UUID | None] = mapped_column(ForeignKey("ward.id"))
    priority: Mapped[str]
    place: Mapped[int]
    role: Mapped[str | None]
    fallback: Mapped[str | None]
    reached: Mapped[int]
    taken_at: Mapped[datetime]
    taken_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class Notice(Base):
    """One person is told about one alert on one channel, because of one step; unique, so that twice is once.

    `next_attempt_at` is empty once it was delivered, given up, cancelled or held back (`held_as`); while an attempt is
    made it is when somebody else may make another one. Nothing in it names a patient: the text is written when it is
    sent. One of kind `test` is about no alert: somebody wanted to see whether a channel works.
    """

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("escalation_id", "account_id", "channel"),
        Index(
            "ix_notice_waiting",
            "channel",
            "next_attempt_at",
            postgresql_where=text("next_attempt_at IS NOT NULL"),
        ),
        Index(
            "ix_notice_urgent",
            "channel",
            "priority",
            "created_at",
            postgresql_where=text("next_attempt_at IS NOT NULL"),
        ),
        Index(
            "ix_notice_unseen",
            "account_id",
            "created_at",
            postgresql_where=text("channel = 'web' AND delivered_at IS NOT NULL AND seen_at IS NULL"),
        ),
        Index("ix_notice_alert", "alert_id"),
        Index("ix_notice_account", "account_id", "created_at"),
        CheckConstraint("channel IN ('web', 'push', 'sms', 'email', 'webhook')", name="channel"),
        CheckConstraint("held_as IN ('quiet', 'throttled')", name="held_as"),
        CheckConstraint(
            "kind IN ('alarm', 'test') AND (kind = 'test') = (alert_id IS NULL)"
            " AND (kind = 'test') = (escalation_id IS NULL)",
            name="kind",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(default="alarm", server_default="alarm")
    alert_id: Mapped[UUID | None] = mapped_column(ForeignKey("alert.id"))
    escalation_id: Mapped[UUID | None] = mapped_column(ForeignKey("escalation.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    channel: Mapped[str]
    address_id: Mapped[UUID | None] = mapped_column(ForeignKey("notice_address.id"))
    priority: Mapped[str]
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    delivered_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    held_as: Mapped[str | None]
    seen_at: Mapped[datetime | None]
    error: Mapped[str | None]


class NoticeAttempt(Base):
    """One attempt, written before it is made; without an outcome whoever made it has died."""

    __tablename__ = "notice_attempt"
    __table_args__ = (CheckConstraint("outcome IN ('delivered', 'failed')", name="outcome"),)

    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notice.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    begun_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    error: Mapped[str | None]


class NoticeWay(Base):
    """How one way to people does: a channel, or one address of a webhook (`address_id`), each a receiver of its own.

    `failures`: attempts in a row that were not taken, since `failing_since`; `error`: why the last one was not.
    `tried_at`: when a way that is down was tried last.
    """

    __tablename__ = "notice_way"
    __table_args__ = (
        CheckConstraint("channel IN ('push', 'sms', 'email', 'webhook')", name="channel"),
        {"postgresql_with": {"fillfactor": "50"}},
    )

    way: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str]
    address_id: Mapped[UUID | None] = mapped_column(ForeignKey("notice_address.id"))
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    failing_since: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    error: Mapped[str | None]


class NoticeAddress(Base):
    """Where somebody can be told, besides their pages and the e-mail address of their account.

    `address`: a phone number, a topic of the push server, an e-mail or web address. Used only once the code that was
    sent there came back (`verified_at`). `secret`: with which calls of a webhook are signed, sealed.
    """

    __tablename__ = "notice_address"
    __table_args__ = (
        Index(
            "uq_notice_address",
            "account_id",
            "channel",
            "address",
            unique=True,
            postgresql_where=text("removed_at IS NULL"),
        ),
        CheckConstraint("channel IN ('push', 'sms', 'email', 'webhook')", name="channel"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    channel: Mapped[str]
    address: Mapped[str]
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    added_at: Mapped[datetime]
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    code_sent_at: Mapped[datetime | None]
    code_tries: Mapped[int] = mapped_column(default=0, server_default="0")
    verified_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class NoticePreference(Base):
    """When somebody is not to be disturbed, by the clock of the site; what is high disturbs always."""

    __tablename__ = "notice_preference"
    __table_args__ = (CheckConstraint("(quiet_from IS NULL) = (quiet_until IS NULL)", name="quiet"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]
    changed_at: Mapped[datetime]


class Drill(Base):
    """A test alarm, followed from its row to the person. `lines` is a list of {"what", "ok", "after_s", "detail"}."""

    __tablename__ = "drill"
    __table_args__ = (Index("ix_drill_begun", "begun_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ward_id: Mapped[UUID] = mapped_column(ForeignKey("ward.id"))
    alert_id: Mapped[UUID | None] = mapped_column(ForeignKey("alert.id"))
    begun_at: Mapped[datetime]
    begun_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    ended_at: Mapped[datetime | None]
    passed: Mapped[bool | None]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
