"""How often getting in may be tried, without a stranger being able to lock anybody out. The caller commits.

Tries are taken before the password is looked at and given back when it was right, so that only failures count and
a hundred at once are a hundred. A browser in which the account has signed in before has a bucket of its own: who
burns the others from elsewhere does not reach it.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch.domain import audit, throttle
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.throttle import Limit

QUARTER: Final = timedelta(minutes=15)
BY_EMAIL_AND_NETWORK: Final = Limit(name="sign-in, address and network", tries=5, per=QUARTER)
BY_NETWORK: Final = Limit(name="sign-in, network", tries=50, per=QUARTER)
BY_EMAIL: Final = Limit(name="sign-in, address", tries=30, per=timedelta(hours=1))
BY_KNOWN_BROWSER: Final = Limit(name="sign-in, known browser", tries=10, per=QUARTER)
CODE_GIVEN: Final = "session.second_factor"
"""What the audit calls it."""
CODES: Final = Limit(name="code", tries=10, per=QUARTER)

Bucket = tuple[Limit, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One granted try: what to give back when it succeeds."""

    buckets: tuple[Bucket, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TooMany:
    """No try is left; the next one comes in so many seconds."""

    wait_s: float


def plain_email(email: str) -> str:
    """An address as accounts keep it."""
    return email.strip().lower()


def account_id_of(session: Session, email: str) -> UUID | None:
    """Whose address this is."""
    return session.scalar(select(Account.id).where(Account.email == plain_email(email)))


def ask_to_sign_in(
    session: Session, *, email: str, address: str | None, now: datetime, known_browser: str | None = None
) -> Try | TooMany:
    """May a password be tried for this address, existing or not? The refusal is in the audit.

    `known_browser` names the browser when the account of this address has signed in there before. Commit before
    the password is looked at: a hash takes long, and others wait for the buckets.
    """
    email, network = plain_email(email), network_of(address)
    buckets: tuple[Bucket, ...] = (
        (BY_EMAIL_AND_NETWORK, (email, network)),
        (BY_NETWORK, (network,)),
        (BY_EMAIL, (email,)),
    )
    if known_browser is not None:
        buckets = ((BY_KNOWN_BROWSER, (email, known_browser)),)
    return _ask(session, buckets, action="session.opened", now=now)


def ask_for_code(
    session: Session, *, account_id: UUID, now: datetime, known_browser: str | None = None
) -> Try | TooMany:
    """May a code be tried for this account? As `ask_to_sign_in`."""
    who = (str(account_id), known_browser) if known_browser is not None else (str(account_id),)
    return _ask(session, ((CODES, who),), action=CODE_GIVEN, now=now)


def succeeded(session: Session, granted: Try) -> None:
    """The try was right: it does not count."""
    for limit, who in granted.buckets:
        throttle.give_back(session, limit, *who)


def network_of(address: str | None) -> str:
    """The network that a client's address lies in, /24 or /64: whoever has one address there has many."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    bits = 24 if found.version == 4 else 64
    return str(ipaddress.ip_network(f"{found}/{bits}", strict=False))


def _ask(session: Session, buckets: tuple[Bucket, ...], *, action: str, now: datetime) -> Try | TooMany:
    for place, (limit, who) in enumerate(buckets):
        wait_s = throttle.take(session, limit, *who, now=now)
        if wait_s is not None:
            succeeded(session, Try(buckets=buckets[:place]))
            audit.record(session, action, outcome="refused", detail={"because": "too many tries"})
            return TooMany(wait_s=wait_s)
    return Try(buckets=buckets)
