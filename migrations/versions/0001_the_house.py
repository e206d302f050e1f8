"""The house: wards, patients, devices, readings, alerts, sign-in, outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Site defaults (clinical facts, section 7): what an administrator may change later.
COLUMNS = (
    "vital", "low", "high", "low_critical", "high_critical", "hysteresis", "delay_s", "extreme_low", "priority",
)  # fmt: skip
SITE_LIMITS = (
    ("heart_rate", 50, 120, 40, 140, 3, 15, False, "medium"),
    ("respiratory_rate", 8, 30, 6, 34, 1, 15, False, "medium"),
    ("oxygen_saturation", 90, None, 80, None, 1, 15, True, "medium"),
    ("systolic_bp", 90, 160, 80, 200, 5, 0, False, "medium"),
    ("diastolic_bp", 50, 90, None, None, 5, 0, False, "low"),
    ("mean_bp", 60, 110, None, None, 5, 0, False, "low"),
    ("temperature", 36.0, 38.5, 35.0, 39.5, 0.2, 0, False, "medium"),
)
VITAL_LIMIT = sa.table("vital_limit", *(sa.column(name) for name in COLUMNS))


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "ix_event_unrung", "event", ["at"], unique=False, postgresql_where=sa.text("rung_at IS NULL")
    )
    op.create_table(
        "heartbeat",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeat")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "patient",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_number", sa.Text(), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("born_on", sa.Date(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("spo2_scale", sa.Integer(), server_default="1", nullable=False),
        sa.Column("simulated", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("sex IN ('F', 'M', 'O', 'U')", name=op.f("ck_patient_sex")),
        sa.CheckConstraint("spo2_scale IN (1, 2)", name=op.f("ck_patient_spo2_scale")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
        sa.UniqueConstraint("hospital_number", name=op.f("uq_patient_hospital_number")),
    )
    op.create_table(
        "reading",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source_kind", sa.Text(), nullable=False),
        sa.Column("sensor_off", sa.Integer(), server_default="0", nullable=False),
        sa.Column("heart_rate", sa.Double(), nullable=True),
        sa.Column("respiratory_rate", sa.Double(), nullable=True),
        sa.Column("oxygen_saturation", sa.Double(), nullable=True),
        sa.Column("systolic_bp", sa.Double(), nullable=True),
        sa.Column("diastolic_bp", sa.Double(), nullable=True),
        sa.Column("mean_bp", sa.Double(), nullable=True),
        sa.Column("temperature", sa.Double(), nullable=True),
        sa.Column("pulse_rate", sa.Double(), nullable=True),
        sa.Column("supplemental_oxygen", sa.Double(), nullable=True),
        sa.Column("glucose", sa.Double(), nullable=True),
        sa.Column("weight", sa.Double(), nullable=True),
        sa.Column("pain", sa.Double(), nullable=True),
        sa.Column("steps", sa.Double(), nullable=True),
        sa.Column("consciousness", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("patient_id", "measured_at", "source_id", name=op.f("pk_reading")),
        postgresql_partition_by="RANGE (measured_at)",
    )
    op.create_index(
        "ix_reading_spot",
        "reading",
        ["patient_id", "measured_at"],
        unique=False,
        postgresql_where=sa.text("systolic_bp IS NOT NULL OR temperature IS NOT NULL"),
    )
    op.create_table(
        "vital_limit",
        sa.Column("vital", sa.Text(), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("low_critical", sa.Double(), nullable=True),
        sa.Column("high_critical", sa.Double(), nullable=True),
        sa.Column("hysteresis", sa.Double(), nullable=False),
        sa.Column("delay_s", sa.Double(), nullable=False),
        sa.Column("extreme_low", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "hysteresis >= 0 AND delay_s BETWEEN 0 AND 30", name=op.f("ck_vital_limit_bounds")
        ),
        sa.CheckConstraint("low IS NULL OR high IS NULL OR low < high", name=op.f("ck_vital_limit_order")),
        sa.PrimaryKeyConstraint("vital", name=op.f("pk_vital_limit")),
    )
    op.create_table(
        "ward",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ward")),
        sa.UniqueConstraint("slug", name=op.f("uq_ward_slug")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(role = 'patient') = (patient_id IS NOT NULL)", name=op.f("ck_account_patient")),
        sa.CheckConstraint(
            "role IN ('admin', 'caregiver', 'technician', 'patient')", name=op.f("ck_account_role")
        ),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_account_email_lower")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_account_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
    )
    op.create_table(
        "bed",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ward_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_bed_ward_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bed")),
        sa.UniqueConstraint("ward_id", "label", name=op.f("uq_bed_ward_id_label")),
    )
    op.create_index(op.f("ix_bed_ward_id"), "bed", ["ward_id"], unique=False)
    op.create_table(
        "checkpoint",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_checkpoint_patient_id")),
        sa.PrimaryKeyConstraint("patient_id", "at", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "device",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("interval_s", sa.Double(), nullable=False),
        sa.Column("ward_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("interval_s > 0", name=op.f("ck_device_interval_s")),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_device_ward_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("serial", name=op.f("uq_device_serial")),
    )
    op.create_index(op.f("ix_device_ward_id"), "device", ["ward_id"], unique=False)
    op.create_table(
        "judge_state",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column(
            "checkpoint",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("checkpoint_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "news", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_judge_state_patient_id")),
        sa.PrimaryKeyConstraint("patient_id", name=op.f("pk_judge_state")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "vital_state",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("evaluated_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "latest", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "off", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("unjudged_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unjudged_from", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_vital_state_patient_id")),
        sa.PrimaryKeyConstraint("patient_id", name=op.f("pk_vital_state")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("peak_priority", sa.Text(), nullable=False),
        sa.Column("technical", sa.Boolean(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("run_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("vital", sa.Text(), nullable=True),
        sa.Column("side", sa.Text(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("worst", sa.Double(), nullable=True),
        sa.Column("limit", sa.Double(), nullable=True),
        sa.Column("off_vitals", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_as", sa.Text(), nullable=True),
        sa.CheckConstraint("priority IN ('high', 'medium', 'low')", name=op.f("ck_alert_priority")),
        sa.CheckConstraint("subject IN ('patient', 'device', 'system')", name=op.f("ck_alert_subject")),
        sa.CheckConstraint("live OR closed_at IS NOT NULL", name=op.f("ck_alert_retrospective_closed")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_alert_device_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_alert_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index(
        "ix_alert_open_patient",
        "alert",
        ["patient_id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_alert_patient", "alert", ["patient_id", "event_at"], unique=False)
    op.create_index(
        "uq_alert_open",
        "alert",
        ["subject_id", "kind"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "binding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("device_kind", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("device_id"), "="), (sa.column("during"), "&&"), using="gist", name="ex_binding_device"
        ),
        postgresql.ExcludeConstraint(
            (sa.column("patient_id"), "="),
            (sa.column("device_kind"), "="),
            (sa.column("during"), "&&"),
            where=sa.text("device_kind <> 'gateway'"),
            using="gist",
            name="ex_binding_patient_kind",
        ),
        sa.CheckConstraint("NOT isempty(during)", name=op.f("ck_binding_during")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_binding_device_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_binding_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_binding")),
    )
    op.create_index("ix_binding_during", "binding", ["during"], unique=False, postgresql_using="gist")
    op.create_table(
        "device_event",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_device_event_device_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_device_event_patient_id")),
        sa.PrimaryKeyConstraint("device_id", "at", "kind", name=op.f("pk_device_event")),
    )
    op.create_index(
        "ix_device_event_unjudged",
        "device_event",
        ["patient_id"],
        unique=False,
        postgresql_where=sa.text("judged_at IS NULL"),
    )
    op.create_table(
        "device_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_device_key_device_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_key")),
        sa.UniqueConstraint("hash", name=op.f("uq_device_key_hash")),
    )
    op.create_index(op.f("ix_device_key_device_id"), "device_key", ["device_id"], unique=False)
    op.create_table(
        "device_state",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_reading_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("battery", sa.Integer(), nullable=True),
        sa.Column("signal_dbm", sa.Integer(), nullable=True),
        sa.Column("firmware", sa.Text(), nullable=True),
        sa.Column("skew_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_device_state_device_id")),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_state")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "login_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_login_session_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_session_token_hash")),
    )
    op.create_index(
        "ix_login_session_open",
        "login_session",
        ["account_id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "membership",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("ward_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_membership_account_id")),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_membership_ward_id")),
        sa.PrimaryKeyConstraint("account_id", "ward_id", name=op.f("pk_membership")),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("pointer", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("resends", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_quarantine_device_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("key", name=op.f("uq_quarantine_key")),
    )
    op.create_index("ix_quarantine_device", "quarantine", ["device_id", "received_at"], unique=False)
    op.create_table(
        "stay",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("bed_id", sa.Uuid(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("bed_id"), "="), (sa.column("during"), "&&"), using="gist", name="ex_stay_bed"
        ),
        postgresql.ExcludeConstraint(
            (sa.column("patient_id"), "="), (sa.column("during"), "&&"), using="gist", name="ex_stay_patient"
        ),
        sa.CheckConstraint("NOT isempty(during)", name=op.f("ck_stay_during")),
        sa.ForeignKeyConstraint(["bed_id"], ["bed.id"], name=op.f("fk_stay_bed_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_stay_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stay")),
    )
    op.create_table(
        "acknowledgement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_acknowledgement_account_id")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_acknowledgement_alert_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acknowledgement")),
    )
    op.create_index(
        "uq_acknowledgement_standing",
        "acknowledgement",
        ["alert_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.bulk_insert(VITAL_LIMIT, [dict(zip(COLUMNS, row, strict=True)) for row in SITE_LIMITS])


def downgrade() -> None:
    op.drop_table("acknowledgement")
    op.drop_table("stay")
    op.drop_index("ix_quarantine_device", table_name="quarantine")
    op.drop_table("quarantine")
    op.drop_table("membership")
    op.drop_index(
        "ix_login_session_open", table_name="login_session", postgresql_where=sa.text("ended_at IS NULL")
    )
    op.drop_table("login_session")
    op.drop_table("device_state")
    op.drop_index(op.f("ix_device_key_device_id"), table_name="device_key")
    op.drop_table("device_key")
    op.drop_index(
        "ix_device_event_unjudged", table_name="device_event", postgresql_where=sa.text("judged_at IS NULL")
    )
    op.drop_table("device_event")
    op.drop_table("binding")
    op.drop_index("uq_alert_open", table_name="alert", postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_index("ix_alert_patient", table_name="alert")
    op.drop_index("ix_alert_open_patient", table_name="alert", postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_table("alert")
    op.drop_table("vital_state")
    op.drop_table("judge_state")
    op.drop_index(op.f("ix_device_ward_id"), table_name="device")
    op.drop_table("device")
    op.drop_table("checkpoint")
    op.drop_index(op.f("ix_bed_ward_id"), table_name="bed")
    op.drop_table("bed")
    op.drop_table("account")
    op.drop_table("ward")
    op.drop_table("vital_limit")
    op.drop_index(
        "ix_reading_spot",
        table_name="reading",
        postgresql_where=sa.text("systolic_bp IS NOT NULL OR temperature IS NOT NULL"),
    )
    op.drop_table("reading")
    op.drop_table("patient")
    op.drop_table("heartbeat")
    op.drop_index("ix_event_unrung", table_name="event", postgresql_where=sa.text("rung_at IS NULL"))
    op.drop_table("event")
