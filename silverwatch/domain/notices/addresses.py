"""Where a person can be told: added by them, used once a code that was sent there came back. The caller commits."""

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit
from silverwatch.domain.accounts import codes
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError
from silverwatch.domain.notices.models import NoticeAddress, NoticePreference

MOST: Final = 6
DIGITS: Final = 6
CODE_FOR: Final = timedelta(minutes=10)
AGAIN_AFTER: Final = timedelta(seconds=60)
"""Codes cost money and may annoy a stranger: one a minute."""
MOST_TRIES: Final = 5
SECRET_BYTES: Final = 32

_PHONE: Final = re.compile(r"\+[1-9][0-9]{7,14}")
_TOPIC: Final = re.compile(r"[A-Za-z0-9_-]{12,64}")
_EMAIL: Final = re.compile(r"[^\s<>()\[\],;:\\\"@]{1,64}@[A-Za-z0-9.-]{1,180}\.[A-Za-z]{2,24}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToVerify:
    """A new address and the code that is to be sent there; `secret` of a webhook is shown this once."""

    id: UUID
    channel: str
    address: str
    code: str
    secret: bytes | None


def plain(channel: str, written: str) -> str:
    """An address as it is stored."""
    text = " ".join(written.replace("\0", "").split())
    if channel == "sms":
        return re.sub(r"[ ()-]", "", text)
    return text.lower() if channel == "email" else text


def problem(channel: str, address: str, *, channels: Sequence[str]) -> str | None:
    """What is wrong with an address, as it is stored."""
    if channel not in channels:
        return "Choose a channel that the site has set up."
    if channel == "sms" and not _PHONE.fullmatch(address):
        return "Enter the number with its country code, such as +254 700 000 000."
    if channel == "push" and not _TOPIC.fullmatch(address):
        return "Enter a topic of 12 to 64 letters, digits, - and _ that nobody guesses."
    if channel == "email" and not _EMAIL.fullmatch(address):
        return "Enter an e-mail address, such as ward@hospital.example."
    return None


def add(
    session: Session, account_id: UUID, *, channel: str, address: str, keys: Sequence[bytes], now: datetime
) -> ToVerify:
    """Keep an address that is not used before its code came back. Raises ConflictError for one too many, or twice."""
    session.execute(select(Account.id).where(Account.id == account_id).with_for_update())
    kept = addresses_of(session, account_id)
    if len(kept) >= MOST:
        raise ConflictError(f"You have {MOST} addresses already. Remove one before you add another.")
    if any((one.channel, one.address) == (channel, address) for one in kept):
        raise ConflictError("You have this address already.")
    _not_too_often(kept, now=now)
    row = NoticeAddress(
        id=clock.new_id(), account_id=account_id, channel=channel, address=address, added_at=now
    )
    secret = secrets.token_bytes(SECRET_BYTES) if channel == "webhook" else None
    if secret is not None:
        row.secret = codes.seal(secret, keys=keys, about=row.id.bytes)
    session.add(row)
    code = _new_code(row, keys=keys, now=now)
    _note(session, "address.added", row)
    return ToVerify(id=row.id, channel=channel, address=address, code=code, secret=secret)


def once(
    session: Session, account_id: UUID, *, channel: str, address: str, keys: Sequence[bytes], now: datetime
) -> NoticeAddress:
    """An address for one test of a gateway: taken back from the start, so that nobody is ever told there."""
    row = NoticeAddress(
        id=clock.new_id(),
        account_id=account_id,
        channel=channel,
        address=address,
        added_at=now,
        removed_at=now,
    )
    if channel == "webhook":
        row.secret = codes.seal(secrets.token_bytes(SECRET_BYTES), keys=keys, about=row.id.bytes)
    session.add(row)
    session.flush()
    return row


def again(
    session: Session, account_id: UUID, address_id: UUID, *, keys: Sequence[bytes], now: datetime
) -> ToVerify:
    """Another code for an address that waits for one. Raises NotFoundError, ConflictError when it is too soon."""
    row = _own(session, account_id, address_id)
    _not_too_often([row], now=now)
    code = _new_code(row, keys=keys, now=now)
    opened = codes.unseal(row.secret, keys=keys, about=row.id.bytes) if row.secret else None
    return ToVerify(
        id=row.id, channel=row.channel, address=row.address, code=code, secret=opened.text if opened else None
    )


def verify(
    session: Session, account_id: UUID, address_id: UUID, *, code: str, keys: Sequence[bytes], now: datetime
) -> bool:
    """Did the code come back? Then the address is used from now on. Five wrong ones end the code."""
    row = _own(session, account_id, address_id)
    if row.verified_at is not None:
        return True
    if row.code_hash is None or row.code_sent_at is None or now - row.code_sent_at > CODE_FOR:
        return False
    row.code_tries += 1
    fits = hmac.compare_digest(row.code_hash, _hash(row.id, codes.plain(code), keys))
    if fits:
        row.verified_at = now
        _note(session, "address.verified", row)
    if fits or row.code_tries >= MOST_TRIES:
        row.code_hash = None
    return fits


def remove(session: Session, account_id: UUID, address_id: UUID, *, now: datetime) -> None:
    """Use it no more; raises NotFoundError for another person's as for none."""
    row = _own(session, account_id, address_id)
    row.removed_at, row.code_hash = now, None
    _note(session, "address.removed", row)


def addresses_of(session: Session, account_id: UUID) -> list[NoticeAddress]:
    """A person's addresses, in the order in which they were added."""
    query = select(NoticeAddress).where(
        NoticeAddress.account_id == account_id, NoticeAddress.removed_at.is_(None)
    )
    return list(session.scalars(query.order_by(NoticeAddress.added_at, NoticeAddress.id)))


def quiet_hours(session: Session, account_id: UUID) -> tuple[time, time] | None:
    """When this person is not to be disturbed by what is not high."""
    row = session.get(NoticePreference, account_id)
    return (row.quiet_from, row.quiet_until) if row and row.quiet_from and row.quiet_until else None


def set_quiet_hours(
    session: Session, account_id: UUID, *, hours: tuple[time, time] | None, now: datetime
) -> None:
    """Change them; None for none. Raises DomainError when they begin and end at once."""
    if hours is not None and hours[0] == hours[1]:
        raise DomainError("Quiet hours end at another time than they begin.")
    begin, end = hours or (None, None)
    values = {"quiet_from": begin, "quiet_until": end, "changed_at": now}
    row = insert(NoticePreference).values(account_id=account_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_=values))
    detail = {"quiet": f"{begin:%H:%M} to {end:%H:%M}" if begin and end else "none"}
    audit.record(session, "quiet_hours.changed", subject=("account", account_id), detail=detail)


def _own(session: Session, account_id: UUID, address_id: UUID) -> NoticeAddress:
    row = session.get(NoticeAddress, address_id, with_for_update=True)
    if row is None or row.account_id != account_id or row.removed_at is not None:
        raise NotFoundError("There is no such address.")
    return row


def _not_too_often(rows: Sequence[NoticeAddress], *, now: datetime) -> None:
    if any(row.code_sent_at is not None and now - row.code_sent_at < AGAIN_AFTER for row in rows):
        raise ConflictError("A code was sent just now. Wait a minute, then ask for another one.")


def _new_code(row: NoticeAddress, *, keys: Sequence[bytes], now: datetime) -> str:
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    row.code_hash, row.code_sent_at, row.code_tries = _hash(row.id, code, keys), now, 0
    return code


def _hash(address_id: UUID, code: str, keys: Sequence[bytes]) -> bytes:
    """Six digits could be guessed from a plain hash: without the key they cannot."""
    return hmac.digest(keys[0], address_id.bytes + code.encode(), sha256)


def _note(session: Session, action: str, row: NoticeAddress) -> None:
    audit.record(session, action, subject=("account", row.account_id), detail={"channel": row.channel})
