"""Questions about readings."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.access import Actor
from silverwatch.domain.readings.models import VitalState
from silverwatch.domain.readings.vitals import NUMERIC

SHOWN = (
    "heart_rate",
    "oxygen_saturation",
    "systolic_bp",
    "respiratory_rate",
    "temperature",
    "weight",
    "glucose",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestReading:
    """The newest value of one vital; `second` is the diastolic pressure beside a systolic one."""

    vital: str
    value: float
    at: datetime
    second: float | None = None


def latest_of(session: Session, patient_id: UUID) -> dict[str, LatestReading]:
    """Vital to the newest value of a patient, each by itself; the caller has asked whose patient it is."""
    state = session.get(VitalState, patient_id)
    return {
        name: LatestReading(vital=name, value=value, at=clock.from_epoch_ms(at_ms))
        for name, (value, at_ms, _) in (state.latest if state else {}).items()
        if name in NUMERIC
    }


def own_latest(session: Session, actor: Actor) -> list[LatestReading]:
    """A patient's own newest values; nobody else has any."""
    state = session.get(VitalState, actor.patient_id) if actor.patient_id else None
    if state is None:
        return []
    found = []
    for name in SHOWN:
        if name in state.latest:
            value, at_ms, _ = state.latest[name]
            is_bp = name == "systolic_bp"
            second = state.latest.get("diastolic_bp") if is_bp else None
            found.append(
                LatestReading(
                    vital="blood_pressure" if is_bp else name,
                    value=value,
                    at=clock.from_epoch_ms(at_ms),
                    second=second[0] if second else None,
                )
            )
    return found
