"""Bring a database to this version's schema, as the owner role, and let the application role use it."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, make_url, text

from silverwatch import clock, db
from silverwatch.domain.readings import partitions

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS: Final = Path(__file__).resolve().parent.parent / "migrations"


def head() -> str:
    """The revision that this version of the code needs; pinned in a file so that a merge cannot fork it."""
    return (MIGRATIONS / "HEAD").read_text().strip()


def current(connection: Connection) -> str | None:
    """The revision that the database is at."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def upgrade(owner_url: str, *, app_url: str) -> None:
    """Run the migrations that are missing, make the partitions, grant the application role its rights."""
    # Alembic takes a third of a second to import, and only these two functions need it.
    from alembic import command

    engine = db.make_engine(owner_url)
    try:
        with engine.connect() as connection:
            # Two that migrate at once wait for each other instead of failing half way.
            connection.execute(text("SET lock_timeout = '60s'; SET statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_lock(7001)"))
            connection.commit()
            command.upgrade(_alembic(connection), "head")
            connection.commit()
            partitions.ensure(connection, now=clock.now())
            _grant(connection, role=make_url(app_url).username or "")
            connection.commit()
            connection.execute(text("SELECT pg_advisory_unlock(7001)"))
            connection.commit()
    finally:
        engine.dispose()


def _grant(connection: Connection, *, role: str) -> None:
    """The application may read and write rows; it may not change the schema, nor the migrations' own table."""
    if not role or connection.scalar(text("SELECT current_user")) == role:
        return
    name = connection.dialect.identifier_preparer.quote(role)
    rows = "SELECT, INSERT, UPDATE, DELETE"
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {name}"))
    connection.execute(text(f"GRANT {rows} ON ALL TABLES IN SCHEMA public TO {name}"))
    connection.execute(text(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rows} ON TABLES TO {name}"))
    connection.execute(text(f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {name}"))
    # The audit is written, never rewritten.
    connection.execute(text(f"REVOKE UPDATE, DELETE ON audit_entry FROM {name}"))


def make_migration(name: str, *, owner_url: str) -> None:
    """Write the next numbered migration from the difference between the models and this database."""
    from alembic import command

    engine = db.make_engine(owner_url)
    try:
        with engine.connect() as connection:
            revision = f"{int(head()) + 1:04d}"
            command.revision(_alembic(connection), message=name, rev_id=revision, autogenerate=True)
            (MIGRATIONS / "HEAD").write_text(f"{revision}\n")
    finally:
        engine.dispose()


def _alembic(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config(str(MIGRATIONS / "alembic.ini"))
    config.attributes["connection"] = connection
    return config
