"""When a dose that was not recorded is late, and when it counts as not recorded. The caller commits."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch.domain.errors import DomainError
from silverwatch.domain.settings.models import SiteSetting

GROUP: Final = "doses"
MINUTES: Final = range(5, 24 * 60 + 1)
"""Lists look back for 24 hours: what counts later than that would be in none of them."""
BOTH: Final = f"Enter whole minutes of {MINUTES[0]} to {MINUTES[-1]}, the second after the first."


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseTimes:
    """So many minutes after it was due a dose is shown as late, and counts as not recorded."""

    late_min: int = 60
    unrecorded_min: int = 240

    @property
    def late(self) -> timedelta:
        """How long after it was due."""
        return timedelta(minutes=self.late_min)

    @property
    def unrecorded(self) -> timedelta:
        """How long after it was due; it still can be recorded."""
        return timedelta(minutes=self.unrecorded_min)


USUAL: Final = DoseTimes()


def times(session: Session) -> DoseTimes:
    """What holds for the site."""
    row = session.get(SiteSetting, GROUP)
    return DoseTimes(**row.value) if row else USUAL


def set_times(session: Session, wanted: DoseTimes, *, by: UUID | None, now: datetime) -> None:
    """Change them; raises DomainError for what is no pair of such times."""
    pair = (wanted.late_min, wanted.unrecorded_min)
    if not all(number in MINUTES for number in pair) or pair[0] >= pair[1]:
        raise DomainError(BOTH)
    values = {"value": asdict(wanted), "changed_at": now, "changed_by": by}
    row = insert(SiteSetting).values(name=GROUP, **values)
    session.execute(row.on_conflict_do_update(index_elements=["name"], set_=values))
