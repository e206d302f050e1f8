"""What happens to devices, in past tense."""

from dataclasses import dataclass
from uuid import UUID

from silverwatch.domain.events import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingChanged(Fact):
    """A device came with a code: it has its key now, or something was wrong."""

    pairing_id: UUID

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The pairing that this is about."""
        return (self.pairing_id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingsChanged(Fact):
    """These patients wear other devices, or wore them at other times."""

    patient_ids: tuple[UUID, ...]

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The patients whom this is about."""
        return self.patient_ids
