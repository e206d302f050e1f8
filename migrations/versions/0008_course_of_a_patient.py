"""Roll-ups and notes."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

VITALS = (
    "heart_rate", "respiratory_rate", "oxygen_saturation", "systolic_bp", "diastolic_bp", "mean_bp", "temperature",
    "pulse_rate", "supplemental_oxygen", "glucose", "weight", "pain", "steps",
)  # fmt: skip


def upgrade() -> None:
    for name in ("minute", "hour"):
        op.create_table(
            f"rollup_{name}",
            sa.Column("patient_id", sa.Uuid(), nullable=False),
            sa.Column("at", sa.DateTime(timezone=True), nullable=False),
            *(
                sa.Column(f"{vital}_{part}", sa.Integer() if part == "count" else sa.Double(), nullable=True)
                for vital in VITALS
                for part in ("min", "max", "mean", "count")
            ),
            sa.PrimaryKeyConstraint("patient_id", "at", name=op.f(f"pk_rollup_{name}")),
        )
    op.create_table(
        "rollup_due",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("patient_id", "hour", name=op.f("pk_rollup_due")),
    )
    op.add_column("vital_state", sa.Column("unrolled_from", sa.DateTime(timezone=True), nullable=True))
    # What was measured before there were roll-ups gets its own.
    op.execute("UPDATE vital_state SET unrolled_from = now() - interval '30 days' WHERE seq > 0")
    op.create_index(
        "ix_reading_set",
        "reading",
        ["patient_id", "measured_at"],
        postgresql_where=sa.text(
            "source_kind = 'manual' OR consciousness IS NOT NULL OR supplemental_oxygen IS NOT NULL"
        ),
    )
    op.create_index("ix_acknowledgement_alert", "acknowledgement", ["alert_id", "at"])
    op.create_table(
        "note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("struck_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("struck_by", sa.Uuid(), nullable=True),
        sa.Column("struck_because", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL) AND (struck_at IS NULL) = (struck_because IS NULL)",
            name=op.f("ck_note_struck"),
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_note_patient_id")),
        sa.ForeignKeyConstraint(["written_by"], ["account.id"], name=op.f("fk_note_written_by")),
        sa.ForeignKeyConstraint(["struck_by"], ["account.id"], name=op.f("fk_note_struck_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index("ix_note_patient", "note", ["patient_id", "written_at"])
    op.create_table(
        "note_version",
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["note_id"], ["note.id"], name=op.f("fk_note_version_note_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_note_version_account_id")),
        sa.PrimaryKeyConstraint("note_id", "version", name=op.f("pk_note_version")),
    )


def downgrade() -> None:
    op.drop_table("note_version")
    op.drop_table("note")
    op.drop_index("ix_acknowledgement_alert", table_name="acknowledgement")
    op.drop_index("ix_reading_set", table_name="reading")
    op.drop_column("vital_state", "unrolled_from")
    for name in ("due", "hour", "minute"):
        op.drop_table(f"rollup_{name}")
