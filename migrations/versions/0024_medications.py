"""Medications of a patient, with the versions of their plans."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "medication",
        _id("id"),
        _id("patient_id"),
        sa.Column("name", sa.Text(), nullable=False),
        _said("despite"),
        _at("added_at"),
        _id("added_by"),
        _at("stopped_at", nullable=True),
        _id("stopped_by", nullable=True),
        sa.Column("stopped_because", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(stopped_at IS NULL) = (stopped_by IS NULL) AND (stopped_at IS NULL) = (stopped_because IS NULL)",
            name=op.f("ck_medication_stopped"),
        ),
        _to("medication", "patient_id", "patient"),
        _to("medication", "added_by", "account"),
        _to("medication", "stopped_by", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_medication")),
    )
    op.create_index("ix_medication_patient", "medication", ["patient_id"])
    op.create_table(
        "medication_version",
        _id("medication_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        _at("from_at"),
        _at("at"),
        _id("account_id"),
        sa.Column("dose", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("times", postgresql.ARRAY(sa.Time()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("weekdays", postgresql.ARRAY(sa.SmallInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("every_h", sa.Integer(), nullable=True),
        _at("first_at", nullable=True),
        _said("reason"),
        sa.Column("least_min", sa.Integer(), nullable=True),
        sa.Column("most_24h", sa.Integer(), nullable=True),
        _said("note"),
        _at("ends_at", nullable=True),
        *_checks(),
        _to("medication_version", "medication_id", "medication"),
        _to("medication_version", "account_id", "account"),
        sa.PrimaryKeyConstraint("medication_id", "version", name=op.f("pk_medication_version")),
    )  # fmt: skip


def _checks() -> list[sa.CheckConstraint]:
    """Each kind of a schedule has its own parts, and no other kind has them."""
    return [
        sa.CheckConstraint(condition, name=op.f(f"ck_medication_version_{name}"))
        for name, condition in (
            ("kind", "kind IN ('times', 'interval', 'as_needed')"),
            ("times", "(kind = 'times') = (cardinality(times) > 0 AND cardinality(weekdays) > 0)"),
            (
                "interval",
                "(kind = 'interval') = (every_h IS NOT NULL) AND (kind = 'interval') = (first_at IS NOT NULL)"
                " AND every_h BETWEEN 1 AND 168",
            ),
            (
                "as_needed",
                "(kind = 'as_needed') = (least_min IS NOT NULL) AND (kind = 'as_needed') = (most_24h IS NOT NULL)"
                " AND least_min > 0 AND most_24h > 0",
            ),
        )
    ]


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _id(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _said(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _to(table: str, name: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [f"{other}.id"], name=op.f(f"fk_{table}_{name}"))


def downgrade() -> None:
    op.drop_table("medication_version")
    op.drop_table("medication")
