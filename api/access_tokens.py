"""Access tokens: JWT (RFC 7519) that name a session. What its holder may do is read anew on each request.

One algorithm, one type, keys that only we have. Nothing in a token chooses how it is checked, except `kid`, and
that only among our own keys (RFC 8725).
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, Literal
from uuid import UUID

import jwt
import msgspec

from silverwatch import clock, keys
from silverwatch.config import Config

LIFE: Final = timedelta(minutes=10)
AUDIENCE: Final = "api"
TYPE: Final = "access"
LONGEST: Final = 4096

_ALGORITHM: Final = "HS256"
_CLAIMS: Final = ("iss", "aud", "typ", "sub", "sid", "iat", "nbf", "exp", "jti")
_THREE_PARTS: Final = re.compile(r"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class AccessTokenError(Exception):
    """This is no token of ours, or not any more; the message says why, for the audit."""


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    """All that a header may say: also no `jku`, `jwk`, `x5u`, `crit` or `b64`."""

    alg: Literal["HS256"]
    typ: Literal["JWT"]
    kid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Whom and which session a token names."""

    account_id: UUID
    session_id: UUID


def issue(
    config: Config, *, account_id: UUID, session_id: UUID, expires_at: datetime, now: datetime
) -> tuple[str, int]:
    """A token of the session, and for how many seconds it is good: never longer than the session."""
    until = min(now + LIFE, expires_at)
    at, ends = int(now.timestamp()), int(until.timestamp())
    claims = {
        "iss": config.base_url,
        "aud": AUDIENCE,
        "typ": TYPE,
        "sub": str(account_id),
        "sid": str(session_id),
        "iat": at,
        "nbf": at,
        "exp": ends,
        "jti": clock.new_id().hex,
    }
    kid, key = next(iter(_keys(config).items()))
    return jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"kid": kid}), ends - at


def read(config: Config, token: str, *, now: datetime) -> Named:
    """Whom a good token names; raises AccessTokenError. Whether the session is still open is not in it."""
    key = _key_of(config, token)
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            audience=AUDIENCE,
            issuer=config.base_url,
            # The times are checked below, by the one clock.
            options={
                "require": list(_CLAIMS),
                "strict_aud": True,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except jwt.InvalidSignatureError:
        raise AccessTokenError("signature") from None
    except (jwt.PyJWTError, ValueError):
        raise AccessTokenError("claims") from None
    if claims["typ"] != TYPE:
        raise AccessTokenError("type")
    _check_times(claims, now=now)
    try:
        return Named(account_id=UUID(claims["sub"]), session_id=UUID(claims["sid"]))
    except (ValueError, TypeError, AttributeError):
        raise AccessTokenError("claims") from None


def _key_of(config: Config, token: str) -> bytes:
    """The key that the header asks for, after everything else in the header was looked at."""
    parts = _THREE_PARTS.fullmatch(token) if len(token) <= LONGEST else None
    if parts is None:
        raise AccessTokenError("malformed")
    try:
        header = msgspec.json.decode(jwt.utils.base64url_decode(parts[1]), type=_Header)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise AccessTokenError("header") from None
    key = _keys(config).get(header.kid)
    if key is None:
        raise AccessTokenError("key")
    return key


def _check_times(claims: dict[str, Any], *, now: datetime) -> None:
    begins, issued, ends = claims["nbf"], claims["iat"], claims["exp"]
    if not all(type(moment) is int for moment in (begins, issued, ends)):
        raise AccessTokenError("claims")
    if max(begins, issued) > now.timestamp():
        raise AccessTokenError("not yet good")
    if ends <= now.timestamp():
        raise AccessTokenError("expired")


@cache
def _keys(config: Config) -> dict[str, bytes]:
    """Our keys by their ids; the first one signs, the others are of before the last rotations."""
    # What an id shows of its key helps nobody to guess 256 bits.
    return {hashlib.sha256(b"kid" + key).hexdigest()[:16]: key for key in keys.of(config, "jwt")}
