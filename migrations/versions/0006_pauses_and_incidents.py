"""Pauses, incidents, and what was done about an alarm."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pause",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("ward_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(scope = 'alarm') = (kind IS NOT NULL)", name=op.f("ck_pause_kind")),
        sa.CheckConstraint("(scope = 'sound') = (patient_id IS NULL)", name=op.f("ck_pause_patient")),
        sa.CheckConstraint("(scope = 'sound') = (ward_id IS NOT NULL)", name=op.f("ck_pause_ward")),
        sa.CheckConstraint("scope IN ('alarm', 'patient', 'sound')", name=op.f("ck_pause_scope")),
        sa.CheckConstraint("ends_at > started_at", name=op.f("ck_pause_order")),
        sa.ForeignKeyConstraint(["ended_by"], ["account.id"], name=op.f("fk_pause_ended_by")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_pause_patient_id")),
        sa.ForeignKeyConstraint(["started_by"], ["account.id"], name=op.f("fk_pause_started_by")),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_pause_ward_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pause")),
    )
    op.create_index(
        "ix_pause_ends", "pause", ["ends_at"], unique=False, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index("ix_pause_history", "pause", ["patient_id", "started_at"], unique=False)
    op.create_index(
        "uq_pause_alarm",
        "pause",
        ["patient_id", "kind"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL AND scope = 'alarm'"),
    )
    op.create_index(
        "uq_pause_patient",
        "pause",
        ["patient_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL AND scope = 'patient'"),
    )
    op.create_index(
        "uq_pause_sound",
        "pause",
        ["ward_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL AND scope = 'sound'"),
    )
    op.create_table(
        "alert_action",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_alert_action_account_id")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alert_action_alert_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_action")),
    )
    op.create_index(op.f("ix_alert_action_alert_id"), "alert_action", ["alert_id"], unique=False)
    op.create_table(
        "alert_episode",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("peak_priority", sa.Text(), nullable=False),
        sa.Column("run_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("worst", sa.Double(), nullable=True),
        sa.Column("limit", sa.Double(), nullable=True),
        sa.Column("off_vitals", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alert_episode_alert_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_alert_episode_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_episode")),
    )
    op.create_index(op.f("ix_alert_episode_alert_id"), "alert_episode", ["alert_id"], unique=False)
    op.create_index("ix_alert_episode_patient", "alert_episode", ["patient_id", "last_at"], unique=False)
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("ward_id", sa.Uuid(), nullable=True),
        sa.Column("alert_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "values", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind IN ('fall', 'other')", name=op.f("ck_incident_kind")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_incident_alert_id")),
        sa.ForeignKeyConstraint(["closed_by"], ["account.id"], name=op.f("fk_incident_closed_by")),
        sa.ForeignKeyConstraint(["opened_by"], ["account.id"], name=op.f("fk_incident_opened_by")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_incident_patient_id")),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_incident_ward_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    op.create_index("ix_incident_patient", "incident", ["patient_id", "at"], unique=False)
    op.create_index("ix_incident_ward", "incident", ["ward_id", "at"], unique=False)
    op.create_table(
        "incident_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_incident_change_account_id")),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_incident_change_incident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_change")),
    )
    op.create_index(op.f("ix_incident_change_incident_id"), "incident_change", ["incident_id"], unique=False)


def downgrade() -> None:
    op.drop_table("incident_change")
    op.drop_table("incident")
    op.drop_table("alert_episode")
    op.drop_table("alert_action")
    op.drop_table("pause")
