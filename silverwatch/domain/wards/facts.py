"""What happens in wards, in past tense."""

from dataclasses import dataclass
from uuid import UUID

from silverwatch.domain.events import Fact, durable


@durable
@dataclass(frozen=True, slots=True, kw_only=True)
class DutyChanged(Fact):
    """Somebody accepted or ended duty in a ward, or the plan of its shifts has changed."""

    ward_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationChanged(Fact):
    """Somebody took beds or gave them back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesChanged(Fact):
    """A ward, or rooms and beds of it, were added, renamed, closed or opened."""

    ward_id: UUID

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The ward whose board is to be drawn again."""
        return (self.ward_id,)
