"""Checks of devices, with a date, a result and a successor; the version of a device's settings gets its own name."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("device", "limits_version", new_column_name="settings_version")
    op.create_table(
        "device_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="scheduled", nullable=False),
        _at("due_at", nullable=False),
        _at("added_at", nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=False),
        _at("started_at"),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        _at("ended_at"),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        _text("before"),
        _text("after"),
        _text("note"),
        sa.Column("follows", sa.Uuid(), nullable=True),
        _at("reminded_at"),
        sa.CheckConstraint(
            "kind IN ('calibration', 'battery', 'firmware', 'hardware')", name=op.f("ck_device_check_kind")
        ),
        sa.CheckConstraint(
            "status IN ('scheduled', 'in_progress', 'completed', 'failed')",
            name=op.f("ck_device_check_status"),
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (status IN ('scheduled', 'in_progress'))",
            name=op.f("ck_device_check_ended"),
        ),
        *(
            sa.ForeignKeyConstraint([name], [f"{other}.id"], name=op.f(f"fk_device_check_{name}"))
            for name, other in (
                ("device_id", "device"),
                ("added_by", "account"),
                ("started_by", "account"),
                ("ended_by", "account"),
                ("follows", "device_check"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_check")),
        sa.UniqueConstraint("follows", name=op.f("uq_device_check_follows")),
    )
    op.create_index(
        "uq_device_check_open",
        "device_check",
        ["device_id", "kind"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_device_check_device", "device_check", ["device_id", "due_at"])


def _at(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def downgrade() -> None:
    op.drop_table("device_check")
    op.alter_column("device", "settings_version", new_column_name="limits_version")
