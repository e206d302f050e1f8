"""What the pages of a patient show around the live regions, as plain values."""

from dataclasses import dataclass, field
from uuid import UUID

from silverwatch.domain.alerts.course import Course, Gap
from silverwatch.domain.alerts.reach import Place
from silverwatch.web.trend_chart import Drawing
from silverwatch.web.trend_table import TableRow


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientFrame:
    """What stands around every page of a patient: who it is, and what the reader may do."""

    place: Place
    notes_written: int
    is_own_ward: bool
    may_write: bool
    in_emergency: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendsAsked:
    """How the trends are to be shown. `banded`: with the bands of NEWS2; otherwise with the limits alone."""

    hours: int
    banded: bool = True
    as_table: bool = False

    @property
    def query(self) -> str:
        """As the query of an address."""
        parts = [f"h={self.hours}"]
        if not self.banded:
            parts.append("bands=limits")
        if self.as_table:
            parts.append("view=table")
        return "&".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendsView:
    """The trends of a patient, drawn or as `rows`; `choices` are the other spans, asked for in the same way."""

    patient_id: UUID
    asked: TrendsAsked
    course: Course
    drawing: Drawing | None
    rows: tuple[TableRow, ...]
    choices: tuple[TrendsAsked, ...]

    @property
    def silences(self) -> list[Gap]:
        """The gaps of all lines, oldest first, each once."""
        return sorted({gap for line in self.course.lines for gap in line.gaps}, key=lambda gap: gap.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteForm:
    """A note, or the reason to strike one out, as it was sent. `id` makes a resend the same note."""

    id: UUID
    text: str = ""
    seen: int = 1
    errors: dict[str, str] = field(default_factory=dict)
