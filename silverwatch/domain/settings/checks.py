"""How many days lie between two checks of a device. What is not set has the usual number. The caller commits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch.domain.errors import DomainError
from silverwatch.domain.settings.models import SiteSetting

GROUP: Final = "checks"
USUAL: Final[Mapping[str, int]] = {"calibration": 90, "battery": 180, "firmware": 365, "hardware": 120}
KINDS: Final = tuple(USUAL)
DAYS: Final = range(1, 3651)


def days(session: Session) -> dict[str, int]:
    """Kind of check to days until the next."""
    row = session.get(SiteSetting, GROUP)
    return {**USUAL, **(row.value if row else {})}


def set_days(session: Session, wanted: Mapping[str, int], *, by: UUID | None, now: datetime) -> None:
    """Change them; what is scheduled already keeps its date. Raises DomainError outside 1 to 3650 days."""
    if wanted.keys() != USUAL.keys() or not all(number in DAYS for number in wanted.values()):
        raise DomainError("Enter a whole number of 1 to 3650 days.")
    values = {"value": dict(wanted), "changed_at": now, "changed_by": by}
    row = insert(SiteSetting).values(name=GROUP, **values)
    session.execute(row.on_conflict_do_update(index_elements=["name"], set_=values))
