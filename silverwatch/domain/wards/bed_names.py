"""Many beds at once, as a person writes them: `1-12`, `A1-A4`, `1, 2, 5-7, Window`. Pure."""

import re
from typing import Final

from silverwatch.domain.errors import ConflictError

MOST: Final = 100
"""So many beds are added at once at most."""
MOST_LABEL: Final = 12
"""A label stands on a tile of the board."""
_SPAN: Final = re.compile(r"(\D*?)(\d{1,4})\s*[-–]\s*(\D*?)(\d{1,4})", re.ASCII)
_HOME: Final = re.compile(r"home \d+", re.IGNORECASE)


def labels(written: str) -> list[str]:
    """The labels in the order in which they are written; raises ConflictError, which says what to do."""
    found: list[str] = []
    for part in (" ".join(item.split()) for item in re.split(r"[,;\n]", written)):
        if part:
            found += _span(part)
        if len(found) > MOST:
            raise ConflictError(f"Add at most {MOST} beds at once.")
    if not found:
        raise ConflictError("Write the beds, such as 1-12 or 1, 2, Window.")
    seen: set[str] = set()
    for label in found:
        check(label)
        if label.casefold() in seen:
            raise ConflictError(f"Bed {label} is written twice.")
        seen.add(label.casefold())
    return found


def check(label: str) -> None:
    """Raises ConflictError for what cannot be the label of a bed."""
    if not 1 <= len(label) <= MOST_LABEL:
        raise ConflictError(f"A bed has a name of 1 to {MOST_LABEL} characters: {label[:40]}")
    if _HOME.fullmatch(label):
        raise ConflictError(f"{label} is a name of places at home. Choose another one.")


def _span(part: str) -> list[str]:
    match = _SPAN.fullmatch(part)
    if match is None:
        return [part]
    before, first, again, last = match.groups()
    low, high = int(first), int(last)
    if again.strip() and again.strip() != before.strip():
        raise ConflictError(f"{part}: write the same letters before both numbers, such as A1-A4.")
    if low > high:
        raise ConflictError(f"{part}: write the smaller number first.")
    if high - low >= MOST:
        raise ConflictError(f"Add at most {MOST} beds at once.")
    width = len(first) if first.startswith("0") else 1
    return [f"{before}{number:0{width}}" for number in range(low, high + 1)]
