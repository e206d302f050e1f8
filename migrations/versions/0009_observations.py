"""Who entered a set, corrections, fluids, decisions about NEWS2, and units."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "observation_entry",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("measured_at", MOMENT, nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.Column("confirmed", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_observation_entry_account_id")),
        sa.PrimaryKeyConstraint("patient_id", "measured_at", "source_id", name=op.f("pk_observation_entry")),
    )
    op.create_table(
        "correction",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("measured_at", MOMENT, nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("corrected_at", MOMENT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "kind IN ('changed', 'wrong_value', 'wrong_patient', 'artefact')", name=op.f("ck_correction_kind")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_correction_account_id")),
        sa.PrimaryKeyConstraint(
            "patient_id", "measured_at", "source_id", "number", name=op.f("pk_correction")
        ),
    )
    op.create_table(
        "fluid",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ml", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.Column("struck_at", MOMENT, nullable=True),
        sa.Column("struck_by", sa.Uuid(), nullable=True),
        sa.Column("struck_because", sa.Text(), nullable=True),
        sa.CheckConstraint("ml BETWEEN 1 AND 10000", name=op.f("ck_fluid_ml")),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL) AND (struck_at IS NULL) = (struck_because IS NULL)",
            name=op.f("ck_fluid_struck"),
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_fluid_patient_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_fluid_account_id")),
        sa.ForeignKeyConstraint(["struck_by"], ["account.id"], name=op.f("fk_fluid_struck_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fluid")),
    )
    op.create_index("ix_fluid_patient", "fluid", ["patient_id", "at"])
    op.create_table(
        "scale_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("scale", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.CheckConstraint("scale IN (1, 2)", name=op.f("ck_scale_decision_scale")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_scale_decision_patient_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_scale_decision_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scale_decision")),
    )
    op.create_index("ix_scale_decision_patient", "scale_decision", ["patient_id", "decided_at"])
    op.create_table(
        "interval_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("minutes BETWEEN 15 AND 1440", name=op.f("ck_interval_decision_minutes")),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_interval_decision_ended")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_interval_decision_patient_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_interval_decision_account_id")),
        sa.ForeignKeyConstraint(["ended_by"], ["account.id"], name=op.f("fk_interval_decision_ended_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interval_decision")),
    )
    op.create_index(
        "uq_interval_decision_standing",
        "interval_decision",
        ["patient_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "unit_choice",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("temperature", sa.Text(), nullable=False),
        sa.Column("weight", sa.Text(), nullable=False),
        sa.Column("pressure", sa.Text(), nullable=False),
        sa.Column("glucose", sa.Text(), nullable=False),
        sa.CheckConstraint("temperature IN ('C', 'F')", name=op.f("ck_unit_choice_temperature")),
        sa.CheckConstraint("weight IN ('kg', 'lb')", name=op.f("ck_unit_choice_weight")),
        sa.CheckConstraint("pressure IN ('mmHg', 'kPa')", name=op.f("ck_unit_choice_pressure")),
        sa.CheckConstraint("glucose IN ('mmol/L', 'mg/dL')", name=op.f("ck_unit_choice_glucose")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_unit_choice_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_unit_choice")),
    )


def downgrade() -> None:
    for name in (
        "unit_choice", "interval_decision", "scale_decision", "fluid", "correction", "observation_entry",
    ):  # fmt: skip
        op.drop_table(name)
