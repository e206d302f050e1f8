"""How each channel does, notices that are a test, and quick ways to the most urgent and to what nobody has seen."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice_way",
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address_id", sa.Uuid(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "channel IN ('push', 'sms', 'email', 'webhook')", name=op.f("ck_notice_way_channel")
        ),
        sa.ForeignKeyConstraint(["address_id"], ["notice_address.id"], name=op.f("fk_notice_way_address_id")),
        sa.PrimaryKeyConstraint("way", name=op.f("pk_notice_way")),
        postgresql_with={"fillfactor": "50"},
    )
    op.add_column("notice", sa.Column("kind", sa.Text(), server_default="alarm", nullable=False))
    op.alter_column("notice", "alert_id", nullable=True)
    op.alter_column("notice", "escalation_id", nullable=True)
    op.create_check_constraint(
        op.f("ck_notice_kind"),
        "notice",
        "kind IN ('alarm', 'test') AND (kind = 'test') = (alert_id IS NULL)"
        " AND (kind = 'test') = (escalation_id IS NULL)",
    )
    op.create_index(
        "ix_notice_urgent",
        "notice",
        ["channel", "priority", "created_at"],
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_index(
        "ix_notice_unseen",
        "notice",
        ["account_id", "created_at"],
        postgresql_where=sa.text("channel = 'web' AND delivered_at IS NOT NULL AND seen_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_notice_unseen", table_name="notice")
    op.drop_index("ix_notice_urgent", table_name="notice")
    op.execute("DELETE FROM notice_attempt WHERE notice_id IN (SELECT id FROM notice WHERE kind = 'test')")
    op.execute("DELETE FROM notice WHERE kind = 'test'")
    op.drop_constraint(op.f("ck_notice_kind"), "notice")
    op.alter_column("notice", "escalation_id", nullable=False)
    op.alter_column("notice", "alert_id", nullable=False)
    op.drop_column("notice", "kind")
    op.drop_table("notice_way")
