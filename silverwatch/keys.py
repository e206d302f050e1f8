"""Keys for each purpose, derived from the secret: one that leaks opens nothing else (HKDF, RFC 5869)."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from silverwatch.config import Config


def derive(secret: str, purpose: str) -> bytes:
    """32 bytes for this purpose."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"silverwatch " + purpose.encode()).derive(
        secret.encode()
    )


def of(config: Config, purpose: str) -> Sequence[bytes]:
    """The present key first, then those of before the last rotations."""
    return [derive(secret, purpose) for secret in (config.secret_key, *config.secret_key_fallbacks)]


def of_audit(config: Config) -> Sequence[bytes]:
    """The audit may have a key of its own; rows sealed before it had one still verify."""
    own = [derive(config.audit_key, "audit")] if config.audit_key else []
    return [*own, *of(config, "audit")]
