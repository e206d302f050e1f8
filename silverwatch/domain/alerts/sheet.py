"""The sheet of a handover as plain values: for each patient situation, background, assessment, recommendation.

It is stored as it was when somebody accepted duty, so everything in it can be written as JSON and read again. Figures,
times and what people wrote; no judgement. Texts are made by the template.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from silverwatch.domain.alerts.board import AlarmLine, NewsBadge, PatientHeader
from silverwatch.domain.records.assessments import DueAssessment
from silverwatch.domain.records.due_doses import DoseView, DueDose
from silverwatch.domain.records.tasks import TaskView


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One vital over the shift: `first` is the mean of its first hour, `last` the newest value, measured at `at`.

    `vital` is a name of `vitals.BY_NAME`; `low` and `high` are the extremes between the two.
    """

    vital: str
    first: float | None
    last: float | None
    at: datetime | None
    stale: bool
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsOfShift:
    """How often alarms came (`times` >= `count`, what came and went is one alarm), and how they were answered.

    `taken`: somebody acknowledged it; `alone`: over before anybody did; `waiting`: open and untaken. `longest_s` in
    seconds is the duration of `longest`.
    """

    count: int
    times: int
    high: int
    technical: int
    taken: int
    alone: int
    waiting: int
    longest: AlarmLine | None = None
    longest_s: int = 0


NO_ALARMS = AlarmsOfShift(count=0, times=0, high=0, technical=0, taken=0, alone=0, waiting=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What somebody wrote, a note or a remark for the next shift."""

    text: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """A pause that is open. `kind` is the alarm's, None for all alarms of the patient."""

    kind: str | None
    reason: str
    note: str
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLimit:
    """A bound that was set for this patient alone. `cell` is a name of `limit_cells.BOUNDS`; None: switched off."""

    vital: str
    cell: str
    value: float | None
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicationsOfShift:
    """Doses that are late or were not recorded, and those that were given as needed lately, the newest first."""

    waiting: tuple[DueDose, ...] = ()
    needed: tuple[DoseView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLine:
    """One patient of the sheet. `news_before` is the score when the shift began, None without a complete set then.

    `holder` is who looks after the bed. `goals` are the open ones of the care plan; sheets of before have none.
    """

    bed_label: str
    patient: PatientHeader
    hospital_number: str
    spo2_scale: int
    here_since: datetime
    holder: str | None
    news: NewsBadge
    news_before: int | None
    open_alarms: tuple[AlarmLine, ...]
    alarms: AlarmsOfShift
    trends: tuple[Trend, ...]
    oxygen_l_min: float | None
    consciousness: str | None
    silent_since: datetime | None
    notes: tuple[Written, ...]
    limits: tuple[OwnLimit, ...]
    pauses: tuple[Paused, ...]
    due_at: datetime | None
    tasks: tuple[TaskView, ...]
    remark: Written | None
    goals: tuple[str, ...] = ()
    assessments: tuple[DueAssessment, ...] = ()
    medications: MedicationsOfShift = MedicationsOfShift()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What is handed over in a ward at `at` about the time since `since`. `on_duty`: who had accepted duty then."""

    ward_id: UUID
    ward_slug: str
    ward_name: str
    since: datetime
    at: datetime
    on_duty: tuple[str, ...]
    lines: tuple[SheetLine, ...]
    empty_beds: tuple[str, ...]


def plain(sheet: Sheet) -> dict[str, Any]:
    """The sheet as JSON values."""
    found: dict[str, Any] = msgspec.to_builtins(sheet)
    return found


def read(stored: dict[str, Any]) -> Sheet:
    """A sheet out of JSON values."""
    return msgspec.convert(stored, Sheet)
