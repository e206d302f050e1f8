"""What became of the doses of medications."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "medication_dose",
        _id("id"),
        _id("medication_id"),
        _id("patient_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        _at("due_at", nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        _at("at"),
        _said("reason"),
        _said("note"),
        _id("account_id"),
        _at("entered_at"),
        _at("struck_at", nullable=True),
        _id("struck_by", nullable=True),
        sa.Column("struck_because", sa.Text(), nullable=True),
        _id("replaces", nullable=True),
        sa.CheckConstraint(
            "outcome IN ('given', 'refused', 'missed', 'held')", name=op.f("ck_medication_dose_outcome")
        ),
        sa.CheckConstraint(
            "outcome = 'given' OR (reason <> '' AND due_at IS NOT NULL)",
            name=op.f("ck_medication_dose_reason"),
        ),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL) AND (struck_at IS NULL) = (struck_because IS NULL)",
            name=op.f("ck_medication_dose_struck"),
        ),
        sa.ForeignKeyConstraint(
            ["medication_id", "version"],
            ["medication_version.medication_id", "medication_version.version"],
            name="fk_medication_dose_version",
        ),
        *(
            sa.ForeignKeyConstraint([name], [f"{other}.id"], name=op.f(f"fk_medication_dose_{name}"))
            for name, other in (
                ("medication_id", "medication"),
                ("patient_id", "patient"),
                ("account_id", "account"),
                ("struck_by", "account"),
                ("replaces", "medication_dose"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_medication_dose")),
        sa.UniqueConstraint("replaces", name=op.f("uq_medication_dose_replaces")),
    )
    # Two nurses at once: of each dose that was due one row stands.
    op.create_index(
        "uq_medication_dose_due",
        "medication_dose",
        ["medication_id", "due_at"],
        unique=True,
        postgresql_where=sa.text("struck_at IS NULL AND due_at IS NOT NULL"),
    )
    op.create_index("ix_medication_dose_patient", "medication_dose", ["patient_id", "at"])


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _id(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _said(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def downgrade() -> None:
    op.drop_table("medication_dose")
