"""The second factor: an authenticator app (TOTP) and recovery codes. The caller commits.

Nothing is stored before somebody has shown that their app has the seed: until then the page itself carries the
seed, sealed (`offer`, `taken`).
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit
from silverwatch.domain.access import STAFF, Role
from silverwatch.domain.accounts import codes, sessions
from silverwatch.domain.accounts.codes import Keys
from silverwatch.domain.accounts.models import RecoveryCode, Totp
from silverwatch.domain.errors import DomainError
from silverwatch.domain.settings import service as settings

OFFER_LENGTH: Final = timedelta(minutes=30)
"""For so long the page with the QR code can be answered: somebody may have to find an app first."""

Way = Literal["app", "recovery code"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A factor that is on: since when, and how many recovery codes are left."""

    since: datetime
    codes_left: int


def status(session: Session, account_id: UUID) -> Status | None:
    """How this account's second factor stands; None when it is off."""
    since = session.scalar(select(Totp.confirmed_at).where(Totp.account_id == account_id))
    if since is None:
        return None
    left = select(func.count()).where(RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None))
    return Status(since=since, codes_left=session.scalar(left) or 0)


def is_required(session: Session, role: Role) -> bool:
    """Does the site require a second factor of this role?"""
    return role in STAFF and settings.security(session).require_second_factor


def offer(seed: bytes, *, session_id: UUID, keys: Keys, now: datetime) -> str:
    """The seed for the page that shows it, sealed for this session."""
    text = int(now.timestamp()).to_bytes(8, "big") + seed
    return base64.urlsafe_b64encode(codes.seal(text, keys=keys.totp, about=_offer(session_id))).decode()


def taken(offered: str, *, session_id: UUID, keys: Keys, now: datetime) -> bytes | None:
    """The seed that was offered to this session, unless it is too long ago."""
    try:
        sealed = base64.b64decode(offered[:300].encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    opened = codes.unseal(sealed, keys=keys.totp, about=_offer(session_id))
    if opened is None:
        return None
    age_s = now.timestamp() - int.from_bytes(opened.text[:8], "big")
    return opened.text[8:] if age_s < OFFER_LENGTH.total_seconds() else None


def set_up(
    session: Session,
    *,
    account_id: UUID,
    session_id: UUID | None,
    seed: bytes,
    code: str,
    keys: Keys,
    now: datetime,
) -> list[str]:
    """Turn the factor on, or change the app, and end the account's other sessions; gives new recovery codes.

    Raises DomainError when the code is not one that an app with this seed shows now.
    """
    step = codes.step_that_fits(seed, codes.plain(code), now=now)
    if step is None:
        raise DomainError("Enter the six digits that your app shows now.")
    values = {
        "secret": codes.seal(seed, keys=keys.totp, about=_seed(account_id)),
        "created_at": now,
        "confirmed_at": now,
        "last_step": step,
    }
    row = insert(Totp).values(account_id=account_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_=values))
    fresh = _replace_codes(session, account_id=account_id, keys=keys)
    sessions.end_all(session, account_id, because="second factor set up", now=now, but=session_id)
    audit.record(session, "second_factor.set_up", subject=("account", account_id))
    return fresh


def check(session: Session, *, account_id: UUID, code: str, keys: Keys, now: datetime) -> bool:
    """Is this a code of the account's app, or a recovery code, that was not used before? Now it is used."""
    return use(session, account_id=account_id, code=code, keys=keys, now=now) is not None


def use(session: Session, *, account_id: UUID, code: str, keys: Keys, now: datetime) -> Way | None:
    """As `check`; says which of both it was."""
    code = codes.plain(code)
    if codes.is_of_app(code) and _use_of_app(session, account_id, code, keys=keys, now=now):
        return "app"
    if codes.is_recovery(code) and _use_recovery(session, account_id, code, keys=keys, now=now):
        return "recovery code"
    return None


def new_codes(session: Session, *, account_id: UUID, keys: Keys) -> list[str]:
    """Ten new recovery codes; those of before work no more. Raises DomainError when the factor is off."""
    if status(session, account_id) is None:
        raise DomainError("Set up an authenticator app first.")
    fresh = _replace_codes(session, account_id=account_id, keys=keys)
    audit.record(session, "recovery_codes.made", subject=("account", account_id))
    return fresh


def turn_off(
    session: Session, *, account_id: UUID, role: Role, session_id: UUID | None, now: datetime
) -> None:
    """Take the own factor away and end the account's other sessions.

    Raises DomainError where the site requires one of this role, or when it is off already.
    """
    if is_required(session, role):
        raise DomainError(
            "Your hospital requires a second factor of its staff. You can change the app instead."
        )
    if not _remove(session, account_id):
        raise DomainError("The second factor is off already.")
    sessions.end_all(session, account_id, because="second factor turned off", now=now, but=session_id)
    audit.record(session, "second_factor.turned_off", subject=("account", account_id))


def reset(session: Session, *, by: UUID, account_id: UUID, now: datetime) -> None:
    """An administrator takes somebody's factor away, who has lost the app and the codes; their sessions end.

    Raises DomainError for the administrator's own account, which has a page for that, or when it is off.
    """
    if by == account_id:
        raise DomainError("Change your own second factor on your profile.")
    if not _remove(session, account_id):
        raise DomainError("This account has no second factor.")
    sessions.end_all(session, account_id, because="second factor reset", now=now)
    audit.record(session, "second_factor.reset", subject=("account", account_id))


def _use_of_app(session: Session, account_id: UUID, code: str, *, keys: Keys, now: datetime) -> bool:
    sealed = session.scalar(
        select(Totp.secret).where(Totp.account_id == account_id, Totp.confirmed_at.is_not(None))
    )
    opened = codes.unseal(sealed, keys=keys.totp, about=_seed(account_id)) if sealed else None
    step = codes.step_that_fits(opened.text, code, now=now) if opened else None
    if opened is None or step is None:
        return False
    values: dict[str, object] = {"last_step": step}
    if opened.is_old:
        # So that the key of before can be taken out once everybody has signed in.
        values["secret"] = codes.seal(opened.text, keys=keys.totp, about=_seed(account_id))
    # One statement: of two requests with the same code at once, one finds no row.
    used = session.execute(
        update(Totp)
        .where(
            Totp.account_id == account_id,
            Totp.secret == sealed,
            or_(Totp.last_step.is_(None), Totp.last_step < step),
        )
        .values(**values)
        .returning(Totp.account_id)
    )
    return used.one_or_none() is not None


def _use_recovery(session: Session, account_id: UUID, code: str, *, keys: Keys, now: datetime) -> bool:
    hashes = [codes.recovery_hash(code, key=key, account_id=account_id) for key in keys.recovery]
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.account_id == account_id,
            RecoveryCode.code_hash.in_(hashes),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )
    return used.first() is not None


def _replace_codes(session: Session, *, account_id: UUID, keys: Keys) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    fresh = [codes.new_recovery_code() for _ in range(codes.RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(
            id=clock.new_id(),
            account_id=account_id,
            code_hash=codes.recovery_hash(code, key=keys.recovery[0], account_id=account_id),
        )
        for code in fresh
    )
    session.flush()
    return fresh


def _remove(session: Session, account_id: UUID) -> bool:
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    gone = session.execute(delete(Totp).where(Totp.account_id == account_id).returning(Totp.account_id))
    return gone.one_or_none() is not None


def _seed(account_id: UUID) -> bytes:
    return b"seed " + account_id.bytes


def _offer(session_id: UUID) -> bytes:
    return b"offer " + session_id.bytes
