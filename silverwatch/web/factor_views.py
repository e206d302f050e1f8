"""What the pages of the second factor show, as plain values."""

from dataclasses import dataclass, field

import segno

GROUP = 4
QUIET = 4
"""Light modules around a QR code: readers need them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QrCode:
    """A QR code as one path in a square of `size` modules."""

    size: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A seed that is offered: as a QR code, as text, as a link, and sealed for the form."""

    qr: QrCode
    groups: tuple[str, ...]
    link: str
    sealed: str
    is_change: bool = False
    is_owed: bool = False
    target: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def qr_code(text: str) -> QrCode:
    """Draw a QR code: each run of dark modules is one box of the path."""
    rows = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=QUIET)]
    parts = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end]:
                end += 1
            if end > x:
                parts.append(f"M{x} {y}h{end - x}v1H{x}z")
            x = end + 1
    return QrCode(size=len(rows), path="".join(parts))


def groups_of(secret: str) -> tuple[str, ...]:
    """A secret in groups of four, for who must type it."""
    return tuple(secret[place : place + GROUP] for place in range(0, len(secret), GROUP))
