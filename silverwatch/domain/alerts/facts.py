"""What happens to alerts, in past tense. Ids only: who wants more reads the row."""

from dataclasses import dataclass
from uuid import UUID

from silverwatch.domain.events import Fact, durable


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientsJudged(Fact):
    """The present vitals of these patients were judged; their numbers have changed."""

    patient_ids: tuple[UUID, ...]

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The patients whom this is about."""
        return self.patient_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsChanged(Fact):
    """Other limits apply to these patients: their newest values wait to be judged under them."""

    patient_ids: tuple[UUID, ...]

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The patients whom this is about."""
        return self.patient_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFact(Fact):
    """Something happened to an alert of a patient."""

    alert_id: UUID
    patient_id: UUID | None

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The patient whom this is about, if it is about one."""
        return (self.patient_id,) if self.patient_id else ()


@durable
@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised(AlertFact):
    """An alert is open that a person must take."""


@durable
@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChanged(AlertFact):
    """An open alert's priority rose or fell, or its condition ended without anybody having taken it."""


@durable
@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAcknowledged(AlertFact):
    """A person took responsibility."""


@durable
@dataclass(frozen=True, slots=True, kw_only=True)
class AlertClosed(AlertFact):
    """Nothing is left to do about the alert."""


@durable
@dataclass(frozen=True, slots=True, kw_only=True)
class PauseChanged(Fact):
    """A pause of a patient or of a ward's sound began, ended, or has another end."""

    subject_id: UUID

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The patient or the ward."""
        return (self.subject_id,)
