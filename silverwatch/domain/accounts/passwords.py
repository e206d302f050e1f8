"""Passwords: argon2id, at least 12 characters of any kind, none that stands in a list of breached ones."""

import secrets
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from silverwatch.domain.errors import DomainError

MIN_PASSWORD: Final = 12
MAX_PASSWORD: Final = 256

_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def check_new(password: str) -> None:
    """Raises DomainError with what to do when this must not become a password."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise DomainError(f"Choose a password of {MIN_PASSWORD} to {MAX_PASSWORD} characters.")


def hash_new(password: str) -> str:
    """The hash to keep; raises DomainError for a password that must not be chosen."""
    check_new(password)
    return _hasher.hash(password)


def fits(password_hash: str | None, password: str) -> bool:
    """Is this the password? An account without one, or none at all, costs the same time."""
    try:
        return _hasher.verify(password_hash or _nobody(), password[:MAX_PASSWORD]) and bool(password_hash)
    except (Argon2Error, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))
