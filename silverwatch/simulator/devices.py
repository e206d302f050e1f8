"""What the device at a bed sends: rounded vitals at its interval, cuff and thermometer now and then, its own
state."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from silverwatch.simulator import recorded
from silverwatch.simulator.courses import Occurrence
from silverwatch.simulator.noise import OrnsteinUhlenbeck, gaussian, uniform
from silverwatch.simulator.patients import CONTINUOUS, PatientModel
from silverwatch.simulator.scripts import COURSES
from silverwatch.simulator.ward import BedCast, DeviceCast, PatientCast

CUFF_S: Final = 900.0
FIRST_SPOT_S: Final = (6.0, 24.0)
"""The first cuff and thermometer values come this soon, so that no tile is empty for long."""
NOISE_LEFT: Final = 0.3
"""Share of a patient's own noise that stays when a course has taken a vital to its target."""
MAX_SKEW_S: Final = 1.5
"""A device's clock is up to this much behind, never ahead: its times must not lie in the future."""
MOTION_SLOT_S: Final = 24.0
LOW_BATTERY: Final = 20
CHARGE_AT: Final = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReading:
    """One message of a device: seconds from the start, vitals by name, battery in %, signal in dBm, event
    kinds."""

    offset_s: float
    values: dict[str, float]
    battery: int
    signal_dbm: int
    events: tuple[str, ...] = ()


