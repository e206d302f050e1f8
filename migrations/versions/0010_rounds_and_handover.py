"""Who looks after which bed this shift, tasks, and what was handed over."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _allocation()
    _task()
    _handover()


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _id(name: str = "id", *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _to(table: str, name: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [f"{other}.id"], name=op.f(f"fk_{table}_{name}"))


def _allocation() -> None:
    op.create_table(
        "allocation",
        _id(),
        _id("bed_id"),
        _id("account_id"),
        _at("taken_at"),
        _at("ended_at", nullable=True),
        _text("ended_as", nullable=True),
        sa.CheckConstraint("ended_as IN ('given_back', 'taken_over')", name=op.f("ck_allocation_ended_as")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name=op.f("ck_allocation_ended")),
        _to("allocation", "bed_id", "bed"),
        _to("allocation", "account_id", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation")),
    )
    op.create_index(
        "uq_allocation_standing",
        "allocation",
        ["bed_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _task() -> None:
    op.create_table(
        "task",
        _id(),
        _id("patient_id"),
        _text("what"),
        _at("due_at"),
        sa.Column("repeat_h", sa.Integer(), nullable=True),
        _at("added_at"),
        _id("added_by"),
        _at("done_at", nullable=True),
        _id("done_by", nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        _at("cancelled_at", nullable=True),
        _id("cancelled_by", nullable=True),
        _text("cancelled_because", nullable=True),
        _id("follows", nullable=True),
        sa.CheckConstraint("repeat_h BETWEEN 1 AND 168", name=op.f("ck_task_repeat_h")),
        sa.CheckConstraint("(done_at IS NULL) = (done_by IS NULL)", name=op.f("ck_task_done")),
        sa.CheckConstraint(
            "(cancelled_at IS NULL) = (cancelled_by IS NULL)"
            " AND (cancelled_at IS NULL) = (cancelled_because IS NULL)"
            " AND (cancelled_at IS NULL OR done_at IS NULL)",
            name=op.f("ck_task_cancelled"),
        ),
        _to("task", "patient_id", "patient"),
        _to("task", "added_by", "account"),
        _to("task", "done_by", "account"),
        _to("task", "cancelled_by", "account"),
        _to("task", "follows", "task"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("follows", name=op.f("uq_task_follows")),
    )
    op.create_index(
        "ix_task_open",
        "task",
        ["patient_id", "due_at"],
        postgresql_where=sa.text("done_at IS NULL AND cancelled_at IS NULL"),
    )
    op.create_index(
        "ix_task_done", "task", ["patient_id", "done_at"], postgresql_where=sa.text("done_at IS NOT NULL")
    )


def _handover() -> None:
    op.create_table(
        "handover_remark",
        _id(),
        _id("patient_id"),
        _id("account_id"),
        _at("at"),
        _text("text"),
        _to("handover_remark", "patient_id", "patient"),
        _to("handover_remark", "account_id", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_remark")),
    )
    op.create_index("ix_handover_remark_patient", "handover_remark", ["patient_id", "at"])
    op.create_table(
        "handover",
        _id(),
        _id("ward_id"),
        _at("at"),
        _id("accepted_by"),
        sa.Column("sheet", postgresql.JSONB(), nullable=False),
        _to("handover", "ward_id", "ward"),
        _to("handover", "accepted_by", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    op.create_index("ix_handover_ward", "handover", ["ward_id", "at"])


def downgrade() -> None:
    for table in ("handover", "handover_remark", "task", "allocation"):
        op.drop_table(table)
