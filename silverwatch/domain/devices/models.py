"""Devices, their keys, what they last said, and whom they speak about."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from silverwatch.db import Base


class Device(Base):
    """A thing that posts readings. A gateway posts for others. `interval_s` is how often a reading is expected.

    `kind` is its type (`kinds.KINDS`); `location` where it is kept while nobody wears it. `settings_version` is
    raised with each change of how it is set, so that a device that asks for its settings sees that they are new.
    """

    __tablename__ = "device"
    __table_args__ = (
        CheckConstraint("interval_s > 0", name="interval_s"),
        CheckConstraint("sensitivity IN ('low', 'normal', 'high')", name="sensitivity"),
        CheckConstraint("sample_rate_hz > 0", name="sample_rate_hz"),
        CheckConstraint("reach IN ('ward', 'listed')", name="reach"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    interval_s: Mapped[float]
    ward_id: Mapped[UUID | None] = mapped_column(ForeignKey("ward.id"), index=True)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    location: Mapped[str] = mapped_column(server_default="")
    sensitivity: Mapped[str] = mapped_column(server_default="normal")
    sample_rate_hz: Mapped[float | None]
    settings_version: Mapped[int] = mapped_column(server_default="1")
    reach: Mapped[str] = mapped_column(server_default="ward")
    """Of a gateway. ward: it speaks for every device of its ward, or of the site if it has none; listed: for those of
    `gateway_device`."""

    @property
    def is_gateway(self) -> bool:
        """Does its key speak for other devices?"""
        return self.kind == "gateway"


class GatewayDevice(Base):
    """The gateway speaks for this device."""

    __tablename__ = "gateway_device"

    gateway_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"), primary_key=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"), primary_key=True, index=True)


class DeviceKey(Base):
    """A device's secret, as SHA-256 of it: 256 random bits need no slow hash.

    `ends_at`: it was replaced and works until then, so that nothing is lost while the new one travels. `hint`: its
    last signs, to tell keys apart.
    """

    __tablename__ = "device_key"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"), index=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    hint: Mapped[str] = mapped_column(server_default="")
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class DeviceState(Base):
    """What a device last said; changes with every post, so it is narrow and has no index but its key.

    `last_seen_at` is ours (any post), `last_reading_at` the event time of its newest reading: silence is
    measured on the second, because a device that talks without readings watches nobody. `skew_s` is
    how far its clock is ahead of ours.
    """

    __tablename__ = "device_state"
    __table_args__ = {"postgresql_with": {"fillfactor": "50"}}

    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"), primary_key=True)
    last_seen_at: Mapped[datetime | None]
    last_reading_at: Mapped[datetime | None]
    battery: Mapped[int | None]
    signal_dbm: Mapped[int | None]
    firmware: Mapped[str | None]
    skew_s: Mapped[float | None]


class Binding(Base):
    """A device speaks about a patient for an interval."""

    __tablename__ = "binding"
    __table_args__ = (
        ExcludeConstraint(("device_id", "="), ("during", "&&"), name="ex_binding_device", using="gist"),
        ExcludeConstraint(
            ("patient_id", "="),
            ("device_kind", "="),
            ("during", "&&"),
            name="ex_binding_patient_kind",
            using="gist",
            where=text("device_kind <> 'gateway'"),
        ),
        CheckConstraint("NOT isempty(during)", name="during"),
        # Who is bound now: the guard asks it every second for the whole site.
        Index("ix_binding_during", "during", postgresql_using="gist"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"))
    device_kind: Mapped[str]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)


class DeviceEvent(Base):
    """Something a device reported that is not a reading: fall, help, sensor_off, sensor_on, low_battery, moved.

    `patient_id` is who wore it at the time; `judged_at` is set once the alarm rules have seen it.
    """

    __tablename__ = "device_event"
    __table_args__ = (
        Index("ix_device_event_unjudged", "patient_id", postgresql_where=text("judged_at IS NULL")),
    )

    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    received_at: Mapped[datetime]
    judged_at: Mapped[datetime | None]


class DeviceChange(Base):
    """A person added a device, changed how it is set, or retired it. `before` and `after` hold what differs."""

    __tablename__ = "device_change"
    __table_args__ = (
        CheckConstraint("kind IN ('added', 'changed', 'retired')", name="kind"),
        Index("ix_device_change_device", "device_id", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"))
    at: Mapped[datetime]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str]
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)


class DeviceSample(Base):
    """Battery (%) and signal of a device in the half hour that begins `at`, for the lines on its page."""

    __tablename__ = "device_sample"

    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    battery: Mapped[int | None]
    signal_dbm: Mapped[int | None]
