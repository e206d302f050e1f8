"""For whom a fragment is drawn: everything a live region may know about its reader."""

from dataclasses import dataclass
from typing import Literal

Names = Literal["full", "initials", "bed"]
NAMES: tuple[Names, ...] = ("full", "initials", "bed")
"""How a patient is called, from the least to the most private."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Readers who get the same bytes. Hashable: the live hub renders each region once per audience."""

    role: str
    language: str = "en"
    names: Names = "full"
    may_acknowledge: bool = False
    wall: bool = False
