"""How often something may be tried. The buckets are rows: what limits must not fail open when Redis is away.

A bucket refills steadily (a token bucket), so nobody is locked out for good; the keys are chosen by the callers
so that a stranger's tries empty only a stranger's bucket.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import LargeBinary, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from silverwatch.db import Base


class Bucket(Base):
    """What is left of a bucket at a moment. `key` is a hash: no address is kept longer than needed."""

    __tablename__ = "throttle_bucket"
    __table_args__ = {"postgresql_with": {"fillfactor": "50"}}

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    tokens: Mapped[float]
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`tries` at once, and as many again in `per`."""

    name: str
    tries: int
    per: timedelta


def take(session: Session, limit: Limit, *who: str, now: datetime) -> float | None:
    """Take one try; None when it is granted, else the seconds until the next one.

    `who` names the bucket (an address, an account); the caller commits, also when what it tried failed.
    """
    rate = limit.tries / limit.per.total_seconds()
    key = _key(limit, who)
    # The lock makes the first two tries at once two tries: there is no row yet to lock.
    session.execute(
        text("SELECT pg_advisory_xact_lock(:key)"), {"key": int.from_bytes(key[:8], "big", signed=True)}
    )
    row = session.execute(
        text("SELECT tokens, at FROM throttle_bucket WHERE key = :key"), {"key": key}
    ).one_or_none()
    held = limit.tries if row is None else min(
        limit.tries, row.tokens + rate * max(0.0, (now - row.at).total_seconds())
    )  # fmt: skip
    granted = held >= 1
    session.execute(
        text(
            "INSERT INTO throttle_bucket (key, tokens, at) VALUES (:key, :tokens, :now)"
            " ON CONFLICT (key) DO UPDATE SET tokens = :tokens, at = :now"
        ),
        {"key": key, "tokens": held - 1 if granted else held, "now": now},
    )
    return None if granted else (1 - held) / rate


def give_back(session: Session, limit: Limit, *who: str) -> None:
    """Undo one `take`: it turned out to be no misuse. Taken first and given back later, no try slips through."""
    session.execute(
        text("UPDATE throttle_bucket SET tokens = least(:tries, tokens + 1) WHERE key = :key"),
        {"tries": limit.tries, "key": _key(limit, who)},
    )


def _key(limit: Limit, who: Iterable[str]) -> bytes:
    return hashlib.sha256("\0".join((limit.name, *who)).encode()).digest()


def forget_old(session: Session, *, before: datetime) -> None:
    """Full buckets need no row."""
    session.execute(text("DELETE FROM throttle_bucket WHERE at < :before"), {"before": before})
