"""PostgreSQL and Valkey of our own for the demo and the tests: started, watched and stopped by one parent.

with Supervisor(data_dir, catch_signals=True) as supervisor:
    engines = start_engines(supervisor, data_dir)
    supervisor.start("web", [sys.executable, "-m", ...], env={**os.environ, **engines.env})
    supervisor.wait()
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from silverwatch.config import driver_url
from silverwatch.engines.errors import EngineError
from silverwatch.engines.postgres import PostgresUrls, home_of, start_postgres
from silverwatch.engines.state import State
from silverwatch.engines.supervisor import Supervisor
from silverwatch.engines.valkey import start_valkey

__all__ = ["EngineError", "Engines", "Supervisor", "discard", "start_engines"]


@dataclass(frozen=True)
class Engines:
    """Where the engines answer: SQLAlchemy URLs of the owning and of the application role, and a Redis URL."""

    owner_url: str
    database_url: str
    redis_url: str

    @property
    def env(self) -> dict[str, str]:
        """The variables by which every other process finds the engines."""
        return {
            "MIGRATION_DATABASE_URL": self.owner_url,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
        }


def start_engines(
    supervisor: Supervisor, data_dir: Path, *, for_tests: bool = False, env: Mapping[str, str] | None = None
) -> Engines:
    """Start PostgreSQL and Valkey on the supervisor's data folder; raises EngineError.

    With DATABASE_URL (and MIGRATION_DATABASE_URL for the owner) or REDIS_URL set, those are used and the engine
    concerned is not started; `env` stands in for the variables of this process. `for_tests` trades safety against
    a loss of power for speed.
    """
    if data_dir.resolve() != supervisor.data_dir:
        raise ValueError("the supervisor holds another data folder")
    env = os.environ if env is None else env
    state = State.load(supervisor.data_dir)
    if given := env.get("DATABASE_URL"):
        owner = env.get("MIGRATION_DATABASE_URL") or given
        urls = PostgresUrls(owner=driver_url(owner), app=driver_url(given))
    else:
        urls = start_postgres(supervisor, state, for_tests=for_tests)
    redis_url = env.get("REDIS_URL") or start_valkey(supervisor, state, for_tests=for_tests)
    return Engines(owner_url=urls.owner, database_url=urls.app, redis_url=redis_url)


def discard(data_dir: Path) -> None:
    """Delete a data folder and, for root, the cluster that lives outside of it; raises EngineError if in use."""
    if not data_dir.exists():
        return
    with Supervisor(data_dir) as supervisor:
        home = home_of(supervisor.data_dir)
        if home.parent != supervisor.data_dir and home.exists():
            supervisor.hold(home)
            shutil.rmtree(home)
        shutil.rmtree(supervisor.data_dir)
