"""Who lies where: the cast of the demo wards, and crowds of any size for load."""

from dataclasses import dataclass, field
from typing import Final

from silverwatch.simulator.noise import uniform
from silverwatch.simulator.patients import Baseline, sample_baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientCast:
    """One patient. `ref` is unique in the cast. `spo2_scale` is that of NEWS2; oxygen is in L/min, 0 = air.

    `observations_h` is the time between a nurse's sets in hours; None means that nobody takes them.
    """

    ref: str
    family: str
    given: str
    age: int
    sex: str
    baseline: Baseline
    oxygen_l_min: float = 0.0
    spo2_scale: int = 1
    observations_h: float | None = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCast:
    """One device. `battery` in % at the start, `drain` in % an hour; at 12 % somebody charges it."""

    serial: str
    kind: str = "wearable"
    interval_s: float = 4.0
    firmware: str = "1.8.2"
    course: str = "calm"
    battery: float = 90.0
    drain: float = 1.5
    signal_dbm: float = -58.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BedCast:
    """A bed; without a patient it is empty."""

    label: str
    patient: PatientCast | None = None
    device: DeviceCast | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WardCast:
    """A ward and its beds, in order."""

    slug: str
    name: str
    description: str
    beds: list[BedCast] = field(default_factory=list)


def cast() -> list[WardCast]:
    """The demo: ward 4B with 12 beds and ward 5A with 4, of which one is empty. Always the same."""
    return [
        WardCast(slug="4b", name="4B", description="Elderly care", beds=list(_WARD_4B)),
        WardCast(slug="5a", name="5A", description="Surgery", beds=list(_WARD_5A)),
    ]


def crowd(count: int, *, seed: int | str = 1, interval_s: float = 4.0) -> list[BedCast]:
    """`count` beds with patients drawn from the recorded population, for load; sensors come off as
    recorded."""
    beds = []
    for number in range(1, count + 1):
        ref = f"crowd-{number:05d}"
        patient = PatientCast(
            ref=ref, family=f"CROWD{number}", given="Test", age=50 + int(45 * uniform(seed, ref, "age")),
            sex="F" if uniform(seed, ref, "sex") < 0.5 else "M", baseline=sample_baseline(seed, ref),
        )  # fmt: skip
        device = DeviceCast(serial=f"SW-L{number:05d}", interval_s=interval_s, firmware="1.8.0")
        beds.append(BedCast(label=str(number), patient=patient, device=device))
    return beds


def _bed(label: str, who: str, vitals: tuple[float, ...], device: DeviceCast, **more: object) -> BedCast:
    """`who` is "FAMILY Given 82 F"; `vitals` are HR, RR, SpO2, systolic, diastolic, temperature, lability."""
    family, given, age, sex = who.split()
    hr, rr, spo2, systolic, diastolic, temperature, lability = vitals
    baseline = Baseline(
        heart_rate=hr, respiratory_rate=rr, oxygen_saturation=spo2, systolic_bp=systolic, diastolic_bp=diastolic,
        temperature=temperature, lability=lability,
    )  # fmt: skip
    patient = PatientCast(
        ref=f"{family}-{given}".lower(), family=family, given=given, age=int(age), sex=sex, baseline=baseline,
        **more,  # type: ignore[arg-type]
    )  # fmt: skip
    return BedCast(label=label, patient=patient, device=device)


def _device(serial: str, course: str = "calm", **more: object) -> DeviceCast:
    return DeviceCast(serial=serial, course=course, **more)  # type: ignore[arg-type]


_WARD_4B: Final = (
    _bed("1", "KAMAU Grace 82 F", (72, 16, 97, 134, 78, 36.6, 0.3), _device("SW-1047", battery=91)),
    _bed(
        "2", "OCHIENG Peter 76 M", (86, 20, 91.8, 140, 80, 36.9, 0.25), _device("SW-1054", "copd", battery=64),
        oxygen_l_min=1.5, spo2_scale=2,
    ),
    _bed(
        "3", "NJERI Ruth 79 F", (92, 21, 94.5, 118, 70, 37.7, 0.3),
        _device("SW-1061", "chest_infection", battery=77), observations_h=2.0,
    ),
    _bed("4", "ABDI Hassan 71 M", (66, 14, 98, 128, 74, 36.5, 0.3), _device("SW-1068", battery=58, signal_dbm=-68)),
    _bed("5", "WANJIKU Mary 88 F", (70, 16, 96, 130, 76, 36.7, 0.3), _device("SW-1075", "probe_off", battery=43)),
    _bed(
        "6", "MUTUA Joseph 80 M", (64, 15, 97, 122, 68, 36.4, 0.25),
        _device("SW-1082", "bradycardia_asleep", battery=88, kind="heart_monitor", interval_s=2.0, firmware="3.1.0"),
    ),
    _bed(
        "7", "HUGHES Margaret 78 F", (104, 22, 93.5, 108, 64, 38.2, 0.25),
        _device("SW-1089", "sepsis", battery=72, interval_s=2.0), oxygen_l_min=2.0, observations_h=1.0,
    ),
    _bed(
        "8", "KIPROTICH Daniel 69 M", (78, 17, 97, 132, 78, 36.9, 0.3),
        _device("SW-1096", battery=20.2, drain=30.0, firmware="1.7.9"),
    ),
    _bed("9", "AKINYI Rose 84 F", (74, 16, 97, 138, 80, 36.5, 0.3), _device("SW-1103", "silent", battery=35)),
    _bed(
        "10", "SHARMA Anil 74 M", (88, 18, 96, 142, 80, 37.3, 0.3),
        _device("SW-1110", "motion", battery=82, interval_s=3.0),
    ),
    _bed("11", "BAKER Thomas 86 M", (92, 18, 95.5, 126, 72, 37.4, 0.25), _device("SW-1117", "fever", battery=69)),
    _bed(
        "12", "CHEBET Esther 77 F", (80, 16, 97, 131, 77, 36.8, 0.3), _device("SW-1124", "calls", battery=95),
        observations_h=None,
    ),
)  # fmt: skip

_WARD_5A: Final = (
    _bed(
        "1", "OTIENO Samuel 58 M", (86, 17, 96.5, 120, 70, 37.0, 0.25),
        _device("SW-1131", "bleeding", kind="heart_monitor", interval_s=2.0, firmware="3.1.0", battery=80),
        observations_h=2.0,
    ),
    _bed("2", "WAMBUI Jane 63 F", (74, 15, 97.5, 126, 74, 36.8, 0.3), _device("SW-1138", battery=66)),
    _bed(
        "3", "CLARKE Robert 67 M", (82, 16, 96.5, 136, 78, 36.9, 0.25),
        _device("SW-1145", "fast_rhythm", kind="heart_monitor", interval_s=2.0, firmware="3.1.0", battery=53),
    ),
    BedCast(label="4"),
)  # fmt: skip
