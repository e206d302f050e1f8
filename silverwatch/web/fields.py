"""What forms have in common: reading what was sent, whatever it is."""

from uuid import UUID

from werkzeug.datastructures import MultiDict

Sent = MultiDict[str, str]


def line(sent: Sent, name: str, *, most: int) -> str:
    """A text on one line, at most one character longer than it may be: enough to say that it is too long."""
    return " ".join(sent.get(name, "").replace("\0", "").split())[: most + 1]


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
