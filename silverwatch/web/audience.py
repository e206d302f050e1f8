"""For whom a fragment is drawn: everything a live region may know about its reader."""

from dataclasses import dataclass, replace
from typing import Literal

Names = Literal["full", "initials", "bed"]
NAMES: tuple[Names, ...] = ("full", "initials", "bed")
"""How a patient is called, from the least to the most private."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Readers who get the same bytes. Hashable: the live hub renders each region once per audience.

    `chosen_names` and `may_take_alarms` are the reader's own; `names` and `may_acknowledge` are what counts: a wall
    and a locked screen show initials at most, and take no alarm.
    """

    role: str
    language: str = "en"
    chosen_names: Names = "full"
    may_take_alarms: bool = False
    wall: bool = False
    locked: bool = False

    @property
    def names(self) -> Names:
        """How patients are called on this screen."""
        guarded = self.wall or self.locked
        return "initials" if guarded and self.chosen_names == "full" else self.chosen_names

    @property
    def may_acknowledge(self) -> bool:
        """Do alarms have a button here?"""
        return self.may_take_alarms and not self.wall and not self.locked

    def turned(self, *, locked: bool) -> "Audience":
        """The same readers, before a screen that is locked or open."""
        return replace(self, locked=locked)
