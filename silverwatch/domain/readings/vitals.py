"""The vital kinds as one table of facts. Sources: clinical facts 3.2 (plausible ranges) and 3.3 (codes)."""

from dataclasses import dataclass
from typing import Final

from silverwatch.domain.language import marked


@dataclass(frozen=True, slots=True, kw_only=True)
class Vital:
    """One kind of vital.

    `low` and `high` bound what a living adult and a working sensor can give; both bounds are plausible.
    `above_zero` says that 0 itself is not. `zero_is_off`: a device sends exactly 0 when its sensor is off.
    `spot`: measured once in a while, so that one valid value decides; the others come continuously.
    `precision` is the number of decimals that screens show.
    """

    name: str
    label: str
    unit: str
    low: float
    high: float
    above_zero: bool = False
    zero_is_off: bool = False
    spot: bool = False
    precision: int = 0
    loinc: str | None = None
    ucum: str | None = None


ALL: Final[tuple[Vital, ...]] = (
    Vital(
        name="heart_rate", label="HR", unit="/min", low=0, high=350, above_zero=True, zero_is_off=True,
        loinc="8867-4", ucum="/min",
    ),
    Vital(
        name="respiratory_rate", label="RR", unit="/min", low=0, high=100, zero_is_off=True,
        loinc="9279-1", ucum="/min",
    ),
    Vital(
        name="oxygen_saturation", label="SpO₂", unit="%", low=0, high=100, above_zero=True, zero_is_off=True,
        loinc="2708-6", ucum="%",
    ),
    Vital(
        name="systolic_bp", label="Systolic", unit="mmHg", low=0, high=375, above_zero=True, spot=True,
        loinc="8480-6", ucum="mm[Hg]",
    ),
    Vital(
        name="diastolic_bp", label="Diastolic", unit="mmHg", low=0, high=375, above_zero=True, spot=True,
        loinc="8462-4", ucum="mm[Hg]",
    ),
    Vital(
        name="mean_bp", label="Mean BP", unit="mmHg", low=14, high=330, spot=True,
        loinc="8478-0", ucum="mm[Hg]",
    ),
    Vital(
        name="temperature", label="Temp", unit="°C", low=26, high=45, spot=True, precision=1,
        loinc="8310-5", ucum="Cel",
    ),
    Vital(
        name="pulse_rate", label="Pulse", unit="/min", low=0, high=350, above_zero=True, zero_is_off=True,
        loinc="8867-4", ucum="/min",
    ),
    Vital(
        name="supplemental_oxygen", label="O₂", unit="L/min", low=0, high=100, spot=True, precision=1,
        loinc="3151-8", ucum="L/min",
    ),
    Vital(name="glucose", label="Glucose", unit="mmol/L", low=0, high=100, above_zero=True, spot=True, precision=1),
    Vital(
        name="weight", label="Weight", unit="kg", low=0, high=650, above_zero=True, spot=True, precision=1,
        loinc="29463-7", ucum="kg",
    ),
    Vital(name="pain", label="Pain", unit="0-10", low=0, high=10, spot=True),
    Vital(name="steps", label="Steps", unit=marked("steps"), low=0, high=1_000_000, spot=True),
)  # fmt: skip
"""The vitals that are numbers, in the order of the columns of a reading."""

BY_NAME: Final[dict[str, Vital]] = {vital.name: vital for vital in ALL}
NUMERIC: Final[tuple[str, ...]] = tuple(BY_NAME)

CONSCIOUSNESS: Final = "consciousness"
ACVPU: Final[tuple[str, ...]] = ("A", "C", "V", "P", "U")
"""Alert, new Confusion, Voice, Pain, Unresponsive."""

NAMES: Final[tuple[str, ...]] = (*NUMERIC, CONSCIOUSNESS)
"""Every vital of a reading: the numbers, then consciousness."""

BIT: Final[dict[str, int]] = {name: 1 << index for index, name in enumerate(NUMERIC)}
"""The vital's bit in `reading.sensor_off`, the set of vitals whose sensor gave no valid value."""


def names_in(mask: int) -> tuple[str, ...]:
    """The vitals whose bits are set in a `sensor_off` mask."""
    return tuple(name for name, bit in BIT.items() if mask & bit)


def is_plausible(vital: Vital, value: float) -> bool:
    """Can this value come from a patient? A value that cannot never becomes one of a reading."""
    return vital.low <= value <= vital.high and not (vital.above_zero and value == 0)


def silent_after_s(interval_s: float) -> float:
    """Seconds after which a source that sends every `interval_s` is silent and its values are stale."""
    return max(3 * interval_s, 30.0)
