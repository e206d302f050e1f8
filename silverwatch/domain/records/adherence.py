"""Adherence: how many of the doses that were due were given, and what became of the others. Pure.

A dose counts once it was recorded, or once it waited for so long that it counts as not recorded. What is given as
needed was never due and is counted by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from silverwatch.domain.records.due_doses import DoseView
from silverwatch.domain.records.medication_schedule import Due
from silverwatch.domain.settings.doses import USUAL, DoseTimes

UNRECORDED_WORD: Final = "unrecorded"
WAITING: Final = "waiting"
PARTS: Final = ("given", "refused", "held", "missed", UNRECORDED_WORD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One dose of the picture. `outcome` is one of PARTS, or `waiting` for one that is due and has its time."""

    at: datetime
    outcome: str
    dose: DoseView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Of so many doses that were due so many were given, refused, held back, missed, and not recorded."""

    given: int = 0
    refused: int = 0
    held: int = 0
    missed: int = 0
    unrecorded: int = 0

    @property
    def due(self) -> int:
        """All that count."""
        return self.given + self.refused + self.held + self.missed + self.unrecorded

    @property
    def share(self) -> float | None:
        """Given of due, 0 to 1; None where nothing was due."""
        return self.given / self.due if self.due else None

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(**{part: getattr(self, part) + getattr(other, part) for part in PARTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicationAdherence:
    """One medication: its sums, its doses day by day, and how often it was given as needed on each day."""

    medication_id: UUID
    name: str
    counted: Counted
    days: Mapping[date, Sequence[Slot]]
    needed: Mapping[date, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Adherence:
    """All medications of a patient over some days, the oldest day first, and their sum."""

    since: datetime
    days: tuple[date, ...]
    medications: tuple[MedicationAdherence, ...]

    @property
    def counted(self) -> Counted:
        """Of all of them."""
        return sum((item.counted for item in self.medications), Counted())


def slots(
    moments: Iterable[Due], recorded: Iterable[DoseView], *, now: datetime, times: DoseTimes = USUAL
) -> list[Slot]:
    """The doses until now, each once. What was recorded was due, whatever a later change of the plan says."""
    standing = {dose.due_at: dose for dose in recorded if dose.due_at is not None and dose.struck_at is None}
    found = [Slot(at=at, outcome=dose.outcome, dose=dose) for at, dose in standing.items()]
    for moment in moments:
        if moment.at not in standing and moment.at <= now:
            waits = now - moment.at < times.unrecorded
            found.append(Slot(at=moment.at, outcome=WAITING if waits else UNRECORDED_WORD))
    return sorted(found, key=lambda slot: slot.at)


def count(found: Iterable[Slot]) -> Counted:
    """What became of these doses; those that wait do not count yet."""
    outcomes = [slot.outcome for slot in found]
    return Counted(**{part: outcomes.count(part) for part in PARTS})


def adherence_of(
    medication_id: UUID,
    name: str,
    moments: Iterable[Due],
    recorded: Sequence[DoseView],
    *,
    now: datetime,
    zone: ZoneInfo,
    times: DoseTimes = USUAL,
) -> MedicationAdherence:
    """One medication from the doses that were due and what was recorded of it."""
    found = slots(moments, recorded, now=now, times=times)
    days: dict[date, list[Slot]] = {}
    for slot in found:
        days.setdefault(slot.at.astimezone(zone).date(), []).append(slot)
    needed: dict[date, int] = {}
    for dose in recorded:
        if dose.due_at is None and dose.is_given:
            day = dose.at.astimezone(zone).date()
            needed[day] = needed.get(day, 0) + 1
    return MedicationAdherence(
        medication_id=medication_id, name=name, counted=count(found), days=days, needed=needed
    )
