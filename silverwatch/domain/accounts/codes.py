"""What codes of a second factor are made of. Pure: keys, times and texts in, answers out.

Seeds are sealed with AES-GCM (NIST SP 800-38D) for one purpose and one account each; codes are those of RFC 6238
(SHA-1, six digits, 30 s), because every authenticator app knows these.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from silverwatch import keys
from silverwatch.config import Config

SEED_BYTES: Final = 20
STEP_S: Final = 30
WINDOW: Final = 1
"""A code of the step before or after counts too: clocks differ, and typing takes time."""
DIGITS: Final = 6
ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Signs of recovery codes: none that is easily taken for another one."""
RECOVERY_LENGTH: Final = 10
RECOVERY_CODES: Final = 10
_NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of second factors: the present one first, then those of before the last rotations."""

    totp: Sequence[bytes]
    recovery: Sequence[bytes]


def keys_of(config: Config) -> Keys:
    """The keys of a site."""
    return Keys(totp=keys.of(config, "totp"), recovery=keys.of(config, "recovery"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What was sealed; `is_old`: with a key of before the last rotation."""

    text: bytes
    is_old: bool


def new_seed() -> bytes:
    """A random seed of 160 bits."""
    return secrets.token_bytes(SEED_BYTES)


def seal(text: bytes, *, keys: Sequence[bytes], about: bytes) -> bytes:
    """Encrypt with the present key; it opens only together with the same `about`."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(keys[0]).encrypt(nonce, text, about)


def unseal(sealed: bytes, *, keys: Sequence[bytes], about: bytes) -> Opened | None:
    """Decrypt with whichever key fits; None for what was changed, moved or sealed with a key that is gone."""
    nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    for place, key in enumerate(keys):
        try:
            return Opened(text=AESGCM(key).decrypt(nonce, text, about), is_old=place > 0)
        except (InvalidTag, ValueError):
            continue
    return None


def as_text(seed: bytes) -> str:
    """The seed as apps take it: base32, 32 letters and digits."""
    return base64.b32encode(seed).decode()


def link(seed: bytes, *, issuer: str, account: str) -> str:
    """The otpauth:// address of the seed, which is also what its QR code says."""
    return pyotp.TOTP(as_text(seed)).provisioning_uri(name=account, issuer_name=issuer)


def step_of(now: datetime) -> int:
    """The number of the 30 s that `now` lies in."""
    return int(now.timestamp()) // STEP_S


def step_that_fits(seed: bytes, code: str, *, now: datetime) -> int | None:
    """The newest step around `now` whose code this is."""
    maker, here = pyotp.TOTP(as_text(seed)), step_of(now)
    fitting = [
        step
        for step in range(here - WINDOW, here + WINDOW + 1)
        if hmac.compare_digest(maker.generate_otp(step), code)
    ]
    return max(fitting, default=None)


def plain(code: str) -> str:
    """A code as it is compared: without the spaces and hyphens that people type, in capitals."""
    return "".join(sign for sign in code[:64] if sign.isascii() and sign.isalnum()).upper()


def is_of_app(code: str) -> bool:
    """Does this plain code look like one of an app?"""
    return len(code) == DIGITS and code.isdigit()


def is_recovery(code: str) -> bool:
    """Does this plain code look like a recovery code?"""
    return len(code) == RECOVERY_LENGTH and set(code) <= set(ALPHABET)


def new_recovery_code() -> str:
    """A recovery code as people read it: two groups of five, 49 bits."""
    signs = "".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_LENGTH))
    return f"{signs[:5]}-{signs[5:]}"


def recovery_hash(code: str, *, key: bytes, account_id: UUID) -> bytes:
    """What is kept of a recovery code. 49 bits could be guessed from a plain hash: without the key they cannot."""
    return hmac.digest(key, account_id.bytes + plain(code).encode(), hashlib.sha256)
