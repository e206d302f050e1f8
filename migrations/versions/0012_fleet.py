"""What a device is, where it is kept, and how it is set."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("device", sa.Column("location", sa.Text(), server_default="", nullable=False))
    op.add_column("device", sa.Column("sensitivity", sa.Text(), server_default="normal", nullable=False))
    op.add_column("device", sa.Column("sample_rate_hz", sa.Double(), nullable=True))
    op.add_column("device", sa.Column("limits_version", sa.Integer(), server_default="1", nullable=False))
    op.create_check_constraint(
        op.f("ck_device_sensitivity"), "device", "sensitivity IN ('low', 'normal', 'high')"
    )
    op.create_check_constraint(op.f("ck_device_sample_rate_hz"), "device", "sample_rate_hz > 0")
    op.create_table(
        "device_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("kind IN ('added', 'changed', 'retired')", name=op.f("ck_device_change_kind")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_device_change_device_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_device_change_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_change")),
    )
    op.create_index("ix_device_change_device", "device_change", ["device_id", "at"])
    op.create_table(
        "device_sample",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("battery", sa.Integer(), nullable=True),
        sa.Column("signal_dbm", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_device_sample_device_id")),
        sa.PrimaryKeyConstraint("device_id", "at", name=op.f("pk_device_sample")),
    )


def downgrade() -> None:
    op.drop_table("device_sample")
    op.drop_table("device_change")
    op.drop_constraint(op.f("ck_device_sample_rate_hz"), "device")
    op.drop_constraint(op.f("ck_device_sensitivity"), "device")
    for column in ("limits_version", "sample_rate_hz", "sensitivity", "location"):
        op.drop_column("device", column)
