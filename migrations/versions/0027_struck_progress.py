"""Progress of a goal can be struck out, as notes are."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("goal_progress", sa.Column("struck_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("goal_progress", sa.Column("struck_by", sa.Uuid(), nullable=True))
    op.add_column("goal_progress", sa.Column("struck_because", sa.Text(), nullable=True))
    op.create_foreign_key("fk_goal_progress_struck_by", "goal_progress", "account", ["struck_by"], ["id"])
    op.create_check_constraint(
        op.f("ck_goal_progress_struck"),
        "goal_progress",
        "(struck_at IS NULL) = (struck_by IS NULL) AND (struck_at IS NULL) = (struck_because IS NULL)",
    )


def downgrade() -> None:
    op.drop_constraint("ck_goal_progress_struck", "goal_progress")
    op.drop_constraint("fk_goal_progress_struck_by", "goal_progress")
    op.drop_column("goal_progress", "struck_because")
    op.drop_column("goal_progress", "struck_by")
    op.drop_column("goal_progress", "struck_at")
