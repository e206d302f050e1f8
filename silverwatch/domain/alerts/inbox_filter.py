"""Which alarms of the inbox somebody wants to see: a choice of the screen, never of what sounds. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from silverwatch.domain.alerts.board import PRIORITIES, Priority
from silverwatch.domain.alerts.inbox import FAMILIES, AlarmList, Family, InboxRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is shown; what is None is not asked for."""

    priority: Priority | None = None
    family: Family | None = None
    bed_id: UUID | None = None

    def __bool__(self) -> bool:
        """Is anything left out?"""
        return any((self.priority, self.family, self.bed_id))

    def shows(self, row: InboxRow) -> bool:
        """Is this alarm among what is wanted?"""
        line = row.line
        return (
            self.priority in (None, line.priority)
            and self.family in (None, row.family)
            and self.bed_id in (None, line.bed_id)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """How many open alarms a choice leaves out, and how many of them are high and taken by nobody."""

    rows: int
    urgent: int


def read(priority: str, family: str, bed: str) -> Wanted:
    """What an address asks for; what cannot be asked for is left out, so that nothing is hidden by a slip."""
    try:
        bed_id = UUID(bed)
    except ValueError:
        bed_id = None
    return Wanted(
        priority=next((item for item in PRIORITIES if item == priority), None),
        family=next((item for item in FAMILIES if item == family), None),
        bed_id=bed_id,
    )


def hidden(lists: Iterable[AlarmList], wanted: Wanted) -> Hidden:
    """What the choice leaves out of these lists."""
    rows = {row.line.id: row for item in lists for row in item.rows if row.group != "resolved"}
    left_out = [row for row in rows.values() if not wanted.shows(row)]
    urgent = [row for row in left_out if row.line.priority == "high" and row.group == "untaken"]
    return Hidden(rows=len(left_out), urgent=len(urgent))


def style(wanted: Wanted) -> str:
    """The style sheet that hides what is not wanted: the live list is the same for everybody, pushed or not."""
    if not wanted:
        return "/* All alarms. */\n"
    marks = {"priority": wanted.priority, "family": wanted.family, "bed": wanted.bed_id}
    chosen = "".join(f'[data-{name}="{value}"]' for name, value in marks.items() if value)
    return (
        f".lists .alarm-row:not({chosen}) {{ display: none; }}\n"
        f".lists .group:not(:has(+ ul > {chosen})) {{ display: none; }}\n"
    )
