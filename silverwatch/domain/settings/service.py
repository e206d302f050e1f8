"""The site's settings as values. What is not set has the safe default. The caller commits."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch.domain.errors import DomainError
from silverwatch.domain.settings.models import SiteSetting

SECURITY: Final = "security"
IDLE_MINUTES: Final = range(1, 61)


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """`require_second_factor`: staff owe one; `idle_minutes`: after so long without a hand a session locks."""

    require_second_factor: bool = True
    idle_minutes: int = 15

    @property
    def idle(self) -> timedelta:
        """How long a session of staff stays open with nobody there."""
        return timedelta(minutes=self.idle_minutes)


def security(session: Session) -> Security:
    """The security group."""
    row = session.get(SiteSetting, SECURITY)
    return Security(**row.value) if row else Security()


def set_security(session: Session, wanted: Security, *, by: UUID | None, now: datetime) -> None:
    """Change the security group; raises DomainError for an idle time outside 1 to 60 minutes."""
    if wanted.idle_minutes not in IDLE_MINUTES:
        raise DomainError("Choose an idle time of 1 to 60 minutes.")
    values = {"value": asdict(wanted), "changed_at": now, "changed_by": by}
    row = insert(SiteSetting).values(name=SECURITY, **values)
    session.execute(row.on_conflict_do_update(index_elements=["name"], set_=values))
