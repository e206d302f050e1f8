"""What was measured on recorded patients, as numbers only. `benchmarks/simulator_statistics.py` computes
them again.

Sources: 160 stays of PhysioNet/CinC Challenge 2019 training set B, a row an hour (Reyna MA et al., Crit Care
Med 48(2):210-217, 2020, doi 10.1097/CCM.0000000000004145) and one MIMIC-II numerics record, a sample a
minute (Goldberger AL et al., Circulation 101(23):e215-e220, 2000).
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How one vital varies, in its own unit.

    `mean` and `between_sd` of the patients' means; `within_sd` inside a stay over all time scales; `slow`
    the share of that variance which lasts for hours with time constant `slow_tau_s`; `minute_sd` and
    `minute_tau_s` the part that comes and goes in minutes. What is left is a middle part of MIDDLE_TAU_S.
    """

    mean: float
    between_sd: float
    within_sd: float
    slow: float
    slow_tau_s: float
    minute_sd: float = 0.0
    minute_tau_s: float = 60.0


SPREAD: Final[dict[str, Spread]] = {
    "heart_rate": Spread(
        mean=87.7,
        between_sd=13.2,
        within_sd=10.4,
        slow=0.86,
        slow_tau_s=32_000,
        minute_sd=2.9,
        minute_tau_s=120,
    ),
    "respiratory_rate": Spread(
        mean=18.8,
        between_sd=3.2,
        within_sd=4.0,
        slow=0.64,
        slow_tau_s=26_000,
        minute_sd=2.0,
        minute_tau_s=55,
    ),
    "oxygen_saturation": Spread(
        mean=97.1,
        between_sd=1.9,
        within_sd=2.8,
        slow=0.65,
        slow_tau_s=26_000,
        minute_sd=0.45,
        minute_tau_s=85,
    ),
    "systolic_bp": Spread(mean=123.3, between_sd=17.5, within_sd=16.0, slow=0.58, slow_tau_s=24_000),
    "diastolic_bp": Spread(mean=63.3, between_sd=9.2, within_sd=9.4, slow=0.54, slow_tau_s=24_000),
    "temperature": Spread(mean=37.1, between_sd=0.5, within_sd=0.63, slow=0.98, slow_tau_s=40_000),
}
"""Fitted so that simulated stays of 48 h, which see only part of a slow swing, show the recorded numbers.

SpO2 is the value before it is cut at 100, hence wider than what is recorded.
"""

MIDDLE_TAU_S: Final = 900.0
"""Not measured: the hourly rows are too coarse and the one minute record too calm to fix it."""

LABILITY_SIGMA: Final = 0.35
"""Spread of log(within_sd) between patients: the middle half of the stays lies within a factor 0.8 to 1.3."""

ALIKE_BP: Final = 0.73
"""Loading of systolic and diastolic on one shared pressure: their correlation inside a stay is 0.53."""

ALIKE_SLOW: Final[dict[str, float]] = {
    "heart_rate": 0.60,
    "respiratory_rate": 0.22,
    "oxygen_saturation": -0.30,
    "temperature": 0.45,
    "systolic_bp": 0.10,
    "diastolic_bp": 0.15,
}
"""Loadings on one shared state of the patient; the product of two is their correlation (HR-RR 0.17, HR-Temp
0.27)."""

ALIKE_MINUTE: Final[dict[str, float]] = {
    "heart_rate": 0.66,
    "respiratory_rate": 0.66,
    "oxygen_saturation": 0.10,
}
"""As ALIKE_SLOW, inside minutes (HR-RR 0.43, measured after the mean of 31 min is taken off)."""

MEAN_BP_FRACTION: Final = 1 / 3
"""(mean - diastolic) / (systolic - diastolic); 152 recorded cuff values give 0.331."""

OFF_PER_DAY: Final[dict[str, float]] = {
    "oxygen_saturation": 8.9,
    "heart_rate": 5.2,
    "respiratory_rate": 4.5,
}
"""Times a day that the sensor is off (12, 7 and 6 in 1,936 minutes)."""

OFF_MEDIAN_S: Final[dict[str, float]] = {
    "oxygen_saturation": 780.0,
    "heart_rate": 240.0,
    "respiratory_rate": 330.0,
}
OFF_SIGMA: Final = 1.3
"""Length of one such time: log-normal around OFF_MEDIAN_S; cut at OFF_MAX_S, the longest on record (189
min)."""
OFF_MAX_S: Final = 11_340.0
