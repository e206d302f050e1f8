"""Units of a person's choice. What is stored is always °C, kg, mmHg and mmol/L. Pure.

What was entered reads the same again: a stored value keeps enough decimals for one step of every unit.
"""

from dataclasses import dataclass
from typing import Final, Literal

from silverwatch.domain.readings.vitals import BY_NAME

Quantity = Literal["temperature", "weight", "pressure", "glucose"]

CHOICES: Final[dict[Quantity, tuple[str, ...]]] = {
    "temperature": ("C", "F"),
    "weight": ("kg", "lb"),
    "pressure": ("mmHg", "kPa"),
    "glucose": ("mmol/L", "mg/dL"),
}
"""What can be chosen; the first one is what is stored."""

QUANTITY: Final[dict[str, Quantity]] = {
    "temperature": "temperature",
    "weight": "weight",
    "systolic_bp": "pressure",
    "diastolic_bp": "pressure",
    "mean_bp": "pressure",
    "glucose": "glucose",
}

WORDS: Final = {"C": "°C", "F": "°F"}

_KG_PER_LB: Final = 0.45359237
_MMHG_PER_KPA: Final = 7.500617
_MG_DL_PER_MMOL_L: Final = 18.0156
"""The molar mass of glucose, 180.156 g/mol, over ten."""

_TO_STORED: Final[dict[str, tuple[float, float, int]]] = {
    # unit: (taken off first, factor, decimals that are stored)
    "F": (32.0, 1 / 1.8, 2),
    "lb": (0.0, _KG_PER_LB, 2),
    "kPa": (0.0, _MMHG_PER_KPA, 1),
    "mg/dL": (0.0, 1 / _MG_DL_PER_MMOL_L, 2),
}
_DECIMALS: Final = {"F": 1, "lb": 1, "kPa": 1, "mg/dL": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """In which units a person reads and enters."""

    temperature: str = "C"
    weight: str = "kg"
    pressure: str = "mmHg"
    glucose: str = "mmol/L"

    def of(self, vital: str) -> str:
        """The unit of this vital as it is written."""
        quantity = QUANTITY.get(vital)
        unit = getattr(self, quantity) if quantity else BY_NAME[vital].unit
        return WORDS.get(unit, unit)

    @property
    def code(self) -> str:
        """All four as one word, for a form that must say in which units it was filled in."""
        return "|".join((self.temperature, self.weight, self.pressure, self.glucose))


STORED: Final = Units()


def from_code(code: str) -> Units:
    """The units of a form; those that are stored for anything else."""
    parts = code.split("|")
    if len(parts) == len(CHOICES) and all(
        part in choices for part, choices in zip(parts, CHOICES.values(), strict=True)
    ):
        return Units(temperature=parts[0], weight=parts[1], pressure=parts[2], glucose=parts[3])
    return STORED


def to_stored(vital: str, value: float, units: Units) -> float:
    """A value that was entered, as it is stored."""
    quantity = QUANTITY.get(vital)
    rule = _TO_STORED.get(getattr(units, quantity)) if quantity else None
    if rule is None:
        return value
    offset, factor, decimals = rule
    return round((value - offset) * factor, decimals)


def shown(vital: str, value: float, units: Units) -> str:
    """A stored value as it is shown, with the decimals of its unit."""
    quantity = QUANTITY.get(vital)
    unit = getattr(units, quantity) if quantity else ""
    rule = _TO_STORED.get(unit)
    if rule is None:
        return f"{value:.{BY_NAME[vital].precision}f}"
    offset, factor, _ = rule
    return f"{value / factor + offset:.{_DECIMALS[unit]}f}"
