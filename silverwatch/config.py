"""Settings from the environment. A missing or weak one stops the start with one line that says what to do."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


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
    secret_key_fallbacks: tuple[str, ...] = ()
    """Keys of before the last rotation: what they signed stays good until they are taken out."""
    audit_key: str = ""
    """Seals the audit; derived from `secret_key` where it is empty."""
    audit_anchor: Path | None = None
    """Where the heads of the audit are written once a minute; best on another machine's disk."""
    base_url: str = "http://127.0.0.1:8000"
    """How people reach the site: links in letters begin with it, never with a Host header."""
    smtp_url: str = ""
    """smtp://user:password@host:port, smtps://..; file:///folder writes letters there (the demo)."""
    mail_from: str = "Silver Watch <silverwatch@localhost>"
    deadman_url: str = ""
    """Called once a minute while every part works: who expects the call raises an alarm when none comes."""
    trusted_proxies: int = 0
    """How many proxies before us add X-Forwarded-For; 0 believes none."""
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
            secret_key_fallbacks=tuple(
                key.strip() for key in env.get("SECRET_KEY_FALLBACKS", "").split(",") if key.strip()
            ),
            audit_key=env.get("AUDIT_KEY", "").strip(),
            audit_anchor=Path(env["AUDIT_ANCHOR"]) if env.get("AUDIT_ANCHOR", "").strip() else None,
            base_url=env.get("BASE_URL", "").strip().rstrip("/") or "http://127.0.0.1:8000",
            smtp_url=env.get("SMTP_URL", "").strip(),
            mail_from=env.get("MAIL_FROM", "").strip() or "Silver Watch <silverwatch@localhost>",
            deadman_url=_https(env, "DEADMAN_URL"),
            trusted_proxies=_number(env, "TRUSTED_PROXIES", default=0, least=0),
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


def _https(env: Mapping[str, str], name: str) -> str:
    url = env.get(name, "").strip()
    if url and not url.startswith("https://"):
        raise ConfigError(f"{name} must begin with https://.")
    return url


def _number(env: Mapping[str, str], name: str, *, default: int, least: int = 1) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise ConfigError(f"{name} must be a whole number of at least {least}, not {text!r}.")
    return int(text)
