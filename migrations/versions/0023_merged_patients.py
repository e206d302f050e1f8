"""A record that was one of two of the same person points to the one that goes on, and nothing new can come to it."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLES = ("stay", "binding", "vital_state")
"""Where a patient is, what they wear, and what every reading of theirs writes first."""


def upgrade() -> None:
    op.add_column("patient", sa.Column("merged_into", sa.Uuid(), nullable=True))
    op.add_column("patient", sa.Column("merged_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("patient", sa.Column("merged_by", sa.Uuid(), nullable=True))
    op.add_column("patient", sa.Column("merged_because", sa.Text(), nullable=True))
    op.create_foreign_key("fk_patient_merged_into", "patient", "patient", ["merged_into"], ["id"])
    op.create_foreign_key("fk_patient_merged_by", "patient", "account", ["merged_by"], ["id"])
    op.create_check_constraint(
        op.f("ck_patient_merged"),
        "patient",
        "(merged_into IS NULL) = (merged_at IS NULL) AND (merged_into IS NULL) = (merged_by IS NULL)"
        " AND (merged_into IS NULL) = (merged_because IS NULL) AND merged_into <> id",
    )
    op.create_index(
        "ix_patient_merged_into",
        "patient",
        ["merged_into"],
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    # Both sides of it go to the other record, one after the other.
    op.execute("ALTER TABLE task ALTER CONSTRAINT fk_task_goal_id DEFERRABLE")
    op.execute(
        """
        CREATE FUNCTION refuse_merged() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE other uuid;
        BEGIN
          -- Waits for who merges it at this moment, and then sees that.
          SELECT merged_into INTO other FROM patient WHERE id = NEW.patient_id FOR KEY SHARE;
          IF other IS NOT NULL THEN
            RAISE EXCEPTION 'the record was merged into another one'
              USING ERRCODE = 'check_violation', CONSTRAINT = 'patient_merged';
          END IF;
          RETURN NEW;
        END $$
        """
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER refuse_merged BEFORE INSERT OR UPDATE OF patient_id ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_merged()"
        )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TRIGGER refuse_merged ON {table}")
    op.execute("DROP FUNCTION refuse_merged()")
    op.execute("ALTER TABLE task ALTER CONSTRAINT fk_task_goal_id NOT DEFERRABLE")
    op.drop_index("ix_patient_merged_into", table_name="patient")
    op.drop_constraint("ck_patient_merged", "patient")
    op.drop_constraint("fk_patient_merged_by", "patient")
    op.drop_constraint("fk_patient_merged_into", "patient")
    for name in ("merged_because", "merged_by", "merged_at", "merged_into"):
        op.drop_column("patient", name)
