"""Photos of people: kept as the JPEG that we drew, shown to their owner and among colleagues. The caller commits."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch.domain import audit
from silverwatch.domain.access import STAFF, Actor
from silverwatch.domain.accounts.models import Account, AccountPhoto
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.throttle import Limit

UPLOADS: Final = Limit(name="photo", tries=20, per=timedelta(hours=1))
"""Reading a picture costs a second of a processor; nobody needs more than a few tries."""


def photo_for(session: Session, actor: Actor, account_id: UUID) -> bytes:
    """The JPEG of an account: the actor's own, or a colleague's; raises NotFoundError for any other as for none."""
    row = session.execute(
        select(AccountPhoto.jpeg, Account.role)
        .join(Account, Account.id == AccountPhoto.account_id)
        .where(AccountPhoto.account_id == account_id)
    ).one_or_none()
    if row is None or not (account_id == actor.account_id or (actor.role in STAFF and row.role in STAFF)):
        raise NotFoundError("There is no such photo.")
    return bytes(row.jpeg)


def keep(session: Session, account_id: UUID, *, jpeg: bytes, now: datetime) -> None:
    """Put this photo in the place of the one before. `jpeg` was drawn by `adapters.images`, never sent by anybody."""
    values = {"jpeg": jpeg, "changed_at": now}
    row = insert(AccountPhoto).values(account_id=account_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_=values))
    audit.record(session, "photo.changed", subject=("account", account_id), detail={"bytes": len(jpeg)})


def remove(session: Session, account_id: UUID) -> None:
    """Forget the photo, if there is one."""
    gone = session.execute(
        delete(AccountPhoto).where(AccountPhoto.account_id == account_id).returning(AccountPhoto.account_id)
    )
    if gone.first() is not None:
        audit.record(session, "photo.removed", subject=("account", account_id))
