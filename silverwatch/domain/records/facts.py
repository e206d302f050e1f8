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


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicationsChanged(Fact):
    """A medication of this patient was added, changed or stopped, or one of its doses was recorded."""

    patient_id: UUID

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The patient whom this is about."""
        return (self.patient_id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged(Fact):
    """A goal of this patient's care plan was set, changed or ended, or an assessment was recorded or corrected."""

    patient_id: UUID

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The patient whom this is about."""
        return (self.patient_id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientsMoved(Fact):
    """Patients came, went, or lie in other beds. Also the beds and wards that they left are to be drawn again."""

    patient_ids: tuple[UUID, ...]
    bed_ids: tuple[UUID, ...]
    ward_ids: tuple[UUID, ...]

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The patients, and the beds and wards where they were and are."""
        return (*self.patient_ids, *self.bed_ids, *self.ward_ids)
