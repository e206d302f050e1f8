"""What went into a patient and what came out."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KINDS = (
    "kind IN ('oral', 'tube', 'infusion', 'blood', 'other_in',"
    " 'urine', 'vomit', 'stool', 'drain', 'aspirate', 'bleeding', 'other_out')"
)


def upgrade() -> None:
    op.add_column("fluid", sa.Column("what", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("fluid", sa.Column("replaces", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_fluid_replaces"), "fluid", "fluid", ["replaces"], ["id"])
    op.create_unique_constraint(op.f("uq_fluid_replaces"), "fluid", ["replaces"])
    op.create_check_constraint(op.f("ck_fluid_kind"), "fluid", KINDS)


def downgrade() -> None:
    op.drop_constraint(op.f("ck_fluid_kind"), "fluid", type_="check")
    op.drop_constraint(op.f("uq_fluid_replaces"), "fluid", type_="unique")
    op.drop_constraint(op.f("fk_fluid_replaces"), "fluid", type_="foreignkey")
    op.drop_column("fluid", "replaces")
    op.drop_column("fluid", "what")
