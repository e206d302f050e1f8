"""Readings, the present state of each patient's vitals, and what could not become a reading."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from silverwatch.db import Base
from silverwatch.domain.readings import vitals


class Reading(Base):
    """One observation set: a row, one nullable column per vital. The key is who, when and from which source.

    `measured_at` is the source's word, `received_at` ours; the event time is the earlier of both.
    `source_id` is the device's id, or for a manual set the form's own uuid. `sensor_off` holds the bits
    (`vitals.BIT`) of the vitals for which the source gave no valid value. `seq` counts the patient's readings.
    """

    __tablename__ = "reading"
    __table_args__ = (
        # Cuff and thermometer dots of 24 hours without walking the readings of every second.
        Index(
            "ix_reading_spot",
            "patient_id",
            "measured_at",
            postgresql_where=text("systolic_bp IS NOT NULL OR temperature IS NOT NULL"),
        ),
        # The sets of a person, and all that a level of consciousness or the oxygen given comes from.
        Index(
            "ix_reading_set",
            "patient_id",
            "measured_at",
            postgresql_where=text(
                "source_kind = 'manual' OR consciousness IS NOT NULL OR supplemental_oxygen IS NOT NULL"
            ),
        ),
        {"postgresql_partition_by": "RANGE (measured_at)"},
    )

    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    measured_at: Mapped[datetime] = mapped_column(primary_key=True)
    source_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[datetime]
    source_kind: Mapped[str]
    sensor_off: Mapped[int] = mapped_column(server_default="0")
    heart_rate: Mapped[float | None]
    respiratory_rate: Mapped[float | None]
    oxygen_saturation: Mapped[float | None]
    systolic_bp: Mapped[float | None]
    diastolic_bp: Mapped[float | None]
    mean_bp: Mapped[float | None]
    temperature: Mapped[float | None]
    pulse_rate: Mapped[float | None]
    supplemental_oxygen: Mapped[float | None]
    glucose: Mapped[float | None]
    weight: Mapped[float | None]
    pain: Mapped[float | None]
    steps: Mapped[float | None]
    consciousness: Mapped[str | None]


class VitalState(Base):
    """The latest of each vital of a patient, and what of it no job has judged yet.

    Whoever changes `latest` or `off` raises `seq`: a post without a lock looks at it (decision 0008).
    `latest` maps a vital to [value, event time in epoch ms, expected interval in s or null for a spot value];
    `off` maps a vital to the event time in epoch ms since when its sensor has given no valid value.
    `unjudged_since` (ours) and `unjudged_from` (event time) are set by whoever stores, cleared by who judges.
    `unrolled_from` (event time): from here on the roll-ups are not to be believed; set by who judges, cleared by who
    notes the hours that are due.
    """

    __tablename__ = "vital_state"
    __table_args__ = {"postgresql_with": {"fillfactor": "50"}}

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    evaluated_seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    latest: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    off: Mapped[dict[str, int]] = mapped_column(JSONB, server_default=text("'{}'"))
    unjudged_since: Mapped[datetime | None]
    unjudged_from: Mapped[datetime | None]
    unrolled_from: Mapped[datetime | None]


ROLLED = ("min", "max", "mean", "count")
"""What a roll-up keeps of each vital; all four are null where it had no value."""


def _rollup(name: str) -> Table:
    columns = (
        Column(f"{vital}_{part}", Integer() if part == "count" else Double())
        for vital in vitals.NUMERIC
        for part in ROLLED
    )
    return Table(
        name,
        Base.metadata,
        Column("patient_id", Uuid, primary_key=True),
        Column("at", DateTime(timezone=True), primary_key=True),
        *columns,
    )


ROLLUP_MINUTE = _rollup("rollup_minute")
ROLLUP_HOUR = _rollup("rollup_hour")
"""The readings of one patient whose event time lies in the minute, or hour (UTC), that begins `at`."""


class RollupDue(Base):
    """An hour (UTC) of a patient whose roll-ups are to be computed anew from the readings, from `since` on."""

    __tablename__ = "rollup_due"

    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    since: Mapped[datetime]


class ObservationEntry(Base):
    """Who entered a set by hand; `confirmed` are its vitals that were unusual and were looked at twice."""

    __tablename__ = "observation_entry"

    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    measured_at: Mapped[datetime] = mapped_column(primary_key=True)
    source_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    entered_at: Mapped[datetime]
    confirmed: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))


class Correction(Base):
    """Somebody corrected a reading, or struck it out. The reading holds what is right now, and whoever judges or draws
    asks only it; what it was before stands here and never changes. Number 1 has the original in `before`.

    `before` and `after` map a vital to its value; `kind` is 'changed' or why it was struck out; 'undone': by its
    writer, right after it was saved.
    """

    __tablename__ = "correction"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('changed', 'wrong_value', 'wrong_patient', 'artefact', 'undone')", name="kind"
        ),
    )

    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    measured_at: Mapped[datetime] = mapped_column(primary_key=True)
    source_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    corrected_at: Mapped[datetime]
    kind: Mapped[str]
    because: Mapped[str]
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Fluid(Base):
    """So many ml went in or came out at that time. `id` is the form's own, so that a resend is the same row.

    `kind` is one of `fluid_balance.KINDS`. A row never changes but by being struck out; the row that is right instead
    `replaces` it.
    """

    __tablename__ = "fluid"
    __table_args__ = (
        Index("ix_fluid_patient", "patient_id", "at"),
        CheckConstraint("ml BETWEEN 1 AND 10000", name="ml"),
        CheckConstraint(
            "kind IN ('oral', 'tube', 'infusion', 'blood', 'other_in',"
            " 'urine', 'vomit', 'stool', 'drain', 'aspirate', 'bleeding', 'other_out')",
            name="kind",
        ),
        CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL) AND (struck_at IS NULL) = (struck_because IS NULL)",
            name="struck",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    at: Mapped[datetime]
    kind: Mapped[str]
    ml: Mapped[int]
    what: Mapped[str] = mapped_column(Text, server_default=text("''"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    entered_at: Mapped[datetime]
    replaces: Mapped[UUID | None] = mapped_column(ForeignKey("fluid.id"), unique=True)
    struck_at: Mapped[datetime | None]
    struck_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    struck_because: Mapped[str | None]


class Quarantine(Base):
    """What was refused or waits for a person's decision, kept as it came.

    `key` makes a resend the same row: SHA-256 over device, code, pointer and item. `decision`: what became of an item
    that waited: attributed to `patient_id`, or refused, `because` of what.
    """

    __tablename__ = "quarantine"
    __table_args__ = (
        Index("ix_quarantine_device", "device_id", "received_at"),
        Index(
            "ix_quarantine_waits",
            "device_id",
            "measured_at",
            postgresql_where=text("decided_at IS NULL AND code IN ('unbound', 'ambiguous')"),
        ),
        CheckConstraint("decision IN ('attributed', 'refused')", name="decision"),
        CheckConstraint("(decided_at IS NULL) = (decision IS NULL)", name="decided"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"))
    patient_id: Mapped[UUID | None]
    received_at: Mapped[datetime]
    measured_at: Mapped[datetime | None]
    code: Mapped[str]
    pointer: Mapped[str]
    detail: Mapped[str]
    item: Mapped[str]
    resends: Mapped[int] = mapped_column(Integer, server_default="0")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    decision: Mapped[str | None]
    because: Mapped[str | None]
