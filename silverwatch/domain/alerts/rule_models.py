"""Alarm rules and all their versions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class AlarmRule(Base):
    """A rule of the site, or of a ward, or of a patient; `version` is the number of the one that holds.

    It is never deleted: alerts name it. Retired, it raises nothing more. A patient's own ends with the stay that it
    was made in. `instead_of`: the rule of the highest layer in whose place it stands where it applies; of several that
    stand there for a patient the lowest layer's holds.
    """

    __tablename__ = "alarm_rule"
    __table_args__ = (
        CheckConstraint("ward_id IS NULL OR patient_id IS NULL", name="layer"),
        CheckConstraint(
            "instead_of IS NULL OR ward_id IS NOT NULL OR patient_id IS NOT NULL", name="instead_of"
        ),
        Index(
            "uq_alarm_rule_ward_instead",
            "instead_of",
            "ward_id",
            unique=True,
            postgresql_where=text("ward_id IS NOT NULL AND retired_at IS NULL"),
        ),
        CheckConstraint("(retired_at IS NULL) = (retired_because IS NULL)", name="retired"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ward_id: Mapped[UUID | None] = mapped_column(ForeignKey("ward.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    instead_of: Mapped[UUID | None] = mapped_column(ForeignKey("alarm_rule.id"))
    version: Mapped[int]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    retired_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    retired_because: Mapped[str | None]


class AlarmRuleVersion(Base):
    """One version, as `house_rule.Rule` in JSON; each change is a row with who and why."""

    __tablename__ = "alarm_rule_version"

    rule_id: Mapped[UUID] = mapped_column(ForeignKey("alarm_rule.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_at: Mapped[datetime]
    changed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    reason: Mapped[str] = mapped_column(server_default=text("''"))


RULE_NAME = """(SELECT rv.rule->>'name' FROM alarm_rule ar
 JOIN alarm_rule_version rv ON rv.rule_id = ar.id AND rv.number = ar.version WHERE ar.id = a.rule_id) AS rule_name"""
"""The name of the house rule that raised the alert `a`, as a column of a query."""
