"""Recorded patients against simulated ones, as markdown tables: the source of `silverwatch/simulator/recorded.py`.

    SILVERWATCH_DATA=../shared/data python benchmarks/simulator_statistics.py

Hour scale: every stay of PhysioNet/CinC 2019 set B in the folder against as many patients drawn from the model.
Minute scale: one MIMIC-II numerics record against calm patients of the model. Courses take no part.
"""

import math
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from silverwatch.simulator import replay
from silverwatch.simulator.devices import rounded
from silverwatch.simulator.patients import CONTINUOUS, Baseline, PatientModel, sample_baseline

Series = list[float | None]
Table = dict[str, list[Series]]
"""By vital, one series a patient, a value a step; None = missing or sensor off."""

VITALS = (*CONTINUOUS, "systolic_bp", "diastolic_bp", "temperature")
PAIRS = (
    ("heart_rate", "respiratory_rate"),
    ("heart_rate", "oxygen_saturation"),
    ("respiratory_rate", "oxygen_saturation"),
    ("heart_rate", "temperature"),
    ("systolic_bp", "diastolic_bp"),
)
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
HOURS, MINUTES, CALM_PATIENTS, CALM = 48, 1936, 6, 0.35


def main() -> None:
    folder = (
        Path(os.environ.get("SILVERWATCH_DATA", Path(__file__).parents[2] / "shared" / "data")) / "replay"
    )
    stays = sorted((folder / "physionet2019_setB").glob("*.psv"))
    records = sorted((folder / "mimic2_minute").glob("*.csv"))
    if not stays or not records:
        sys.exit(f"no recordings in {folder}; set SILVERWATCH_DATA")
    recorded, simulated = recorded_hours(stays), simulated_hours(len(stays))
    print_quantiles(recorded, simulated)
    print_hours(recorded, simulated)
    print_pairs("Inside a patient, hour by hour", centred(recorded), centred(simulated), pairs=PAIRS)
    recorded, simulated = recorded_minutes(records[0]), simulated_minutes()
    print_minutes(recorded, simulated)
    print_pairs(
        "Inside minutes (mean of 31 min taken off)", local(recorded), local(simulated), pairs=PAIRS[:3]
    )
    print_off(recorded_zeros(records[0]), simulated_zeros())


def recorded_hours(paths: Sequence[Path]) -> Table:
    return table([filled(path, 3600) for path in paths])


def recorded_minutes(path: Path) -> Table:
    zeros_out = {v: [value or None for value in series] for v, series in filled(path, 60).items()}
    return table([zeros_out])


def filled(path: Path, step_s: float) -> dict[str, Series]:
    """Every step of a recording, None where there is no value."""
    rows = {round(offset_s / step_s): values for offset_s, values in replay.read(path)}
    return {v: [rows.get(step, {}).get(v) for step in range(max(rows) + 1)] for v in VITALS}


def table(patients: Sequence[dict[str, Series]]) -> Table:
    return {v: [patient[v] for patient in patients] for v in VITALS}


def simulated_hours(count: int) -> Table:
    models = [PatientModel(sample_baseline("hours", n), "hours", n) for n in range(count)]
    return {v: [[rounded(v, m.value(v, 3600.0 * h)) for h in range(HOURS)] for m in models] for v in VITALS}


def calm_models() -> list[PatientModel]:
    rest = Baseline(
        heart_rate=56, respiratory_rate=12, oxygen_saturation=97, systolic_bp=132, diastolic_bp=70,
        temperature=36.8, lability=CALM, off=1.0,
    )  # fmt: skip
    return [PatientModel(rest, "minutes", number) for number in range(CALM_PATIENTS)]


def simulated_minutes() -> Table:
    # Not rounded: the record gives a minute's value to 0.1.
    steps = range(MINUTES)
    return {v: [[m.value(v, 60.0 * step) for step in steps] for m in calm_models()] for v in CONTINUOUS}


def recorded_zeros(path: Path) -> dict[str, list[list[bool]]]:
    return {v: [[value == 0 for value in filled(path, 60)[v]]] for v in CONTINUOUS}


def simulated_zeros() -> dict[str, list[list[bool]]]:
    models = [PatientModel(sample_baseline("off", n), "off", n) for n in range(40)]
    return {v: [[m.sensor_off(v, 60.0 * s) for s in range(MINUTES)] for m in models] for v in CONTINUOUS}


def present(series: Series) -> list[float]:
    return [value for value in series if value is not None]


def centred(data: Table) -> Table:
    """Each patient's own mean taken off."""

    def off(series: Series) -> Series:
        mean = statistics.fmean(present(series) or [0])
        return [None if value is None else value - mean for value in series]

    return {v: [off(series) for series in patients] for v, patients in data.items()}


