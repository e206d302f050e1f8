"""Who is on duty, chains of escalation, notices and how they went."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROLES = "('nurse', 'charge_nurse', 'doctor', 'backup')"


def upgrade() -> None:
    _people()
    _roster()
    _chains()
    _addresses()
    _notices()
    _drills()


def _at(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _id(name: str = "id", *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _to(table: str, name: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [f"{other}.id"], name=op.f(f"fk_{table}_{name}"))


def _people() -> None:
    op.add_column("account", sa.Column("duty_role", sa.Text(), server_default="nurse", nullable=False))
    op.create_check_constraint(op.f("ck_account_duty_role"), "account", f"duty_role IN {ROLES}")


def _roster() -> None:
    op.create_table(
        "planned_shift",
        _id(),
        _id("ward_id"),
        _id("account_id"),
        _text("role"),
        sa.Column("day", sa.Date(), nullable=False),
        _text("pattern"),
        _at("starts_at", nullable=False),
        _at("ends_at", nullable=False),
        _at("planned_at", nullable=False),
        _id("planned_by", nullable=True),
        _at("cancelled_at"),
        _id("cancelled_by", nullable=True),
        sa.CheckConstraint(f"role IN {ROLES}", name=op.f("ck_planned_shift_role")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_planned_shift_order")),
        _to("planned_shift", "ward_id", "ward"),
        _to("planned_shift", "account_id", "account"),
        _to("planned_shift", "planned_by", "account"),
        _to("planned_shift", "cancelled_by", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planned_shift")),
    )
    op.create_index(
        "uq_planned_shift",
        "planned_shift",
        ["ward_id", "account_id", "starts_at"],
        unique=True,
        postgresql_where=sa.text("cancelled_at IS NULL"),
    )
    op.create_index("ix_planned_shift_time", "planned_shift", ["ward_id", "starts_at"])
    op.create_table(
        "duty",
        _id(),
        _id("ward_id"),
        _id("account_id"),
        _text("role"),
        _at("accepted_at", nullable=False),
        _at("ended_at"),
        _text("ended_as", nullable=True),
        _id("handed_to", nullable=True),
        sa.CheckConstraint(f"role IN {ROLES}", name=op.f("ck_duty_role")),
        sa.CheckConstraint(
            "ended_as IN ('handed_over', 'off', 'changed', 'forgotten')", name=op.f("ck_duty_ended_as")
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name=op.f("ck_duty_ended")),
        _to("duty", "ward_id", "ward"),
        _to("duty", "account_id", "account"),
        _to("duty", "handed_to", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty")),
    )
    op.create_index(
        "uq_duty_present",
        "duty",
        ["ward_id", "account_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_duty_time", "duty", ["ward_id", "accepted_at"])


CHANNELS = "('web', 'push', 'sms', 'email', 'webhook')"


def _chains() -> None:
    op.create_table(
        "escalation_chain",
        _id(),
        _id("ward_id", nullable=True),
        _text("priority"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("steps", postgresql.JSONB(), nullable=False),
        sa.Column("repeat_s", sa.Integer(), nullable=False),
        _at("made_at", nullable=False),
        _id("made_by", nullable=True),
        _at("ended_at"),
        sa.CheckConstraint(
            "priority IN ('high', 'medium', 'low')", name=op.f("ck_escalation_chain_priority")
        ),
        _to("escalation_chain", "ward_id", "ward"),
        _to("escalation_chain", "made_by", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation_chain")),
    )
    for name, columns, where in (
        ("site", ["priority"], "ward_id IS NULL AND ended_at IS NULL"),
        ("ward", ["ward_id", "priority"], "ward_id IS NOT NULL AND ended_at IS NULL"),
    ):
        op.create_index(
            f"uq_escalation_chain_{name}",
            "escalation_chain",
            columns,
            unique=True,
            postgresql_where=sa.text(where),
        )


def _addresses() -> None:
    op.create_table(
        "notice_address",
        _id(),
        _id("account_id"),
        _text("channel"),
        _text("address"),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        _at("added_at", nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        _at("code_sent_at"),
        sa.Column("code_tries", sa.Integer(), server_default="0", nullable=False),
        _at("verified_at"),
        _at("removed_at"),
        sa.CheckConstraint(
            "channel IN ('push', 'sms', 'email', 'webhook')", name=op.f("ck_notice_address_channel")
        ),
        _to("notice_address", "account_id", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_address")),
    )
    op.create_index(
        "uq_notice_address",
        "notice_address",
        ["account_id", "channel", "address"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "notice_preference",
        _id("account_id"),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_until", sa.Time(), nullable=True),
        _at("changed_at", nullable=False),
        sa.CheckConstraint(
            "(quiet_from IS NULL) = (quiet_until IS NULL)", name=op.f("ck_notice_preference_quiet")
        ),
        _to("notice_preference", "account_id", "account"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_notice_preference")),
    )


def _notices() -> None:
    op.create_table(
        "escalation",
        _id(),
        _id("alert_id"),
        _id("ward_id", nullable=True),
        _text("priority"),
        sa.Column("place", sa.Integer(), nullable=False),
        _text("role", nullable=True),
        _text("fallback", nullable=True),
        sa.Column("reached", sa.Integer(), nullable=False),
        _at("taken_at", nullable=False),
        _id("taken_by", nullable=True),
        sa.CheckConstraint(
            "fallback IN ('backup', 'planned', 'ward', 'admins')", name=op.f("ck_escalation_fallback")
        ),
        _to("escalation", "alert_id", "alert"),
        _to("escalation", "ward_id", "ward"),
        _to("escalation", "taken_by", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation")),
    )
    op.create_index("ix_escalation_alert", "escalation", ["alert_id", "taken_at"])
    op.create_table(
        "notice",
        _id(),
        _id("alert_id"),
        _id("escalation_id"),
        _id("account_id"),
        _text("channel"),
        _id("address_id", nullable=True),
        _text("priority"),
        _at("created_at", nullable=False),
        _at("next_attempt_at"),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        *(_at(name) for name in ("delivered_at", "failed_at", "cancelled_at")),
        _text("held_as", nullable=True),
        _at("seen_at"),
        _text("error", nullable=True),
        sa.CheckConstraint(f"channel IN {CHANNELS}", name=op.f("ck_notice_channel")),
        sa.CheckConstraint("held_as IN ('quiet', 'throttled')", name=op.f("ck_notice_held_as")),
        _to("notice", "alert_id", "alert"),
        _to("notice", "escalation_id", "escalation"),
        _to("notice", "account_id", "account"),
        _to("notice", "address_id", "notice_address"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint(
            "escalation_id", "account_id", "channel", name=op.f("uq_notice_escalation_id_account_id_channel")
        ),
    )
    op.create_index(
        "ix_notice_waiting",
        "notice",
        ["channel", "next_attempt_at"],
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_index("ix_notice_alert", "notice", ["alert_id"])
    op.create_index("ix_notice_account", "notice", ["account_id", "created_at"])
    op.create_table(
        "notice_attempt",
        _id("notice_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        _at("begun_at", nullable=False),
        _at("ended_at"),
        _text("outcome", nullable=True),
        _text("error", nullable=True),
        sa.CheckConstraint("outcome IN ('delivered', 'failed')", name=op.f("ck_notice_attempt_outcome")),
        _to("notice_attempt", "notice_id", "notice"),
        sa.PrimaryKeyConstraint("notice_id", "number", name=op.f("pk_notice_attempt")),
    )


def _drills() -> None:
    op.create_table(
        "drill",
        _id(),
        _id("ward_id"),
        _id("alert_id", nullable=True),
        _at("begun_at", nullable=False),
        _id("begun_by", nullable=True),
        _at("ended_at"),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("lines", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        _to("drill", "ward_id", "ward"),
        _to("drill", "alert_id", "alert"),
        _to("drill", "begun_by", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drill")),
    )
    op.create_index("ix_drill_begun", "drill", ["begun_at"])


TABLES = (
    "drill", "notice_attempt", "notice", "escalation", "notice_preference", "notice_address", "escalation_chain",
    "duty", "planned_shift",
)  # fmt: skip


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.drop_constraint(op.f("ck_account_duty_role"), "account", type_="check")
    op.drop_column("account", "duty_role")
