"""What is known of a patient."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("patient", sa.Column("phone", sa.Text(), server_default="", nullable=False))
    op.add_column("patient", sa.Column("address", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_patient_born_on", "patient", ["born_on"])
    _entries()
    _changes()
    _team()


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _id(name: str = "id", *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _said(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _to(table: str, name: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [f"{other}.id"], name=op.f(f"fk_{table}_{name}"))


def _entries() -> None:
    op.create_table(
        "record_entry",
        _id(),
        _id("patient_id"),
        _text("kind"),
        _text("what"),
        _said("detail"),
        _said("phone"),
        sa.Column("happened_on", sa.Date(), nullable=True),
        _at("added_at"),
        _id("added_by"),
        _at("ended_at", nullable=True),
        _id("ended_by", nullable=True),
        _text("ended_because", nullable=True),
        sa.CheckConstraint(
            "kind IN ('flag', 'allergy', 'no_allergies', 'condition', 'surgery', 'contact')",
            name=op.f("ck_record_entry_kind"),
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (ended_because IS NULL)",
            name=op.f("ck_record_entry_ended"),
        ),
        _to("record_entry", "patient_id", "patient"),
        _to("record_entry", "added_by", "account"),
        _to("record_entry", "ended_by", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_entry")),
    )
    op.create_index("ix_record_entry_patient", "record_entry", ["patient_id", "kind"])
    op.create_index(
        "uq_record_entry_standing",
        "record_entry",
        ["patient_id", "kind", "what"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _changes() -> None:
    op.create_table(
        "patient_change",
        _id(),
        _id("patient_id"),
        _at("at"),
        _id("account_id"),
        sa.Column("changed", postgresql.JSONB(), nullable=False),
        _to("patient_change", "patient_id", "patient"),
        _to("patient_change", "account_id", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_change")),
    )
    op.create_index("ix_patient_change_patient", "patient_change", ["patient_id", "at"])


def _team() -> None:
    op.create_table(
        "care_team_change",
        _id(),
        _id("patient_id"),
        _id("account_id"),
        _at("at"),
        sa.Column("joined", sa.Boolean(), nullable=False),
        _id("changed_by"),
        _to("care_team_change", "patient_id", "patient"),
        _to("care_team_change", "account_id", "account"),
        _to("care_team_change", "changed_by", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_team_change")),
    )
    op.create_index("ix_care_team_change_patient", "care_team_change", ["patient_id", "at"])


def downgrade() -> None:
    for table in ("care_team_change", "patient_change", "record_entry"):
        op.drop_table(table)
    op.drop_index("ix_patient_born_on", table_name="patient")
    op.drop_column("patient", "address")
    op.drop_column("patient", "phone")
