"""What a shift and a round show, as plain values.

`Shift` is the patients of one person, `Rounds` all that is due for them (or for a whole ward) in order of time.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from silverwatch.domain.alerts.board import Tile
from silverwatch.domain.records.assessments import DueAssessment
from silverwatch.domain.records.due_doses import DoseView, DueDose
from silverwatch.domain.records.tasks import TaskView
from silverwatch.domain.wards.roster import OnDuty


@dataclass(frozen=True, slots=True, kw_only=True)
class WardOfShift:
    """One ward of a caregiver. `is_shared`: nobody has taken a bed, so all are everybody's.

    `unheld`: beds with a patient whom nobody has taken although others are taken.
    """

    id: UUID
    slug: str
    name: str
    is_shared: bool
    mine: int
    unheld: tuple[str, ...] = ()
    on_duty: tuple[OnDuty, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftRow:
    """One patient of a shift. `tasks`, `assessments` and `doses` are due within `AHEAD`, in order of time."""

    tile: Tile
    ward: WardOfShift
    tasks: tuple[TaskView, ...] = ()
    assessments: tuple[DueAssessment, ...] = ()
    doses: tuple[DueDose, ...] = ()

    def unrecorded(self, now: datetime) -> int:
        """How many of the doses, the first ones, count as not recorded by now."""
        return sum(dose.state(now) == "unrecorded" for dose in self.doses)

    @property
    def first_due_at(self) -> datetime | None:
        """When the first thing is due, whatever it is; None where no complete set says when."""
        times = [task.due_at for task in self.tasks] + [item.due_at for item in self.assessments]
        times += [dose.due_at for dose in self.doses]
        if self.tile.observations_due_at is not None:
            times.append(self.tile.observations_due_at)
        return min(times) if times and self.tile.observations_due_at is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """The patients of one person, what is due first first; `done` lately, by whomever."""

    account_id: UUID
    wards: tuple[WardOfShift, ...] = ()
    rows: tuple[ShiftRow, ...] = ()
    done: tuple[TaskView, ...] = ()
    recorded: tuple[DoseView, ...] = ()

    @property
    def is_on_duty(self) -> bool:
        """Has this person accepted duty in any of these wards?"""
        people = [person for ward in self.wards for person in ward.on_duty]
        return any(person.account_id == self.account_id and person.is_here for person in people)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What is due for a patient at a time: a task, an assessment, `doses`, or else the next observations.

    `unrecorded`: so many doses since then count as not recorded; their place is the page of the medications.

    `due_at` is None for observations of a patient who has no complete set yet: they are due now.
    """

    tile: Tile
    due_at: datetime | None
    task: TaskView | None = None
    assessment: DueAssessment | None = None
    doses: tuple[DueDose, ...] = ()
    unrecorded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """All that is due until `until`, in order of time and bed. `region`: the live region that shows it."""

    region: str
    subject_id: UUID
    until: datetime
    items: tuple[Item, ...] = ()
    done: tuple[tuple[Tile, TaskView], ...] = ()
    recorded: tuple[tuple[Tile, DoseView], ...] = ()
    patients: int = 0

    def due(self, now: datetime) -> list[Item]:
        """What is due now, or was before."""
        return [item for item in self.items if item.due_at is None or item.due_at <= now]

    def later(self, now: datetime) -> list[Item]:
        """What will be due until the end."""
        return [item for item in self.items if item.due_at is not None and item.due_at > now]
