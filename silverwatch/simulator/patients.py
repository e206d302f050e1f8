"""A patient's vitals as a function of time: baseline, day and night, and noise at three time scales.

Sum of three Ornstein-Uhlenbeck parts (hours, a quarter of an hour, minutes) around a baseline. Their sizes,
time constants and the likeness between vitals are those of `recorded`.
"""

import math
from dataclasses import dataclass
from typing import Final

from silverwatch.simulator import recorded
from silverwatch.simulator.noise import OrnsteinUhlenbeck, gaussian, uniform

CONTINUOUS: Final = ("heart_rate", "respiratory_rate", "oxygen_saturation")
PRESSURE: Final = ("systolic_bp", "diastolic_bp")

DAY_AMPLITUDE: Final[dict[str, float]] = {
    "heart_rate": 3.0,
    "respiratory_rate": 0.6,
    "oxygen_saturation": 0.3,
    "systolic_bp": 5.0,
    "diastolic_bp": 3.0,
    "temperature": 0.2,
}
"""Half the way from the night's low to the afternoon's high. Assumed: the recordings have no time of day."""
DAY_PEAK_HOUR: Final = 16.0

BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "heart_rate": (20, 250),
    "respiratory_rate": (3, 70),
    "oxygen_saturation": (40, 100),
    "systolic_bp": (40, 280),
    "diastolic_bp": (20, 180),
    "temperature": (30, 42.5),
}
"""What the model can give; a living patient's values, so that only a device makes artefacts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Where a patient's vitals rest. `lability` scales the noise of hours (1 = the recorded intensive-care
    patients).

    `off` scales how often a sensor is off by itself (1 = the recorded rate, 0 = only where a course says so).
    """

    heart_rate: float
    respiratory_rate: float
    oxygen_saturation: float
    systolic_bp: float
    diastolic_bp: float
    temperature: float
    lability: float = 0.35
    off: float = 0.0

    def value(self, vital: str) -> float:
        """The resting value of a vital, in its unit."""
        value: float = getattr(self, vital)
        return value


def sample_baseline(*key: object) -> Baseline:
    """A baseline drawn from the recorded population: the same key, the same patient."""

    def draw(vital: str, shift: float = 0.0) -> float:
        spread = recorded.SPREAD[vital]
        low, high = BOUNDS[vital]
        return min(max(spread.mean + shift + spread.between_sd * gaussian(*key, vital), low), high)

    systolic = draw("systolic_bp")
    share = 0.47  # the correlation of the patients' mean pressures
    spread = recorded.SPREAD["diastolic_bp"]
    z = (systolic - recorded.SPREAD["systolic_bp"].mean) / recorded.SPREAD["systolic_bp"].between_sd
    z = share * z + math.sqrt(1 - share**2) * gaussian(*key, "diastolic_bp")
    return Baseline(
        heart_rate=draw("heart_rate"),
        respiratory_rate=draw("respiratory_rate"),
        # Values above 100 are cut, which lowers the mean; the shift gives it back.
        oxygen_saturation=draw("oxygen_saturation", shift=0.8),
        systolic_bp=systolic,
        diastolic_bp=min(max(spread.mean + spread.between_sd * z, 30), systolic - 15),
        temperature=draw("temperature"),
        lability=math.exp(-0.06 + recorded.LABILITY_SIGMA * gaussian(*key, "lability")),
        off=1.0,
    )


class PatientModel:
    """One patient without any course. Times are seconds from the start of the simulation, negative before
    it."""

    def __init__(self, baseline: Baseline, *key: object, start_hour: float = 12.0) -> None:
        """`start_hour` is the local time of day at time 0, in hours."""
        self.baseline = baseline
        self._key = "/".join(map(str, key))
        self._start_hour = start_hour
        self._noise: dict[str, OrnsteinUhlenbeck] = {}

    def value(self, vital: str, t_s: float) -> float:
        """The vital at t_s, before a device rounds it."""
        spread, lability = recorded.SPREAD[vital], self.baseline.lability
        slow = math.sqrt(spread.slow) * spread.within_sd
        minute = spread.minute_sd
        middle = math.sqrt(max(spread.within_sd**2 - slow**2 - minute**2, 0))
        noise = slow * self._slow(vital, t_s) + middle * self._middle(vital, t_s)
        value = self.baseline.value(vital) + self._day(vital, t_s) + lability * noise
        if minute:
            # Not scaled: the record that gives minute_sd is that of a calm patient already.
            value += minute * self._minute(vital, t_s)
        low, high = BOUNDS[vital]
        return min(max(value, low), high)

    def sensor_off(self, vital: str, t_s: float) -> bool:
        """Has this sensor come off by itself (not by a course) at t_s?"""
        per_hour = recorded.OFF_PER_DAY.get(vital, 0) / 24 * self.baseline.off
        if not per_hour:
            return False
        hour = math.floor(t_s / 3600)
        return any(self._off_in(vital, t_s, h, per_hour) for h in range(hour - 3, hour + 1))

    def _off_in(self, vital: str, t_s: float, hour: int, per_hour: float) -> bool:
        key = (self._key, "off", vital, hour)
        if uniform(*key) >= per_hour:
            return False
        begin = (hour + uniform(*key, "begin")) * 3600
        length = recorded.OFF_MEDIAN_S[vital] * math.exp(recorded.OFF_SIGMA * gaussian(*key, "length"))
        return begin <= t_s < begin + min(length, recorded.OFF_MAX_S - 3600)

    def _day(self, vital: str, t_s: float) -> float:
        hour = self._start_hour + t_s / 3600
        return DAY_AMPLITUDE[vital] * math.cos((hour - DAY_PEAK_HOUR) * math.pi / 12)

    def _slow(self, vital: str, t_s: float) -> float:
        tau = recorded.SPREAD[vital].slow_tau_s
        own = self._own("slow", vital, t_s, tau)
        return _mix(own, self._at("slow", 25_000, t_s), recorded.ALIKE_SLOW[vital])

    def _middle(self, vital: str, t_s: float) -> float:
        return self._own("middle", vital, t_s, recorded.MIDDLE_TAU_S)

    def _minute(self, vital: str, t_s: float) -> float:
        tau = recorded.SPREAD[vital].minute_tau_s
        own = self._at(f"minute/{vital}", tau, t_s)
        return _mix(own, self._at("minute", 80, t_s), recorded.ALIKE_MINUTE[vital])

    def _own(self, part: str, vital: str, t_s: float, tau_s: float) -> float:
        own = self._at(f"{part}/{vital}", tau_s, t_s)
        if vital not in PRESSURE:
            return own
        return _mix(own, self._at(f"{part}/pressure", tau_s, t_s), recorded.ALIKE_BP)

    def _at(self, name: str, tau_s: float, t_s: float) -> float:
        if name not in self._noise:
            self._noise[name] = OrnsteinUhlenbeck(self._key, name, tau_s=tau_s)
        return self._noise[name].at(t_s)


def _mix(own: float, shared: float, loading: float) -> float:
    """SD 1 again; two vitals mixed with the same shared noise correlate by the product of their loadings."""
    return loading * shared + math.sqrt(1 - loading * loading) * own
