"""Moves of patients, places at home, changes of bindings, decisions about what waits in the quarantine."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
WAITS = sa.text("decided_at IS NULL AND code IN ('unbound', 'ambiguous')")


def upgrade() -> None:
    op.add_column("bed", sa.Column("kind", sa.Text(), server_default="bed", nullable=False))
    op.create_check_constraint(op.f("ck_bed_kind"), "bed", "kind IN ('bed', 'home')")
    _moves()
    _bindings()
    op.add_column("quarantine", sa.Column("decided_at", MOMENT, nullable=True))
    op.add_column("quarantine", sa.Column("decided_by", sa.Uuid(), nullable=True))
    op.add_column("quarantine", sa.Column("decision", sa.Text(), nullable=True))
    op.add_column("quarantine", sa.Column("because", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_quarantine_decision"), "quarantine", "decision IN ('attributed', 'refused')"
    )
    op.create_check_constraint(
        op.f("ck_quarantine_decided"), "quarantine", "(decided_at IS NULL) = (decision IS NULL)"
    )
    op.create_foreign_key(op.f("fk_quarantine_decided_by"), "quarantine", "account", ["decided_by"], ["id"])
    op.create_index("ix_quarantine_waits", "quarantine", ["device_id", "measured_at"], postgresql_where=WAITS)


def _moves() -> None:
    op.create_table(
        "move",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("from_bed_id", sa.Uuid(), nullable=True),
        sa.Column("to_bed_id", sa.Uuid(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("because", sa.Text(), server_default="", nullable=False),
        sa.Column("limits_number", sa.Integer(), nullable=True),
        sa.Column("undone_at", MOMENT, nullable=True),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('admission', 'transfer', 'swap', 'discharge')", name=op.f("ck_move_kind")
        ),
        sa.CheckConstraint(
            "(from_bed_id IS NULL) = (kind = 'admission') AND (to_bed_id IS NULL) = (kind = 'discharge')",
            name=op.f("ck_move_beds"),
        ),
        sa.CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name=op.f("ck_move_undone")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_move_patient_id")),
        sa.ForeignKeyConstraint(["from_bed_id"], ["bed.id"], name=op.f("fk_move_from_bed_id")),
        sa.ForeignKeyConstraint(["to_bed_id"], ["bed.id"], name=op.f("fk_move_to_bed_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_move_account_id")),
        sa.ForeignKeyConstraint(["undone_by"], ["account.id"], name=op.f("fk_move_undone_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_move")),
    )
    op.create_index("ix_move_patient", "move", ["patient_id", "at"])
    op.create_index("ix_move_at", "move", ["at"])
    op.create_index("ix_move_act", "move", ["act_id"])


def _bindings() -> None:
    op.create_table(
        "binding_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("binding_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("before", postgresql.TSTZRANGE(), nullable=True),
        sa.Column("after", postgresql.TSTZRANGE(), nullable=True),
        sa.Column("because", sa.Text(), server_default="", nullable=False),
        sa.Column("act_id", sa.Uuid(), nullable=True),
        sa.Column("readings", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_binding_change_device_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_binding_change_patient_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_binding_change_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_binding_change")),
    )
    op.create_index("ix_binding_change_device", "binding_change", ["device_id", "at"])
    op.create_index("ix_binding_change_act", "binding_change", ["act_id"])


def downgrade() -> None:
    op.drop_index("ix_quarantine_waits", table_name="quarantine", postgresql_where=WAITS)
    for column in ("because", "decision", "decided_by", "decided_at"):
        op.drop_column("quarantine", column)
    op.drop_table("binding_change")
    op.drop_table("move")
    op.drop_column("bed", "kind")
