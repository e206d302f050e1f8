"""A set of observations that was taken back right after it was saved."""

from alembic import op

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None

_BEFORE = "kind IN ('changed', 'wrong_value', 'wrong_patient', 'artefact')"
_NOW = "kind IN ('changed', 'wrong_value', 'wrong_patient', 'artefact', 'undone')"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_correction_kind"), "correction")
    op.create_check_constraint(op.f("ck_correction_kind"), "correction", _NOW)


def downgrade() -> None:
    op.execute("UPDATE correction SET kind = 'wrong_value' WHERE kind = 'undone'")
    op.drop_constraint(op.f("ck_correction_kind"), "correction")
    op.create_check_constraint(op.f("ck_correction_kind"), "correction", _BEFORE)
