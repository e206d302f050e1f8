"""What the alarm inbox shows, as plain values: no session, no request, no text in any language.

`inbox_queries` builds these; the templates of the regions `alarm-list` and `alarm-detail` draw them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from silverwatch.domain.alerts.board import PRIORITIES, AlarmLine, PatientHeader, Tile, WardHeader
from silverwatch.domain.alerts.states import State

Group = Literal["untaken", "technical", "quiet", "acknowledged", "resolved"]
GROUPS: Final[tuple[Group, ...]] = ("untaken", "technical", "quiet", "acknowledged", "resolved")
"""The list from top to bottom: what nobody has taken first, what is done last."""

Family = Literal["values", "news2", "rules", "calls", "technical"]
FAMILIES: Final[tuple[Family, ...]] = ("values", "news2", "rules", "calls", "technical")
"""Roughly what an alarm is about, for a reader who wants to see some of them."""
CALLS: Final = ("fall", "help")

OFTEN: Final = 5
"""So many alarms of one kind in `OFTEN_H` hours ask for a look at the limit (ours, not from a source)."""
OFTEN_H: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxRow:
    """One alarm of the list. `recent`: how many of its kind the patient had in `OFTEN_H` hours, this one included.

    `patient` is None for an alarm about the system. `closed_by` said that nothing is left to do, for `resolution`.
    """

    line: AlarmLine
    state: State
    group: Group
    ward_id: UUID | None
    patient: PatientHeader | None
    recent: int = 1
    escalate_at: datetime | None = None
    realarm_at: datetime | None = None
    muted_by: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    resolution: str | None = None

    @property
    def since(self) -> datetime:
        """Since when the condition lasts."""
        return self.line.since or self.line.raised_at

    @property
    def family(self) -> Family:
        """What it is about."""
        if self.line.technical or self.patient is None:
            return "technical"
        if self.line.kind in CALLS:
            return "calls"
        if self.line.kind == "news2":
            return "news2"
        return "rules" if self.line.rule else "values"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmList:
    """The alarms of a ward, in the order of `GROUPS`; groups without alarms are left out.

    Those of a person's own beds are a list too: its `region` is another one, and `ward` is that person's.
    """

    ward: WardHeader
    region: str = "alarm-list"
    groups: tuple[tuple[Group, tuple[InboxRow, ...]], ...] = ()

    @property
    def rows(self) -> tuple[InboxRow, ...]:
        """All of them, from top to bottom."""
        return tuple(row for _, rows in self.groups for row in rows)

    @property
    def patient_ids(self) -> list[UUID]:
        """Whom the list names."""
        return sorted({row.patient.id for row in self.rows if row.patient})

    @property
    def open_count(self) -> int:
        """How many are not done."""
        return sum(len(rows) for group, rows in self.groups if group != "resolved")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmTrend:
    """The vital of an alarm over time. `points` are (x, value) with x from 0 (oldest) to 1; None breaks the line."""

    vital: str
    since: datetime
    until: datetime
    points: tuple[tuple[float, float] | None, ...] = ()
    limit: float | None = None
    relation: Literal["below", "above"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened to an alarm.

    `what`: came, acknowledged, escalated, undone, sounded_again, did (`detail`), ended,
    resolved (for the reason `detail`).
    """

    at: datetime
    what: str
    who: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """Everything about one alarm. `tile` has the other vitals; None where the alarm is about no patient.

    `told`: who was told and what comes next, as `notices.queries.told` says it; `notices.panes` sets it.
    """

    row: InboxRow
    ward: WardHeader | None
    tile: Tile | None = None
    trend: AlarmTrend | None = None
    happened: tuple[Happening, ...] = ()
    told: Any = None

    @property
    def asks_for_review(self) -> bool:
        """Did this kind come so often that somebody should look at the limit?"""
        return self.row.recent >= OFTEN and not self.row.line.technical


def group_of(row: Any, state: State) -> Group:
    """Where an alert stands in the list."""
    if row.closed_at is not None:
        return "resolved"
    if state == "acknowledged":
        return "acknowledged"
    if row.muted_by is not None:
        return "quiet"
    if row.technical and row.priority != "high":
        return "technical"
    return "untaken"


def order(row: InboxRow) -> tuple[int, int, float]:
    """By priority, then the oldest first; what is done: the last one first."""
    if row.closed_at is not None:
        return (0, 0, -row.closed_at.timestamp())
    return (PRIORITIES.index(row.line.priority), int(row.line.technical), row.line.raised_at.timestamp())


def grouped(rows: list[InboxRow]) -> tuple[tuple[Group, tuple[InboxRow, ...]], ...]:
    """The rows of a ward in their groups and order."""
    found = ((group, sorted((r for r in rows if r.group == group), key=order)) for group in GROUPS)
    return tuple((group, tuple(items)) for group, items in found if items)
