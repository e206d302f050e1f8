"""The care plan of a patient: goals, the tasks for them, and assessments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _goals()
    _tasks()
    _assessments()


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


def _goals() -> None:
    op.create_table(
        "goal",
        _id(),
        _id("patient_id"),
        _at("set_at"),
        _id("set_by"),
        _at("ended_at", nullable=True),
        _text("ended_as", nullable=True),
        _id("ended_by", nullable=True),
        _text("ended_because", nullable=True),
        sa.CheckConstraint(
            "ended_as IN ('met', 'partly_met', 'not_met', 'dropped')", name=op.f("ck_goal_ended_as")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (ended_because IS NULL)"
            " AND (ended_at IS NULL) = (ended_as IS NULL)",
            name=op.f("ck_goal_ended"),
        ),
        _to("goal", "patient_id", "patient"),
        _to("goal", "set_by", "account"),
        _to("goal", "ended_by", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goal")),
        sa.UniqueConstraint("id", "patient_id", name="uq_goal_of_patient"),
    )
    op.create_index("ix_goal_patient", "goal", ["patient_id", "set_at"])
    op.create_table(
        "goal_version",
        _id("goal_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("what"),
        _text("vital", nullable=True),
        _text("sign", nullable=True),
        sa.Column("target", sa.Double(), nullable=True),
        _said("measure"),
        _said("wanted"),
        sa.Column("target_on", sa.Date(), nullable=True),
        _at("at"),
        _id("account_id"),
        sa.CheckConstraint("sign IN ('>=', '<=')", name=op.f("ck_goal_version_sign")),
        sa.CheckConstraint(
            "(vital IS NULL) = (sign IS NULL) AND (vital IS NULL) = (target IS NULL)"
            " AND (vital IS NULL OR measure = '')",
            name=op.f("ck_goal_version_measure"),
        ),
        _to("goal_version", "goal_id", "goal"),
        _to("goal_version", "account_id", "account"),
        sa.PrimaryKeyConstraint("goal_id", "version", name=op.f("pk_goal_version")),
    )
    op.create_table(
        "goal_progress",
        _id(),
        _id("goal_id"),
        _at("at"),
        _id("account_id"),
        _text("text"),
        _to("goal_progress", "goal_id", "goal"),
        _to("goal_progress", "account_id", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goal_progress")),
    )
    op.create_index("ix_goal_progress_goal", "goal_progress", ["goal_id", "at"])


def _tasks() -> None:
    op.add_column("task", _id("goal_id", nullable=True))
    op.create_foreign_key("fk_task_goal_id", "task", "goal", ["goal_id", "patient_id"], ["id", "patient_id"])
    op.create_index("ix_task_goal", "task", ["goal_id"], postgresql_where=sa.text("goal_id IS NOT NULL"))


def _assessments() -> None:
    op.create_table(
        "assessment",
        _id(),
        _id("patient_id"),
        _text("instrument"),
        sa.Column("version", sa.Integer(), nullable=False),
        _at("at"),
        _at("entered_at"),
        _id("account_id"),
        sa.Column("answers", postgresql.JSONB(), nullable=False),
        _text("result"),
        sa.Column("score", sa.Integer(), nullable=True),
        _said("note"),
        sa.Column("again_h", sa.Integer(), nullable=True),
        _id("replaces", nullable=True),
        _at("struck_at", nullable=True),
        _id("struck_by", nullable=True),
        _text("struck_because", nullable=True),
        sa.CheckConstraint("again_h BETWEEN 1 AND 8760", name=op.f("ck_assessment_again_h")),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL) AND (struck_at IS NULL) = (struck_because IS NULL)",
            name=op.f("ck_assessment_struck"),
        ),
        _to("assessment", "patient_id", "patient"),
        _to("assessment", "account_id", "account"),
        _to("assessment", "replaces", "assessment"),
        _to("assessment", "struck_by", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
        sa.UniqueConstraint("replaces", name=op.f("uq_assessment_replaces")),
    )
    op.create_index("ix_assessment_patient", "assessment", ["patient_id", "instrument", "at"])


def downgrade() -> None:
    op.drop_table("assessment")
    op.drop_index("ix_task_goal", table_name="task")
    op.drop_constraint("fk_task_goal_id", "task")
    op.drop_column("task", "goal_id")
    for table in ("goal_progress", "goal_version", "goal"):
        op.drop_table(table)
