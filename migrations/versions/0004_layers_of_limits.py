"""Limits in layers: site, ward, patient."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "limit_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("ward_id", sa.Uuid(), nullable=True),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cells", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("layer IN ('site', 'ward', 'patient')", name=op.f("ck_limit_version_layer")),
        sa.CheckConstraint("(layer = 'ward') = (ward_id IS NOT NULL)", name=op.f("ck_limit_version_ward")),
        sa.CheckConstraint(
            "(layer = 'patient') = (patient_id IS NOT NULL)", name=op.f("ck_limit_version_patient")
        ),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_limit_version_ward_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_limit_version_patient_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_limit_version_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_version")),
    )
    op.create_index(
        "uq_limit_version_number",
        "limit_version",
        ["layer", "ward_id", "patient_id", "number"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(
        "uq_limit_version_standing",
        "limit_version",
        ["layer", "ward_id", "patient_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index("ix_limit_version_patient", "limit_version", ["patient_id", "superseded_at"])


def downgrade() -> None:
    op.drop_table("limit_version")
