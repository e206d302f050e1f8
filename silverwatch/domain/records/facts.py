"""What happens to the record of a patient, in past tense."""

from dataclasses import dataclass
from uuid import UUID

from silverwatch.domain.events import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteChanged(Fact):
    """A note about a patient was written, changed or struck out."""

    patient_id: UUID

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The patient whom this is about."""
        return (self.patient_id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksChanged(Fact):
    """A task of this patient was added, done, opened again or cancelled."""

    patient_id: UUID

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The patient whom this is about."""
        return (self.patient_id,)
