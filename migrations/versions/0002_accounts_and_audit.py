"""Accounts that live: factors, links, letters, sessions that lock, wall screens, programs; settings; the audit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("account_name", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("patient_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("ward_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_account", "audit_entry", ["account_id", "seq"], unique=False)
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"], unique=False)
    op.create_index(
        "ix_audit_entry_patients", "audit_entry", ["patient_ids"], unique=False, postgresql_using="gin"
    )
    op.create_index("ix_audit_entry_session", "audit_entry", ["session_id", "seq"], unique=False)
    op.create_table(
        "letter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
    )
    op.create_index(
        "ix_letter_waiting",
        "letter",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_table(
        "site_setting",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_site_setting")),
    )
    op.create_table(
        "throttle_bucket",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("tokens", sa.Double(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttle_bucket")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "account_photo",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("jpeg", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_photo_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_photo")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("ward_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["account.id"], name=op.f("fk_api_key_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_key_key_hash")),
    )
    op.create_table(
        "care_team_member",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_care_team_member_account_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_care_team_member_patient_id")),
        sa.PrimaryKeyConstraint("patient_id", "account_id", name=op.f("pk_care_team_member")),
    )
    op.create_index(op.f("ix_care_team_member_account_id"), "care_team_member", ["account_id"], unique=False)
    op.create_table(
        "display",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ward_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("code_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["account.id"], name=op.f("fk_display_created_by")),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_display_ward_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_display")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_display_code_hash")),
    )
    op.create_table(
        "emergency_access",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("length(reason) >= 10", name=op.f("ck_emergency_access_reason")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_emergency_access_account_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_emergency_access_patient_id")),
        sa.ForeignKeyConstraint(
            ["reviewed_by"], ["account.id"], name=op.f("fk_emergency_access_reviewed_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_access")),
    )
    op.create_index(
        "ix_emergency_access_open",
        "emergency_access",
        ["account_id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_emergency_access_unreviewed",
        "emergency_access",
        ["begun_at"],
        unique=False,
        postgresql_where=sa.text("reviewed_at IS NULL"),
    )
    op.create_table(
        "emergency_contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_emergency_contact_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_contact")),
    )
    op.create_index(
        op.f("ix_emergency_contact_account_id"), "emergency_contact", ["account_id"], unique=False
    )
    op.create_table(
        "one_time_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('invitation', 'confirmation', 'reset', 'email')", name=op.f("ck_one_time_link_kind")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_one_time_link_account_id")),
        sa.ForeignKeyConstraint(["created_by"], ["account.id"], name=op.f("fk_one_time_link_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_link_token_hash")),
    )
    op.create_index("ix_one_time_link_account", "one_time_link", ["account_id", "kind"], unique=False)
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_recovery_code_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
    )
    op.create_index(op.f("ix_recovery_code_account_id"), "recovery_code", ["account_id"], unique=False)
    op.create_table(
        "totp",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_totp_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_totp")),
    )
    op.create_table(
        "refresh_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["login_session.id"], name=op.f("fk_refresh_token_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_refresh_token_token_hash")),
    )
    op.create_index(op.f("ix_refresh_token_session_id"), "refresh_token", ["session_id"], unique=False)
    op.add_column("account", sa.Column("password_changed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("account", sa.Column("email_confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("account", sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("account", sa.Column("pin_hash", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("language", sa.Text(), server_default="en", nullable=False))
    op.add_column("account", sa.Column("phone", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("department", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("specialisation", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("licence_number", sa.Text(), nullable=True))
    op.alter_column("account", "password_hash", existing_type=sa.TEXT(), nullable=True)
    op.add_column("login_session", sa.Column("kind", sa.Text(), server_default="browser", nullable=False))
    op.add_column("login_session", sa.Column("display_id", sa.Uuid(), nullable=True))
    op.add_column("login_session", sa.Column("active_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("login_session", sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("login_session", sa.Column("second_factor_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("login_session", sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "login_session", sa.Column("pin_failures", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("login_session", sa.Column("address", sa.Text(), nullable=True))
    op.add_column("login_session", sa.Column("browser", sa.Text(), nullable=True))
    op.add_column("login_session", sa.Column("ended_because", sa.Text(), nullable=True))
    op.alter_column("login_session", "account_id", existing_type=sa.UUID(), nullable=True)
    op.create_foreign_key(
        op.f("fk_login_session_display_id"), "login_session", "display", ["display_id"], ["id"]
    )
    op.drop_constraint(op.f("ck_account_patient"), "account", type_="check")
    op.create_check_constraint(
        op.f("ck_account_patient"), "account", "role = 'patient' OR patient_id IS NULL"
    )
    # Whoever could sign in until now has been looked at already.
    op.execute(
        "UPDATE account SET email_confirmed_at = created_at, approved_at = created_at, password_changed_at = created_at"
    )
    op.create_check_constraint(
        op.f("ck_account_patient_approved"),
        "account",
        "role <> 'patient' OR approved_at IS NULL OR patient_id IS NOT NULL",
    )
    op.execute("UPDATE login_session SET active_at = created_at")
    op.alter_column("login_session", "active_at", nullable=False)
    op.create_check_constraint(
        op.f("ck_login_session_holder"), "login_session", "num_nonnulls(account_id, display_id) = 1"
    )
    op.create_check_constraint(
        op.f("ck_login_session_kind"), "login_session", "kind IN ('browser', 'api', 'display')"
    )


TABLES = (
    "refresh_token", "totp", "recovery_code", "one_time_link", "emergency_contact", "emergency_access",
    "care_team_member", "api_key", "account_photo", "throttle_bucket", "site_setting", "letter", "audit_entry",
)  # fmt: skip
SESSION_COLUMNS = (
    "ended_because", "browser", "address", "pin_failures", "locked_at", "second_factor_at", "proved_at", "active_at",
    "display_id", "kind",
)  # fmt: skip
ACCOUNT_COLUMNS = (
    "licence_number", "specialisation", "department", "phone", "language", "pin_hash", "approved_at",
    "email_confirmed_at", "password_changed_at",
)  # fmt: skip


def downgrade() -> None:
    op.execute("DELETE FROM login_session WHERE account_id IS NULL OR kind <> 'browser'")
    op.execute("ALTER TABLE login_session DROP CONSTRAINT ck_login_session_holder")
    op.execute("ALTER TABLE login_session DROP CONSTRAINT ck_login_session_kind")
    for column in SESSION_COLUMNS:
        op.drop_column("login_session", column)
    op.drop_table("display")
    for table in TABLES:
        op.drop_table(table)
    op.alter_column("login_session", "account_id", nullable=False)
    # Accounts of people who never got in cannot be told in the old words.
    unknown = "password_hash IS NULL OR (role = 'patient' AND patient_id IS NULL)"
    op.execute(f"DELETE FROM login_session WHERE account_id IN (SELECT id FROM account WHERE {unknown})")
    op.execute(f"DELETE FROM membership WHERE account_id IN (SELECT id FROM account WHERE {unknown})")
    op.execute(f"DELETE FROM account WHERE {unknown}")
    op.alter_column("account", "password_hash", nullable=False)
    for constraint in ("patient", "patient_approved"):
        op.execute(f"ALTER TABLE account DROP CONSTRAINT ck_account_{constraint}")
    op.create_check_constraint(
        op.f("ck_account_patient"), "account", "(role = 'patient') = (patient_id IS NOT NULL)"
    )
    for column in ACCOUNT_COLUMNS:
        op.drop_column("account", column)
