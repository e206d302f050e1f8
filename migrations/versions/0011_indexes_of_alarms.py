"""Alarms by the time they happened and closed: the lists and the load read a stretch of time."""

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
