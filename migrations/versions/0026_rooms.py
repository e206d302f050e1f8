"""Rooms of a ward; wards, rooms and beds that are closed."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ward", _closed())
    op.create_table(
        "room",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ward_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _closed(),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_room_ward_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room")),
        sa.UniqueConstraint("ward_id", "name", name=op.f("uq_room_ward_id_name")),
        sa.UniqueConstraint("id", "ward_id", name="uq_room_of_ward"),
    )
    op.add_column("bed", sa.Column("room_id", sa.Uuid(), nullable=True))
    op.add_column("bed", _closed())
    op.create_foreign_key("fk_bed_room_id", "bed", "room", ["room_id", "ward_id"], ["id", "ward_id"])


def _closed() -> sa.Column[object]:
    return sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True)


def downgrade() -> None:
    op.drop_constraint("fk_bed_room_id", "bed")
    op.drop_column("bed", "closed_at")
    op.drop_column("bed", "room_id")
    op.drop_table("room")
    op.drop_column("ward", "closed_at")
