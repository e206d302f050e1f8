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
