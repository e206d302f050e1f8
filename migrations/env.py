"""Run migrations as the owner role: one transaction a migration, so that a crash leaves no half of it."""

from alembic import context
from sqlalchemy import Connection, create_engine

from silverwatch.config import Config
from silverwatch.domain.models import metadata


def include(thing: object, name: str | None, kind: str, *_: object) -> bool:
    """Partitions come and go by the clock; they are not part of the schema's description."""
    return not (kind == "table" and name is not None and name.startswith("reading_"))


def run(connection: Connection) -> None:
    """Migrate on this connection."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=include,
        transaction_per_migration=True,
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with create_engine(Config.from_env().owner_url).connect() as own:
        run(own)
        own.commit()
