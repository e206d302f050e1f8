"""A rule of a ward or of a patient may stand instead of one of a layer above."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alarm_rule", sa.Column("instead_of", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_alarm_rule_instead_of"), "alarm_rule", "alarm_rule", ["instead_of"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_alarm_rule_instead_of"),
        "alarm_rule",
        "instead_of IS NULL OR ward_id IS NOT NULL OR patient_id IS NOT NULL",
    )
    op.create_index(
        "uq_alarm_rule_ward_instead",
        "alarm_rule",
        ["instead_of", "ward_id"],
        unique=True,
        postgresql_where=sa.text("ward_id IS NOT NULL AND retired_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_alarm_rule_ward_instead", table_name="alarm_rule")
    op.drop_constraint(op.f("ck_alarm_rule_instead_of"), "alarm_rule")
    op.drop_constraint(op.f("fk_alarm_rule_instead_of"), "alarm_rule")
    op.drop_column("alarm_rule", "instead_of")
