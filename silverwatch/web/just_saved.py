"""Which set of observations the reader has just saved: in their session, so that any page can offer to undo it."""

from datetime import datetime
from typing import Final

from flask import session

from silverwatch.clock import epoch_ms, from_epoch_ms
from silverwatch.domain.accounts.sessions import SignedIn
from silverwatch.web.views import SavedSet

_FIELD: Final = "saved"


def remember(saved: SavedSet) -> None:
    """Offer to undo this set until its time."""
    session[_FIELD] = [saved.url, epoch_ms(saved.measured_at), epoch_ms(saved.until)]


def forget() -> None:
    """Nothing is offered any more."""
    session.pop(_FIELD, None)


def offered(found: SignedIn | None, now: datetime) -> SavedSet | None:
    """What is offered now; nothing where nobody is signed in, or the screen is locked."""
    if found is None or found.state != "open" or _FIELD not in session:
        return None
    url, measured_ms, until_ms = session[_FIELD]
    if now >= from_epoch_ms(until_ms):
        return None
    return SavedSet(url=url, measured_at=from_epoch_ms(measured_ms), until=from_epoch_ms(until_ms))
