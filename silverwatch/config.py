"""Settings from the environment. A missing or weak one stops the start with one line that says what to do."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


class ConfigError(Exception):
    """A setting is missing or not usable; the message is one line for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a process needs to know to start.

    `owner_url` is the role that owns the tables (migrations, partitions); `database_url` may only use them.
    """

    database_url: str
    owner_url: str
    redis_url: str
    secret_key: str
    secure_cookies: bool = True
    socket_limit: int = 250
    """How many live sockets one web process carries before it asks the next one to come later."""
    pool_size: int = 12
    """Database connections of one process."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Config":
        """Read the settings; raises ConfigError naming the variable that is missing or weak."""
        env = os.environ if env is None else env
        secret = _required(env, "SECRET_KEY")
        if len(secret) < 32 or len(set(secret)) < 8:
            raise ConfigError("SECRET_KEY is too weak: set it to at least 32 random characters.")
        database_url = driver_url(_required(env, "DATABASE_URL"))
        return cls(
            database_url=database_url,
            owner_url=driver_url(env.get("MIGRATION_DATABASE_URL") or database_url),
            redis_url=_required(env, "REDIS_URL"),
            secret_key=secret,
            secure_cookies=env.get("SILVERWATCH_PLAIN_HTTP") != "1",
            socket_limit=_number(env, "SILVERWATCH_SOCKETS", default=250),
            pool_size=_number(env, "SILVERWATCH_POOL", default=12),
        )


def driver_url(url: str) -> str:
    """The URL with our driver named; raises ConfigError for another database than PostgreSQL."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise ConfigError("DATABASE_URL must be a PostgreSQL address: postgresql://user:password@host/name.")
    return f"postgresql+psycopg://{rest}"


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "").strip()
    if not value:
        raise ConfigError(f"{name} is not set. See .env.example.")
    return value


def _number(env: Mapping[str, str], name: str, *, default: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ConfigError(f"{name} must be a whole number above 0, not {text!r}.")
    return int(text)
