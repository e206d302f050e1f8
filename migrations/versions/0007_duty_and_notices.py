"""Who is on duty, chains of escalation, notices and how they went."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROLES = "('nurse', 'charge_nurse', 'doctor', 'backup')"


def upgrade() -> None:
    _people()
    _roster()


def _at(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _id(name: str = "id", *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _to(table: str, name: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [f"{other}.id"], name=op.f(f"fk_{table}_{name}"))


def _people() -> None:
    op.add_column("account", sa.Column("duty_role", sa.Text(), server_default="nurse", nullable=False))
    op.create_check_constraint(op.f("ck_account_duty_role"), "account", f"duty_role IN {ROLES}")


def _roster() -> None:
    op.create_table(
        "planned_shift",
        _id(),
        _id("ward_id"),
        _id("account_id"),
        _text("role"),
        sa.Column("day", sa.Date(), nullable=False),
        _text("pattern"),
        _at("starts_at", nullable=False),
        _at("ends_at", nullable=False),
        _at("planned_at", nullable=False),
        _id("planned_by", nullable=True),
        _at("cancelled_at"),
        _id("cancelled_by", nullable=True),
        sa.CheckConstraint(f"role IN {ROLES}", name=op.f("ck_planned_shift_role")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_planned_shift_order")),
        _to("planned_shift", "ward_id", "ward"),
        _to("planned_shift", "account_id", "account"),
        _to("planned_shift", "planned_by", "account"),
        _to("planned_shift", "cancelled_by", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planned_shift")),
    )
    op.create_index(
        "uq_planned_shift",
        "planned_shift",
        ["ward_id", "account_id", "starts_at"],
        unique=True,
        postgresql_where=sa.text("cancelled_at IS NULL"),
    )
    op.create_index("ix_planned_shift_time", "planned_shift", ["ward_id", "starts_at"])
    op.create_table(
        "duty",
        _id(),
        _id("ward_id"),
        _id("account_id"),
        _text("role"),
        _at("accepted_at", nullable=False),
        _at("ended_at"),
        _text("ended_as", nullable=True),
        _id("handed_to", nullable=True),
        sa.CheckConstraint(f"role IN {ROLES}", name=op.f("ck_duty_role")),
        sa.CheckConstraint(
            "ended_as IN ('handed_over', 'off', 'changed', 'forgotten')", name=op.f("ck_duty_ended_as")
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name=op.f("ck_duty_ended")),
        _to("duty", "ward_id", "ward"),
        _to("duty", "account_id", "account"),
        _to("duty", "handed_to", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty")),
    )
    op.create_index(
        "uq_duty_present",
        "duty",
        ["ward_id", "account_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_duty_time", "duty", ["ward_id", "accepted_at"])


def downgrade() -> None:
    for table in ("duty", "planned_shift"):
        op.drop_table(table)
    op.drop_constraint(op.f("ck_account_duty_role"), "account", type_="check")
    op.drop_column("account", "duty_role")
