"""The device key of a request."""

from flask import request

from api.problems import Problem
from silverwatch.domain.devices.service import KEY_PREFIX, key_hash

_LONGEST = 200


def presented() -> bytes:
    """The hash of the Bearer key that the request carries; raises Problem 401 without one."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key.startswith(KEY_PREFIX) or len(key) > _LONGEST:
        raise unauthorized()
    return key_hash(key)


def unauthorized() -> Problem:
    """401, the same for a missing, an unknown and a revoked key."""
    return Problem(401, "A valid device key is needed.", headers={"WWW-Authenticate": "Bearer"})