class BedStream:
    """The patient in a bed and the device on it. The same bed and seed give the same values at the same
    times.

    All times are seconds from the start, negative before it. Raises ValueError for a bed without patient or
    device.
    """

    def __init__(self, bed: BedCast, *, seed: int | str, start_hour: float = 12.0) -> None:
        if bed.patient is None or bed.device is None:
            raise ValueError(f"bed {bed.label} has no patient or no device")
        self.patient: PatientCast = bed.patient
        self.device: DeviceCast = bed.device
        self.course = COURSES[bed.device.course]
        self.key = f"{seed}/{bed.device.serial}"
        self._model = PatientModel(bed.patient.baseline, self.key, start_hour=start_hour)
        self._signal = OrnsteinUhlenbeck(self.key, "signal", tau_s=400)
        self._phase_s = uniform(self.key, "phase") * bed.device.interval_s
        self.skew_s = MAX_SKEW_S * uniform(self.key, "skew")
        self._happening: tuple[float, list[Occurrence]] = (-math.inf, [])

    def value(self, vital: str, t_s: float) -> float:
        """The vital of the patient at t_s with the course's part, as a device rounds it."""
        value, rest = self._model.value(vital, t_s), self.patient.baseline.value(vital)
        for occurrence in self._now(t_s):
            if vital in occurrence.episode.targets:
                level = occurrence.level(t_s)
                aim = occurrence.episode.targets[vital] + NOISE_LEFT * (value - rest)
                value += level * (aim - value)
                rest += level * (occurrence.episode.targets[vital] - rest)
        if vital == "oxygen_saturation":
            value = min(value, 100)
        return rounded(vital, value)

    def readings(self, since_s: float, until_s: float) -> Iterator[DeviceReading]:
        """What the device sends after since_s, up to and with until_s."""
        interval = self.device.interval_s
        first = math.floor((since_s - self._phase_s) / interval) + 1
        last = math.floor((until_s - self._phase_s) / interval)
        for number in range(first, last + 1):
            t_s = self._phase_s + number * interval
            if not any(o.episode.silent and o.holds(t_s) for o in self._now(t_s)):
                yield self._reading(t_s)

    def spots(self, since_s: float, until_s: float) -> dict[str, list[float]]:
        """When cuff ("bp") and thermometer ("temperature") measure, after since_s up to until_s.

        Besides their rounds, both measure when an episode that moves them reaches its height: somebody
        pressed start.
        """
        due = {"bp": self._rounds("bp", CUFF_S, since_s, until_s)}
        every = CUFF_S * (1 + uniform(self.key, "temperature-every"))
        due["temperature"] = self._rounds("temperature", every, since_s, until_s)
        for occurrence in self.course.occurrences(since_s, until_s, key=self.key):
            if since_s < (at_s := occurrence.hold_begin_s + 5) <= until_s:
                targets = occurrence.episode.targets
                due["bp"] += [at_s] if "systolic_bp" in targets else []
                due["temperature"] += [at_s] if "temperature" in targets else []
        return due

    def pressures(self, t_s: float) -> dict[str, float]:
        """A cuff's three values; systolic is above mean, mean above diastolic."""
        systolic = self.value("systolic_bp", t_s)
        diastolic = min(self.value("diastolic_bp", t_s), systolic - 10)
        mean = rounded("mean_bp", diastolic + recorded.MEAN_BP_FRACTION * (systolic - diastolic))
        return {"systolic_bp": systolic, "diastolic_bp": diastolic, "mean_bp": mean}

    def battery(self, t_s: float) -> int:
        """Charge at t_s in whole %. A device that reaches 12 % is charged at once."""
        used = max(t_s, 0) / 3600 * self.device.drain
        to_first = self.device.battery - CHARGE_AT
        if used < to_first:
            return math.floor(self.device.battery - used)
        return math.floor(100 - (used - to_first) % (100 - CHARGE_AT))

    def _rounds(self, name: str, every_s: float, since_s: float, until_s: float) -> list[float]:
        earliest, latest = FIRST_SPOT_S
        first_s = earliest + (latest - earliest) * uniform(self.key, name)
        low = math.floor((since_s - first_s) / every_s) + 1
        return [first_s + n * every_s for n in range(low, math.floor((until_s - first_s) / every_s) + 1)]

    def _reading(self, t_s: float) -> DeviceReading:
        before_s = t_s - self.device.interval_s
        values = {vital: self._sensed(vital, t_s) for vital in CONTINUOUS}
        due = self.spots(before_s, t_s)
        if due["bp"]:
            values |= self.pressures(t_s)
        if due["temperature"]:
            values["temperature"] = self.value("temperature", t_s)
        signal = self.device.signal_dbm + 4 * self._signal.at(t_s)
        return DeviceReading(
            offset_s=t_s, values=values, battery=self.battery(t_s), signal_dbm=round(min(max(signal, -95), -35)),
            events=tuple(self._events(before_s, t_s)),
        )  # fmt: skip

    def _sensed(self, vital: str, t_s: float) -> float:
        """The value after what goes wrong between the patient and the device; exactly 0 from a sensor that
        is off."""
        now = self._now(t_s)
        off = any(vital in o.episode.sensor_off and o.holds(t_s) for o in now)
        if off or self._model.sensor_off(vital, t_s):
            return 0
        value = self.value(vital, t_s)
        motion = max((o.episode.motion for o in now if o.episode.motion and o.holds(t_s)), default=0.0)
        return self._shaken(vital, value, t_s) if motion and self._in_burst(motion, t_s) else value

    def _in_burst(self, motion: float, t_s: float) -> bool:
        """Bursts of 4-10 s at the begin of a 24 s slot: quiet follows, as after a hand that has moved."""
        slot = math.floor(t_s / MOTION_SLOT_S)
        length = 4 + 6 * uniform(self.key, "burst-length", slot)
        return uniform(self.key, "burst", slot) < motion and t_s - slot * MOTION_SLOT_S < length

    def _shaken(self, vital: str, value: float, t_s: float) -> float:
        size = abs(gaussian(self.key, "shaken", vital, f"{t_s:.3f}"))
        if vital == "oxygen_saturation":
            return 0 if size > 1.8 else max(rounded(vital, value - 3 - 5 * size), 82)
        return rounded(vital, value + (25 + 25 * size if vital == "heart_rate" else 8 + 8 * size))

    def _events(self, before_s: float, t_s: float) -> Iterator[str]:
        for occurrence in self.course.occurrences(before_s, t_s, key=self.key):
            begins = before_s < occurrence.hold_begin_s <= t_s
            if begins and occurrence.episode.event:
                yield occurrence.episode.event
            if occurrence.episode.sensor_off and begins:
                yield "sensor_off"
            if occurrence.episode.sensor_off and before_s < occurrence.hold_end_s <= t_s:
                yield "sensor_on"
        if self.battery(t_s) < LOW_BATTERY <= self.battery(before_s):
            yield "low_battery"

    def _now(self, t_s: float) -> list[Occurrence]:
        if self._happening[0] != t_s:
            self._happening = (t_s, list(self.course.occurrences(t_s, t_s, key=self.key)))
        return self._happening[1]


def rounded(vital: str, value: float) -> float:
    """Half up to what a device shows: whole numbers, temperature to 0.1."""
    if vital == "temperature":
        return math.floor(value * 10 + 0.5) / 10
    return math.floor(value + 0.5)
