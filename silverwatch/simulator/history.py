"""What does not come by device: a nurse's sets, and the past that is there when the demo begins."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from silverwatch.simulator.devices import BedStream
from silverwatch.simulator.noise import uniform
from silverwatch.simulator.patients import CONTINUOUS
from silverwatch.simulator.ward import BedCast

LOCAL_UTC_OFFSET_H: Final = 3.0
"""The demo wards live by Nairobi time; it only sets when the patients' night is."""
NURSE_COMES_S: Final = 120.0
SPARSE_MIN: Final = 5
"""A chart of a day shows no more, and the demo has to store it while somebody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualSet:
    """What a nurse writes down at `at`: consciousness, supplemental_oxygen, systolic_bp, diastolic_bp,
    temperature."""

    at: datetime
    values: dict[str, float | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastReading:
    """One reading of the time before the demo: vitals by name as the device measured them at `at`."""

    at: datetime
    values: dict[str, float]


def stream(bed: BedCast, *, seed: int | str, start: datetime) -> BedStream:
    """The bed's stream; `start` is time 0 of its course."""
    utc_hour = start.hour + start.minute / 60
    return BedStream(bed, seed=seed, start_hour=utc_hour + LOCAL_UTC_OFFSET_H)


def observations(
    bed: BedCast, since: datetime, until: datetime, *, seed: int | str, start: datetime
) -> list[ManualSet]:
    """The nurse's sets after `since`, up to and with `until`, in order; none for a patient without rounds.

    Besides the rounds (every `observations_h`, the last one 5 to 50 min before `start`) somebody comes 2 min
    after an episode has reached its height, when there is something to be seen.
    """
    if bed.patient is None or bed.device is None or bed.patient.observations_h is None:
        return []
    model = stream(bed, seed=seed, start=start)
    since_s, until_s = (since - start).total_seconds(), (until - start).total_seconds()
    every_s = bed.patient.observations_h * 3600
    last_s = -300 - 2700 * uniform(model.key, "rounds")
    low, high = (math.floor((edge - last_s) / every_s) for edge in (since_s, until_s))
    times = [last_s + n * every_s for n in range(low + 1, high + 1)]
    for occurrence in model.course.occurrences(since_s - 7200, until_s, key=model.key):
        seen = occurrence.hold_begin_s + NURSE_COMES_S
        if occurrence.episode.observed and since_s < seen <= until_s:
            times.append(seen)
    return [_manual_set(model, t_s, start) for t_s in sorted(times)]


def history(
    bed: BedCast, *, until: datetime, seed: int | str, hours: float = 24, minutes: float = 60
) -> list[PastReading]:
    """The past up to `until`, the start of the demo, in order of time and the same patient as the live
    stream.

    HR, RR and SpO2 once a minute over the last `minutes` and each `SPARSE_MIN` before; cuff and temperature
    every 1-2 h; all over the last `hours`. The last ones are of just now: no device seems silent until the live
    stream comes.
    """
    if bed.patient is None or bed.device is None:
        return []
    model, found = stream(bed, seed=seed, start=until), []
    for t_s in _spot_times(model.key, -hours * 3600):
        values = model.pressures(t_s) | {"temperature": model.value("temperature", t_s)}
        found.append((t_s, values))
    sparse = range(int(hours * 60), int(minutes), -SPARSE_MIN)
    times = [*(-60.0 * minute + 0.5 for minute in (*sparse, *range(int(minutes), 0, -1))), -0.5]
    found += [(t_s, {vital: model.value(vital, t_s) for vital in CONTINUOUS}) for t_s in times]
    return [
        PastReading(at=until + timedelta(seconds=t), values=v) for t, v in sorted(found, key=lambda f: f[0])
    ]


def _spot_times(key: str, earliest_s: float) -> Iterator[float]:
    t_s = -600 - 1800 * uniform(key, "spot")
    while t_s >= earliest_s:
        yield round(t_s, 3)
        t_s -= 3600 * (1 + uniform(key, "spot", round(t_s)))


def _manual_set(model: BedStream, t_s: float, start: datetime) -> ManualSet:
    pressures = model.pressures(t_s)
    values: dict[str, float | str] = {
        "consciousness": "A",
        "supplemental_oxygen": model.patient.oxygen_l_min,
        "systolic_bp": pressures["systolic_bp"],
        "diastolic_bp": pressures["diastolic_bp"],
        "temperature": model.value("temperature", t_s),
    }
    for occurrence in model.course.occurrences(t_s, t_s, key=model.key):
        values |= occurrence.episode.observed
    return ManualSet(at=start + timedelta(seconds=t_s), values=values)
