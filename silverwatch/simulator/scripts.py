"""The courses of the demo, by name. docs/simulator.md tells them as a table; times are in seconds."""

from typing import Final

from silverwatch.simulator.courses import Course, Episode

MINUTE: Final = 60.0

CALM: Final = Course(name="calm")

SEPSIS: Final = Course(
    name="sepsis",
    opening=(
        Episode(
            at_s=-45 * MINUTE, rise_s=40 * MINUTE, hold_s=15 * MINUTE, fall_s=15 * MINUTE,
            targets={"heart_rate": 112, "respiratory_rate": 24, "oxygen_saturation": 92, "temperature": 38.4},
        ),
        Episode(
            at_s=8, rise_s=70, hold_s=150, fall_s=240,
            targets={"oxygen_saturation": 74, "heart_rate": 128, "respiratory_rate": 27, "systolic_bp": 102},
            observed={"consciousness": "C", "supplemental_oxygen": 4},
        ),
    ),
    cycle=(
        Episode(
            at_s=0, rise_s=300, hold_s=240, fall_s=400,
            targets={
                "heart_rate": 125, "respiratory_rate": 32, "oxygen_saturation": 87, "systolic_bp": 87,
                "diastolic_bp": 52, "temperature": 38.9,
            },
            observed={"consciousness": "C", "supplemental_oxygen": 4},
        ),
        Episode(
            at_s=30 * MINUTE, rise_s=150, hold_s=100, fall_s=240,
            targets={"oxygen_saturation": 76, "heart_rate": 127, "respiratory_rate": 28},
            observed={"consciousness": "V", "supplemental_oxygen": 6},
        ),
    ),
    first_s=25 * MINUTE, period_s=60 * MINUTE,
)  # fmt: skip

CHEST_INFECTION: Final = Course(
    name="chest_infection",
    opening=(
        Episode(
            at_s=4, rise_s=25, hold_s=360, fall_s=200, targets={"respiratory_rate": 32.5, "heart_rate": 102},
        ),
    ),
    cycle=(
        Episode(
            at_s=0, rise_s=180, hold_s=240, fall_s=300,
            targets={"respiratory_rate": 32.5, "heart_rate": 106, "oxygen_saturation": 92},
        ),
    ),
    first_s=28 * MINUTE, period_s=42 * MINUTE,
)  # fmt: skip

COPD: Final = Course(
    name="copd",
    cycle=(
        Episode(
            at_s=0, rise_s=240, hold_s=150, fall_s=240,
            targets={"oxygen_saturation": 83.5, "respiratory_rate": 26, "heart_rate": 98},
            observed={"supplemental_oxygen": 2},
        ),
        Episode(
            at_s=32 * MINUTE, rise_s=300, hold_s=480, fall_s=400,
            targets={"oxygen_saturation": 97, "respiratory_rate": 15},
            observed={"supplemental_oxygen": 3},
        ),
    ),
    first_s=13 * MINUTE, period_s=66 * MINUTE,
)  # fmt: skip

BLEEDING: Final = Course(
    name="bleeding",
    cycle=(
        Episode(
            at_s=0, rise_s=420, hold_s=300, fall_s=700,
            targets={"heart_rate": 127, "systolic_bp": 84, "diastolic_bp": 53, "respiratory_rate": 24},
        ),
        Episode(
            at_s=35 * MINUTE, rise_s=300, hold_s=120, fall_s=600,
            targets={"heart_rate": 147, "systolic_bp": 76, "diastolic_bp": 47, "respiratory_rate": 28},
            observed={"consciousness": "C", "supplemental_oxygen": 2},
        ),
    ),
    first_s=4 * MINUTE, period_s=80 * MINUTE,
)  # fmt: skip

FEVER: Final = Course(
    name="fever",
    opening=(
        Episode(
            at_s=-90 * MINUTE, rise_s=65 * MINUTE, hold_s=60 * MINUTE, fall_s=50 * MINUTE,
            targets={"temperature": 39.1, "heart_rate": 104, "respiratory_rate": 20},
        ),
    ),
    cycle=(
        Episode(
            at_s=0, rise_s=40 * MINUTE, hold_s=30 * MINUTE, fall_s=50 * MINUTE,
            targets={"temperature": 39.0, "heart_rate": 106, "respiratory_rate": 21},
        ),
    ),
    first_s=150 * MINUTE, period_s=240 * MINUTE,
)  # fmt: skip

BRADYCARDIA_ASLEEP: Final = Course(
    name="bradycardia_asleep",
    cycle=(
        Episode(at_s=0, rise_s=60, hold_s=75, fall_s=60, targets={"heart_rate": 45, "respiratory_rate": 11}),
        Episode(
            at_s=25 * MINUTE, rise_s=60, hold_s=60, fall_s=60,
            targets={"heart_rate": 46, "respiratory_rate": 11},
        ),
    ),
    first_s=7 * MINUTE, period_s=50 * MINUTE,
)  # fmt: skip

FAST_RHYTHM: Final = Course(
    name="fast_rhythm",
    cycle=(Episode(at_s=0, rise_s=6, hold_s=100, fall_s=20, targets={"heart_rate": 152}),),
    first_s=16 * MINUTE, period_s=70 * MINUTE,
)  # fmt: skip

PROBE_OFF: Final = Course(
    name="probe_off",
    opening=(Episode(at_s=14, hold_s=150, sensor_off=("oxygen_saturation",)),),
    cycle=(
        Episode(at_s=0, hold_s=120, sensor_off=("oxygen_saturation",)),
        Episode(at_s=20 * MINUTE, hold_s=70, sensor_off=("heart_rate", "respiratory_rate", "oxygen_saturation")),
    ),
    first_s=19 * MINUTE, period_s=45 * MINUTE,
)  # fmt: skip

MOTION: Final = Course(
    name="motion",
    opening=(Episode(at_s=30, hold_s=150, motion=0.5, event="moved"),),
    cycle=(Episode(at_s=0, hold_s=200, motion=0.5, event="moved"),),
    first_s=11 * MINUTE, period_s=17 * MINUTE,
)  # fmt: skip

SILENT: Final = Course(
    name="silent",
    opening=(Episode(at_s=10, hold_s=240, silent=True),),
    cycle=(Episode(at_s=0, hold_s=150, silent=True),),
    first_s=29 * MINUTE, period_s=47 * MINUTE,
)  # fmt: skip

CALLS: Final = Course(
    name="calls", cycle=(Episode(at_s=0, event="help"),), first_s=26 * MINUTE, period_s=90 * MINUTE
)

COURSES: Final[dict[str, Course]] = {
    course.name: course
    for course in (
        CALM, SEPSIS, CHEST_INFECTION, COPD, BLEEDING, FEVER, BRADYCARDIA_ASLEEP, FAST_RHYTHM, PROBE_OFF, MOTION,
        SILENT, CALLS,
    )
}  # fmt: skip
"""A worn-out battery is no course but a battery that drains fast: see `ward`."""
