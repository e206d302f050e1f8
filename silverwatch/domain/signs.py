"""Pure: signs that nobody sees, which a paste from elsewhere brings along: with them one name would be two."""

from typing import Final
from unicodedata import category

JOINERS: Final = "\u200c\u200d"
"""Names of some scripts are written with these, between two letters."""


def bare(text: str) -> str:
    """The text without controls and without marks that hide, or turn the direction in which it is read."""
    if text.isprintable():
        return text
    return "".join(sign for sign in text if sign in JOINERS or category(sign) not in ("Cc", "Cf")).strip(
        JOINERS
    )


def is_bare(text: str) -> bool:
    """Is all of the text seen?"""
    return bare(text) == text
