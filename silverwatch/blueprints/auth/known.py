"""Browsers in which somebody has signed in before: strangers who use up the tries of an address never reach them.

The cookie opens nothing. It holds a random name of the browser and keyed hashes of the accounts, so that a copy of
it tells nobody who works here.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from flask import Response, current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer

from silverwatch import keys
from silverwatch.config import Config

PURPOSE: Final = "known browser"
LIFE_S: Final = 365 * 86400
MOST: Final = 20
"""Accounts that one browser remembers: a ward's computer is used by a whole shift."""


def name_for(account_id: UUID | None) -> str | None:
    """The name of this browser, if the account has signed in here before."""
    name, marks = _read()
    known = account_id is not None and any(mark in marks for mark in _marks(name, account_id))
    return name if known else None


def remember(answer: Response, account_id: UUID) -> Response:
    """Note that this account has signed in here, wholly: with a code where it owes one."""
    config = _config()
    name, marks = _read()
    mine = _marks(name, account_id)
    others = [mark for mark in marks if mark not in mine]
    answer.set_cookie(
        _cookie(config),
        _serializer(config).dumps([name, mine[0], *others[: MOST - 1]]),
        max_age=LIFE_S,
        secure=config.secure_cookies,
        httponly=True,
        samesite="Lax",
    )
    return answer


def _read() -> tuple[str, list[str]]:
    """The browser's name, a new one if it has none, and the marks of the accounts it knows, newest first."""
    config = _config()
    try:
        found: Any = _serializer(config).loads(request.cookies.get(_cookie(config), ""), max_age=LIFE_S)
    except BadData:
        found = None
    if isinstance(found, list) and found and all(isinstance(item, str) for item in found):
        return found[0], found[1:]
    return secrets.token_urlsafe(12), []


def _marks(name: str, account_id: UUID) -> Sequence[str]:
    """The account's mark in this browser under each key, the present one first."""
    text = name.encode() + account_id.bytes
    digests = [hmac.digest(key, text, hashlib.sha256)[:12] for key in keys.of(_config(), PURPOSE)]
    return [base64.urlsafe_b64encode(digest).decode() for digest in digests]


def _serializer(config: Config) -> URLSafeTimedSerializer:
    # It signs with the last key and takes all of them.
    return URLSafeTimedSerializer(list(reversed(keys.of(config, PURPOSE))), salt=PURPOSE)


def _cookie(config: Config) -> str:
    return "__Host-sw-known" if config.secure_cookies else "sw_known"


def _config() -> Config:
    found: Config = current_app.extensions["config"]
    return found
