"""Rules beside the limits."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SITE_RULES = {
    "01980000-0000-7000-8000-000000000701": {
        "name": "NEWS2 of 7 or more", "condition": {"type": "news2", "at_least": 7}, "hold_s": 60.0,
        "priority": "high",
    },
    "01980000-0000-7000-8000-000000000501": {
        "name": "NEWS2 of 5 or more", "condition": {"type": "news2", "at_least": 5}, "hold_s": 60.0,
    },
    "01980000-0000-7000-8000-000000000301": {
        "name": "One part of NEWS2 has 3 points", "condition": {"type": "points", "part": "any", "at_least": 3},
        "hold_s": 60.0, "priority": "low", "action": "show", "enabled": False,
    },
    "01980000-0000-7000-8000-000000000201": {
        "name": "NEWS2 has risen by 2", "condition": {"type": "rise", "at_least": 2}, "hold_s": 60.0,
        "priority": "low", "action": "show", "enabled": False,
    },
}  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "alarm_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ward_id", sa.Uuid(), nullable=True),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_by", sa.Uuid(), nullable=True),
        sa.Column("retired_because", sa.Text(), nullable=True),
        sa.CheckConstraint("ward_id IS NULL OR patient_id IS NULL", name=op.f("ck_alarm_rule_layer")),
        sa.CheckConstraint(
            "(retired_at IS NULL) = (retired_because IS NULL)", name=op.f("ck_alarm_rule_retired")
        ),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_alarm_rule_ward_id_ward")),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_alarm_rule_patient_id_patient")
        ),
        sa.ForeignKeyConstraint(
            ["retired_by"], ["account.id"], name=op.f("fk_alarm_rule_retired_by_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_rule")),
    )
    op.create_table(
        "alarm_rule_version",
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rule", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["alarm_rule.id"], name=op.f("fk_alarm_rule_version_rule_id_alarm_rule")
        ),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["account.id"], name=op.f("fk_alarm_rule_version_changed_by_account")
        ),
        sa.PrimaryKeyConstraint("rule_id", "number", name=op.f("pk_alarm_rule_version")),
    )
    op.add_column("alert", sa.Column("rule_id", sa.Uuid(), nullable=True))
    op.add_column("alert", sa.Column("partial", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("alert", sa.Column("notify", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_foreign_key(op.f("fk_alert_rule_id_alarm_rule"), "alert", "alarm_rule", ["rule_id"], ["id"])
    op.create_index(
        "ix_alert_rule", "alert", ["rule_id", "event_at"], postgresql_where=sa.text("rule_id IS NOT NULL")
    )
    _site_rules()


def _site_rules() -> None:
    for rule_id, rule in SITE_RULES.items():
        op.execute(
            sa.text(
                "INSERT INTO alarm_rule (id, version, created_at) VALUES (CAST(:id AS uuid), 1, now())"
            ).bindparams(id=rule_id)
        )
        op.execute(
            sa.text(
                "INSERT INTO alarm_rule_version (rule_id, number, rule, changed_at)"
                " VALUES (CAST(:id AS uuid), 1, CAST(:rule AS jsonb), now())"
            ).bindparams(id=rule_id, rule=json.dumps(rule))
        )


def downgrade() -> None:
    op.drop_index("ix_alert_rule", table_name="alert")
    op.drop_constraint(op.f("fk_alert_rule_id_alarm_rule"), "alert", type_="foreignkey")
    for column in ("notify", "partial", "rule_id"):
        op.drop_column("alert", column)
    op.drop_table("alarm_rule_version")
    op.drop_table("alarm_rule")
