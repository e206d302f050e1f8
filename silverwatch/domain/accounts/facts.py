"""What happens to accounts, in past tense."""

from dataclasses import dataclass
from uuid import UUID

from silverwatch.domain.events import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantsChanged(Fact):
    """An account may do something more or less than before, or a session of it has ended."""

    account_id: UUID

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The account whom this is about."""
        return (self.account_id,)
