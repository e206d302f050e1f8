"""What pairing codes are made of. Pure: an id and a key in, signs out.

A code and a token are the HMAC of the pairing's id under a key of the site (RFC 2104), so that the page can show them
again while only their hashes are stored, and these under the key too: 30 bits could be guessed from a plain hash.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from silverwatch import keys
from silverwatch.config import Config
from silverwatch.domain.accounts.codes import ALPHABET, plain

LENGTH: Final = 6
HANDLE: Final = 2
"""A try whose first signs are those of an open code is a wrong try of that code: without it nobody could say which
code was meant, and five tries at each could not be counted."""
TOKEN_PREFIX: Final = "swp_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What a device can say to claim its key: a code that people type, a token that a camera reads."""

    code: str
    token: str

    @property
    def handle(self) -> str:
        """The first signs of the code."""
        return self.code[:HANDLE]

    @property
    def grouped(self) -> str:
        """The code as people read it."""
        return f"{self.code[:3]}-{self.code[3:]}"


def keys_of(config: Config) -> Sequence[bytes]:
    """The present key of a site first, then those of before the last rotations."""
    return keys.of(config, "pairing")


def secrets_of(pairing_id: UUID, *, key: bytes) -> Secrets:
    """The code and the token of a pairing."""
    number = int.from_bytes(hmac.digest(key, b"code" + pairing_id.bytes, hashlib.sha256), "big")
    signs = []
    for _ in range(LENGTH):
        number, place = divmod(number, len(ALPHABET))
        signs.append(ALPHABET[place])
    token = hmac.digest(key, b"token" + pairing_id.bytes, hashlib.sha256)
    text = base64.urlsafe_b64encode(token).decode().rstrip("=")
    return Secrets(code="".join(signs), token=TOKEN_PREFIX + text)


def hash_of(said: str, *, key: bytes) -> bytes:
    """What is kept of a code or a token."""
    return hmac.digest(key, b"said" + said.encode(), hashlib.sha256)


def as_compared(said: str) -> str:
    """What a device said as it is compared: a token as it is, a code without hyphens and in capitals."""
    said = said.strip()
    return said if said.startswith(TOKEN_PREFIX) else plain(said)
