"""The device key of a request. Every refusal of one is in the audit, once for each sender in a while."""

import logging
from datetime import timedelta
from typing import Final

from flask import request

from api.problems import Problem
from silverwatch import clock, db
from silverwatch.domain import throttle
from silverwatch.domain.accounts.signing import network_of
from silverwatch.domain.devices.service import KEY_PREFIX, key_hash
from silverwatch.web import auditing

log = logging.getLogger(__name__)

_LONGEST: Final = 200
UNKNOWN: Final = "device key: unknown or revoked"
NOTED: Final = throttle.Limit(name="refusals of a device key", tries=1, per=timedelta(minutes=15))
"""A device whose key was revoked goes on posting every second, and nobody can ever delete a row of the audit."""


def presented() -> bytes:
    """The hash of the Bearer key that the request carries; raises Problem 401 without one."""
    header = request.headers.get("Authorization", "").strip()
    scheme, _, key = header.partition(" ")
    key = key.strip()
    if not header:
        raise unauthorized()
    if scheme.lower() != "bearer" or not key.startswith(KEY_PREFIX) or len(key) > _LONGEST:
        note("device key: malformed", sender=network_of(request.remote_addr))
        raise unauthorized()
    return key_hash(key)


def unauthorized() -> Problem:
    """401, the same for a missing, an unknown and a revoked key."""
    return Problem(401, "A valid device key is needed.", headers={"WWW-Authenticate": "Bearer"})


def note(because: str, *, sender: str) -> None:
    """This post is refused: the audit says so, once in a quarter of an hour for each sender and reason."""
    try:
        with db.transaction() as session:
            is_noted = throttle.take(session, NOTED, sender, because, now=clock.now()) is not None
    except db.UNAVAILABLE:
        # The refusal stands, as it does for everybody else's.
        log.warning("audit: a refusal (%s) could not be noted: the database is away", because)
        return
    if not is_noted:
        auditing.refused(because)
