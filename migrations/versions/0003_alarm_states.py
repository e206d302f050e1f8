"""Alarms that escalate, sound again, come back and are muted."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alert", sa.Column("times", sa.Integer(), server_default="1", nullable=False))
    op.add_column("alert", sa.Column("muted_by", sa.Text(), nullable=True))
    op.add_column("alert", sa.Column("step", sa.Integer(), server_default="0", nullable=False))
    for name in ("escalate_at", "escalated_at", "realarm_at", "realarmed_at"):
        op.add_column("alert", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("alert", sa.Column("resolved_by", sa.Uuid(), nullable=True))
    op.add_column("alert", sa.Column("resolution", sa.Text(), nullable=True))
    op.create_foreign_key(op.f("fk_alert_resolved_by_account"), "alert", "account", ["resolved_by"], ["id"])
    op.create_check_constraint(
        op.f("ck_alert_muted_by"), "alert", "muted_by IN ('device', 'standby', 'pause')"
    )
    for name in ("escalate", "realarm"):
        op.create_index(
            f"ix_alert_{name}", "alert", [f"{name}_at"], postgresql_where=sa.text(f"{name}_at IS NOT NULL")
        )


COLUMNS = (
    "resolution", "resolved_by", "realarmed_at", "realarm_at", "escalated_at", "escalate_at", "step", "muted_by",
    "times",
)  # fmt: skip


def downgrade() -> None:
    for column in COLUMNS:
        op.drop_column("alert", column)
