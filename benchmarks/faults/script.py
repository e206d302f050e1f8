"""What the devices of the fault run measure: breaches, sensors that come off, and calm, the same for the same seed."""

from datetime import datetime, timedelta
from random import Random
from typing import Final

STEP: Final = timedelta(milliseconds=250)
ENDING: Final = timedelta(seconds=36)
"""The last act, without kills: long enough for a breach to become an alarm, a sensor off too, and for calm to end
one."""

BREACHES: Final[dict[str, dict[str, float]]] = {
    "tachycardia": {"heart_rate": 130},
    "extreme tachycardia": {"heart_rate": 152},
    "bradycardia": {"heart_rate": 45},
    "desaturation": {"oxygen_saturation": 86},
    "extreme desaturation": {"oxygen_saturation": 75},
    "tachypnoea": {"respiratory_rate": 32},
    "fever": {"temperature": 38.9},
    "pulse sensor off": {"heart_rate": 0},
    "finger clip off": {"oxygen_saturation": 0},
}
NAMES: Final = tuple(BREACHES)
CALM: Final = ""
TOO_SHORT: Final = "too short"
"""A breach that is over before the delay: no alarm must come of it."""

AT_THE_END: Final = (
    "tachycardia",
    CALM,
    "desaturation",
    "extreme tachycardia",
    CALM,
    "pulse sensor off",
    "fever",
)
"""By the device's number: some breaches are still on when the run ends."""


class Script:
    """One device's measurements. Reading `i` is measured at `start + i * STEP`."""

    def __init__(self, seed: int, serial: str, *, number: int, start: datetime) -> None:
        self.start = start.replace(microsecond=start.microsecond // 1000 * 1000) + number * timedelta(
            milliseconds=17
        )
        self._key = f"{seed}/{serial}"
        self._dice = Random(self._key)
        self._at_the_end = AT_THE_END[number % len(AT_THE_END)]
        self._acts: list[tuple[float, str]] = []

    def measured_at(self, index: int) -> datetime:
        """When reading `index` is measured, to the millisecond."""
        return self.start + index * STEP

    def values(self, index: int, *, ending: bool) -> dict[str, float]:
        """The values of reading `index`, by vital; 0 where the sensor is off."""
        act = self._at_the_end if ending else self._act(index * STEP.total_seconds())
        noise = Random(f"{self._key}/{index}")
        values: dict[str, float] = {
            "heart_rate": noise.randint(68, 92),
            "oxygen_saturation": noise.randint(95, 99),
            "respiratory_rate": noise.randint(13, 19),
        }
        if index % 8 == 0:
            values["temperature"] = noise.randint(364, 372) / 10
        breach = BREACHES["tachycardia"] if act == TOO_SHORT else BREACHES.get(act, {})
        return values | breach

    def _act(self, at_s: float) -> str:
        while not self._acts or self._acts[-1][0] <= at_s:
            self._write_on()
        return next(name for until_s, name in self._acts if at_s < until_s)

    def _write_on(self) -> None:
        """Calm, then a breach, then calm again."""
        dice = self._dice
        begin = self._acts[-1][0] if self._acts else 0.0
        calm = begin + (dice.uniform(2, 12) if begin == 0 else dice.uniform(17, 26))
        name = TOO_SHORT if dice.random() < 0.15 else dice.choice(NAMES)
        lasts = dice.uniform(4, 12) if name == TOO_SHORT else dice.uniform(19, 30)
        if name.endswith("off"):
            lasts += 15
        self._acts += [(calm, CALM), (calm + lasts, name)]