def local(data: Table, half: int = 15) -> Table:
    """The mean of the minutes around taken off: what is left comes and goes in minutes."""

    def off(series: Series) -> Series:
        found: Series = []
        for index, value in enumerate(series):
            around = present(series[max(0, index - half) : index + half + 1])
            found.append(None if value is None or len(around) < half else value - statistics.fmean(around))
        return found

    return {v: [off(series) for series in patients] for v, patients in data.items()}


def likeness(a: Sequence[Series], b: Sequence[Series], lag: int = 0) -> float:
    """Correlation of centred series over all patients, b later by `lag` steps; nan without a pair."""
    pairs = [
        (x, y)
        for one, other in zip(a, b, strict=True)
        for x, y in zip(one, other[lag:], strict=False)
        if x is not None and y is not None
    ]
    size = math.sqrt(sum(x * x for x, _ in pairs) * sum(y * y for _, y in pairs))
    return sum(x * y for x, y in pairs) / size if size else math.nan


def quantiles(values: Sequence[float], at: Sequence[float] = QUANTILES) -> list[float]:
    ordered = sorted(values)
    return [ordered[int(q * (len(ordered) - 1))] for q in at]


def pooled_sd(patients: Sequence[Series]) -> float:
    return math.sqrt(statistics.fmean([x * x for series in patients for x in present(series)]))


def row(*cells: object) -> None:
    print("| " + " | ".join(f"{c:.2f}" if isinstance(c, float) else str(c) for c in cells) + " |")


def head(title: str, *names: str) -> None:
    print(f"\n**{title}**\n")
    row(*names)
    row(*("---" for _ in names))


def print_quantiles(recorded: Table, simulated: Table) -> None:
    head("All hourly values: quantiles", "vital", "", *(f"{q:.0%}" for q in QUANTILES))
    for v in VITALS:
        for name, data in (("recorded", recorded), ("simulated", simulated)):
            values = [x for series in data[v] for x in present(series)]
            row(v, name, *(f"{q:.1f}" for q in quantiles(values)))


def print_hours(recorded: Table, simulated: Table) -> None:
    lags = (1, 2, 3, 6)
    names = ("between-patient SD", "within SD, median", "10-90 %", "pooled", *(f"r({lag} h)" for lag in lags))
    head("Spread and autocorrelation at the hour scale", "vital", "", *names)
    for v in VITALS:
        for name, data in (("recorded", recorded), ("simulated", simulated)):
            long = [present(series) for series in data[v] if len(present(series)) >= 12]
            spreads = quantiles([statistics.stdev(values) for values in long], (0.1, 0.5, 0.9))
            between = statistics.stdev([statistics.fmean(values) for values in long])
            middle = centred(data)[v]
            row(
                v, name, between, spreads[1], f"{spreads[0]:.1f}-{spreads[2]:.1f}", pooled_sd(middle),
                *(likeness(middle, middle, lag) for lag in lags),
            )  # fmt: skip


def print_minutes(recorded: Table, simulated: Table) -> None:
    lags = (1, 2, 5)
    title = "Minute scale: one calm recorded patient"
    head(
        title, "vital", "", "SD", "SD inside minutes", *(f"r({lag} min)" for lag in lags), "r(60 min) of all"
    )
    for v in CONTINUOUS:
        for name, data in (("recorded", recorded), ("simulated", simulated)):
            quick, whole = local({v: data[v]})[v], centred({v: data[v]})[v]
            quick_lags = (likeness(quick, quick, lag) for lag in lags)
            row(v, name, pooled_sd(whole), pooled_sd(quick), *quick_lags, likeness(whole, whole, 60))


def print_pairs(title: str, recorded: Table, simulated: Table, *, pairs: Sequence[tuple[str, str]]) -> None:
    head(title, "pair", "recorded r", "simulated r")
    for a, b in pairs:
        row(f"{a}, {b}", likeness(recorded[a], recorded[b]), likeness(simulated[a], simulated[b]))


def print_off(recorded: dict[str, list[list[bool]]], simulated: dict[str, list[list[bool]]]) -> None:
    head("Sensor off (exactly 0)", "vital", "", "share of minutes", "times a day", "median length, min")
    for v in CONTINUOUS:
        for name, data in (("recorded", recorded), ("simulated", simulated)):
            runs = [n for series in data[v] for n in run_lengths(series)]
            minutes = sum(len(series) for series in data[v])
            row(v, name, sum(runs) / minutes, len(runs) / minutes * 1440, float(statistics.median(runs)))


def run_lengths(series: Sequence[bool]) -> list[int]:
    found, length = [], 0
    for off in (*series, False):
        if off:
            length += 1
        elif length:
            found.append(length)
            length = 0
    return found


if __name__ == "__main__":
    main()
