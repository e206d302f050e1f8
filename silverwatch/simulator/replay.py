"""Recorded patients, row by row: PhysioNet/CinC 2019 stays (.psv, a row an hour) and minute CSV.

What a recording holds is what a device would have sent: an exact 0 of a sensor that is off stays 0, an
impossible value stays impossible. Judging values is the server's work, so that a replay tests it.
"""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from silverwatch.simulator.errors import SimulatorError

Row = tuple[float, dict[str, float]]
"""Seconds since the recording began, and the vitals of that moment (never empty)."""

PSV_COLUMNS: Final[dict[str, str]] = {
    "HR": "heart_rate",
    "O2Sat": "oxygen_saturation",
    "Temp": "temperature",
    "SBP": "systolic_bp",
    "MAP": "mean_bp",
    "DBP": "diastolic_bp",
    "Resp": "respiratory_rate",
}
"""FiO2 is left out: it is a fraction, and no flow in L/min follows from it."""

MINUTE_COLUMNS: Final[dict[str, str]] = {
    "HR": "heart_rate",
    "PULSE": "pulse_rate",
    "RESP": "respiratory_rate",
    "SpO2": "oxygen_saturation",
    "NBPSys": "systolic_bp",
    "NBPDias": "diastolic_bp",
    "NBPMean": "mean_bp",
}
"""The arterial line (ABP) is left out: a ward device measures by cuff."""

REQUIRED: Final = {"psv": ("HR", "O2Sat", "Resp"), "csv": ("minute", "HR", "SpO2")}
HOUR_S: Final = 3600.0
MINUTE_S: Final = 60.0


def read(path: Path) -> Iterator[Row]:
    """The rows of a recording, by its suffix (.psv or .csv), in order of time.

    Rows without a single value are left out. Raises SimulatorError (path, line and cause in one line) for a
    file that is missing, of another kind, without the needed columns, with text for a number, or not in
    order of time.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in REQUIRED:
        raise SimulatorError(f"{path}: not a recording; give a .psv stay or a minute .csv")
    try:
        with path.open(newline="", encoding="utf-8") as file:
            table = csv.DictReader(file, delimiter="|" if kind == "psv" else ",", strict=True)
            _check_columns(path, table.fieldnames or (), REQUIRED[kind])
            yield from _hours(path, table) if kind == "psv" else _minutes(path, table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        cause = error.strerror if isinstance(error, OSError) else error
        raise SimulatorError(f"{path}: {cause}") from error


def _hours(path: Path, table: "csv.DictReader[str]") -> Iterator[Row]:
    for index, cells in enumerate(table):
        if values := _values(path, table.line_num, cells, PSV_COLUMNS):
            yield index * HOUR_S, values


def _minutes(path: Path, table: "csv.DictReader[str]") -> Iterator[Row]:
    previous = -1.0
    for cells in table:
        minute = _number(path, table.line_num, "minute", cells["minute"])
        if minute is None or minute <= previous:
            raise SimulatorError(f"{path}:{table.line_num}: minute does not follow the row before it")
        previous = minute
        if values := _values(path, table.line_num, cells, MINUTE_COLUMNS):
            yield minute * MINUTE_S, values


def _check_columns(path: Path, present: Sequence[str], required: Sequence[str]) -> None:
    if missing := [name for name in required if name not in present]:
        raise SimulatorError(f"{path}: column {', '.join(missing)} is missing")


def _values(path: Path, line: int, cells: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, float]:
    """The vitals of one row; a short row has None for its last cells, which is an error and not a missing
    value."""
    if None in cells.values() or None in cells:
        raise SimulatorError(f"{path}:{line}: the row has not as many cells as the header")
    found = ((vital, _number(path, line, name, cells.get(name, ""))) for name, vital in columns.items())
    return {vital: value for vital, value in found if value is not None}


def _number(path: Path, line: int, name: str, text: str) -> float | None:
    if text.strip() in {"", "NaN", "nan"}:
        return None
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise SimulatorError(f"{path}:{line}: {name} is not a number: {text!r}")
    return value
