"""What forms have in common: reading what was sent, whatever it is."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from werkzeug.datastructures import MultiDict

from silverwatch.domain import signs
from silverwatch.web import filters

Sent = MultiDict[str, str]

AHEAD: Final = timedelta(minutes=1)
"""A field of minutes cannot say that it is this very second."""


def line(sent: Sent, name: str, *, most: int) -> str:
    """A text on one line without hidden signs, at most one character longer than it may be: enough to say so."""
    return " ".join(signs.bare(" ".join(sent.get(name, "").split())).split())[: most + 1]


def identity(written: str | None) -> UUID | None:
    """An id, or None for whatever is none."""
    try:
        return UUID(written or "")
    except ValueError:
        return None


def identities(sent: Sent, name: str) -> list[UUID]:
    """All ids of this name, of which each may be a list with commas; whatever is none is left out."""
    found = (identity(part) for written in sent.getlist(name) for part in written.split(","))
    return [item for item in found if item is not None]


def whole(written: str | None, *, most: int) -> int | None:
    """A whole number from 0 to `most`, or None."""
    digits = (written or "").strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= len(str(most))):
        return None
    return int(digits) if int(digits) <= most else None


def moment(
    written: str, errors: dict[str, str], name: str, *, now: datetime, stands: datetime | None = None
) -> datetime | None:
    """When something happened, by a field of local minutes; what it cannot be is in `errors`.

    A minute that nobody touched is the very moment that `stands`.
    """
    if stands is not None and written == filters.local_minute(stands):
        return stands
    try:
        at = filters.from_local_minute(written)
    except ValueError:
        errors[name] = "Enter the day and time."
        return None
    if at > now + AHEAD:
        errors[name] = f"This time has not come yet. Enter one before {filters.clock_time(now)}."
    return at
