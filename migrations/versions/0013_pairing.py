"""One-time codes that pair a device; keys that end after their successor came; which devices a gateway speaks for."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _pairing()
    _keys()
    _gateways()


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _id(name: str = "id", *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _to(table: str, name: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [f"{other}.id"], name=op.f(f"fk_{table}_{name}"))


def _pairing() -> None:
    op.create_table(
        "pairing",
        _id(),
        _id("device_id", nullable=True),
        _id("ward_id", nullable=True),
        _text("kind"),
        sa.Column("interval_s", sa.Float(), nullable=False),
        _text("handle"),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        _id("made_by", nullable=True),
        _at("made_at"),
        _at("expires_at"),
        sa.Column("wrong_tries", sa.Integer(), server_default="0", nullable=False),
        _at("ended_at", nullable=True),
        _text("ended_as", nullable=True),
        _text("met", nullable=True),
        _text("met_serial", nullable=True),
        sa.CheckConstraint(
            "ended_as IN ('claimed', 'replaced', 'tries', 'expired')", name=op.f("ck_pairing_ended_as")
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name=op.f("ck_pairing_ended")),
        sa.CheckConstraint("wrong_tries BETWEEN 0 AND 5", name=op.f("ck_pairing_wrong_tries")),
        sa.CheckConstraint("interval_s > 0", name=op.f("ck_pairing_interval_s")),
        _to("pairing", "device_id", "device"),
        _to("pairing", "ward_id", "ward"),
        _to("pairing", "made_by", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pairing")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_pairing_token_hash")),
    )
    op.create_index("ix_pairing_code_hash", "pairing", ["code_hash"])
    for name, column in (("uq_pairing_handle", "handle"), ("uq_pairing_device", "device_id")):
        op.create_index(name, "pairing", [column], unique=True, postgresql_where=sa.text("ended_at IS NULL"))


def _keys() -> None:
    op.add_column("device_key", _at("ends_at", nullable=True))
    op.add_column("device_key", sa.Column("hint", sa.Text(), server_default="", nullable=False))
    op.add_column("device_key", _id("made_by", nullable=True))
    op.create_foreign_key(op.f("fk_device_key_made_by"), "device_key", "account", ["made_by"], ["id"])


def _gateways() -> None:
    op.add_column("device", sa.Column("reach", sa.Text(), server_default="ward", nullable=False))
    op.create_check_constraint(op.f("ck_device_reach"), "device", "reach IN ('ward', 'listed')")
    op.create_table(
        "gateway_device",
        _id("gateway_id"),
        _id("device_id"),
        _to("gateway_device", "gateway_id", "device"),
        _to("gateway_device", "device_id", "device"),
        sa.PrimaryKeyConstraint("gateway_id", "device_id", name=op.f("pk_gateway_device")),
    )
    op.create_index(op.f("ix_gateway_device_device_id"), "gateway_device", ["device_id"])


def downgrade() -> None:
    op.drop_table("gateway_device")
    op.drop_constraint(op.f("ck_device_reach"), "device", type_="check")
    op.drop_column("device", "reach")
    op.drop_constraint(op.f("fk_device_key_made_by"), "device_key", type_="foreignkey")
    for column in ("made_by", "hint", "ends_at"):
        op.drop_column("device_key", column)
    op.drop_table("pairing")
