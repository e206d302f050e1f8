"""The alarms of one recording worked out again: slow, plain, and from the clinical facts alone.

It shares no line with the alarm rules that it checks. Each question ("does this breach last?") is answered by
walking back through the samples of one vital, nothing is remembered from one sample to the next but what is on.
Source: clinical facts 3.2 (what no patient can have) and 7 (limits, delays, hysteresis).
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from benchmarks.found import Found
from benchmarks.recompute_news import Set, news_alarms

Row = tuple[float, dict[str, float]]
"""Seconds since the recording began, and what the device said then."""


class Sample(NamedTuple):
    """A value of one vital that its patient can have."""

    at: float
    value: float


class Level(NamedTuple):
    """A limit: beyond `bound` (`beyond(value, bound)`) for `delay_s`; over once past `back` again."""

    priority: str
    bound: float
    back: float
    delay_s: float
    at_once: bool
    beyond: Callable[[float, float], bool]


ORDER: Final = ("low", "medium", "high")
CONTINUOUS: Final = ("heart_rate", "respiratory_rate", "oxygen_saturation", "pulse_rate")
ZERO_IS_OFF: Final = CONTINUOUS
POSSIBLE: Final = {
    "heart_rate": (0, 350),
    "pulse_rate": (0, 350),
    "respiratory_rate": (0, 100),
    "oxygen_saturation": (0, 100),
    "systolic_bp": (0.000001, 375),
    "diastolic_bp": (0.000001, 375),
    "mean_bp": (14, 330),
    "temperature": (26, 45),
}
# vital, side: medium limit (None: no medium), high limit, hysteresis
LIMITS: Final = {
    ("heart_rate", "low"): (50, 40, 3),
    ("heart_rate", "high"): (120, 140, 3),
    ("respiratory_rate", "low"): (8, 6, 1),
    ("respiratory_rate", "high"): (30, 34, 1),
    ("oxygen_saturation", "low"): (90, 80, 1),
    ("systolic_bp", "low"): (90, 80, 5),
    ("systolic_bp", "high"): (160, 200, 5),
    ("diastolic_bp", "low"): (50, None, 5),
    ("diastolic_bp", "high"): (90, None, 5),
    ("mean_bp", "low"): (60, None, 5),
    ("mean_bp", "high"): (110, None, 5),
    ("temperature", "low"): (36.0, 35.0, 0.2),
    ("temperature", "high"): (38.5, 39.5, 0.2),
}
DELAY_S: Final = 15.0
CLEAR_S: Final = 15.0
OFF_S: Final = 30.0


def alarms(rows: Sequence[Row], *, interval_s: float) -> list[Found]:
    """The alarms of a recording whose device sends every `interval_s`, in order of raising, then kind."""
    found = [
        alarm
        for (vital, side) in LIMITS
        for alarm in _of_limit(_samples(rows, vital), vital=vital, side=side, interval_s=interval_s)
    ]
    found += _sensors(rows, interval_s=interval_s)
    found += news_alarms(_sets(rows, interval_s=interval_s))
    return sorted(found, key=lambda alarm: (alarm.event_at, alarm.kind))


def crossings(rows: Sequence[Row], *, gated: bool) -> int:
    """How many alarms "one value is enough" gives: each time that a value is out of range after one that was not.

    Not `gated`, the 0 of a sensor that is off and what no patient can have count as values.
    """
    count = 0
    for vital, side in LIMITS:
        bound = LIMITS[vital, side][0]
        beyond = _beyond(side)
        given = [Sample(at, values[vital]) for at, values in rows if vital in values]
        was_out = False
        for sample in _samples(rows, vital) if gated else given:
            is_out = beyond(sample.value, bound)
            count += is_out and not was_out
            was_out = is_out
    return count


def refused(values: dict[str, float]) -> set[str]:
    """The vitals of a set that give no value: sensor off, out of the possible, pressures that contradict."""
    bad = {name for name, value in values.items() if name in ZERO_IS_OFF and value == 0}
    for name, value in values.items():
        least, most = POSSIBLE[name]
        if not least <= value <= most:
            bad.add(name)
    pressures = {
        name: values[name]
        for name in ("systolic_bp", "mean_bp", "diastolic_bp")
        if name in values and name not in bad
    }
    systolic, mean, diastolic = (pressures.get(n) for n in ("systolic_bp", "mean_bp", "diastolic_bp"))
    if systolic is not None and diastolic is not None and systolic <= diastolic:
        return bad | set(pressures)
    if mean is not None and systolic is not None and mean > systolic:
        bad.add("mean_bp")
    if mean is not None and diastolic is not None and mean < diastolic:
        bad.add("mean_bp")
    return bad


def _sets(rows: Sequence[Row], *, interval_s: float) -> list[Set]:
    """The rows without what is no value."""
    return [
        Set(at, {name: value for name, value in values.items() if name not in refused(values)},
            interval_s > 60, interval_s)
        for at, values in rows
    ]  # fmt: skip


def _samples(rows: Sequence[Row], vital: str) -> list[Sample]:
    return [
        Sample(at, values[vital]) for at, values in rows if vital in values and vital not in refused(values)
    ]


def _beyond(side: str) -> Callable[[float, float], bool]:
    return operator.lt if side == "low" else operator.gt


def _levels(vital: str, side: str) -> list[Level]:
    medium, high, hysteresis = LIMITS[vital, side]
    back = hysteresis if side == "low" else -hysteresis
    least = "low" if vital in ("diastolic_bp", "mean_bp") else "medium"
    levels = [Level(least, medium, round(medium + back, 3), DELAY_S, False, _beyond(side))]
    if high is not None:
        # Only SpO2 below 80 is an extreme limit: no delay.
        at_once = vital == "oxygen_saturation"
        levels.append(Level("high", high, round(high + back, 3), DELAY_S, at_once, _beyond(side)))
    return levels


def _of_limit(samples: list[Sample], *, vital: str, side: str, interval_s: float) -> Iterator[Found]:
    spot = vital not in CONTINUOUS or interval_s > 60
    levels = _levels(vital, side)
    on = [_times_on(samples, level, spot=spot, longest_gap_s=3 * interval_s) for level in levels]
    priorities = [_highest(levels, [times[i] for times in on]) for i in range(len(samples))]
    first = 0
    while first < len(samples):
        if priorities[first] is None:
            first += 1
            continue
        end = first
        while end < len(samples) and priorities[end] is not None:
            end += 1
        standing = [priority for priority in priorities[first:end] if priority is not None]
        yield Found(
            kind=f"{vital}_{side}",
            # Since when it was beyond the limit at all, whichever level has raised it.
            run_from=_since(samples, first, _out(levels[0].bound, side), longest_gap_s=3 * interval_s),
            event_at=samples[first].at,
            ended_at=samples[end].at if end < len(samples) else None,
            priority=standing[-1],
            peak_priority=max(standing, key=ORDER.index),
        )
        first = end


def _times_on(samples: list[Sample], level: Level, *, spot: bool, longest_gap_s: float) -> list[bool]:
    """For each sample: does the level stand after it?"""
    is_on, found = False, []
    for i, sample in enumerate(samples):
        if not is_on and level.beyond(sample.value, level.bound):
            since = _since(samples, i, lambda v: level.beyond(v, level.bound), longest_gap_s=longest_gap_s)
            lasts = sample.at - since >= level.delay_s
            is_on = spot or level.at_once or lasts
        elif is_on and not level.beyond(sample.value, level.back):
            since = _since(samples, i, lambda v: not level.beyond(v, level.back), longest_gap_s=longest_gap_s)
            is_on = not (spot or sample.at - since >= CLEAR_S)
        found.append(is_on)
    return found


def _since(samples: list[Sample], i: int, holds: Callable[[float], bool], *, longest_gap_s: float) -> float:
    """Walk back from sample i for as long as the value holds and no gap is too long: when did it begin?"""
    while i > 0 and holds(samples[i - 1].value) and samples[i].at - samples[i - 1].at <= longest_gap_s:
        i -= 1
    return samples[i].at


def _out(bound: float, side: str) -> Callable[[float], bool]:
    beyond = _beyond(side)
    return lambda value: beyond(value, bound)


def _highest(levels: list[Level], standing: list[bool]) -> str | None:
    names = [level.priority for level, stands in zip(levels, standing, strict=True) if stands]
    return max(names, key=ORDER.index) if names else None


class Mark(NamedTuple):
    """What one sensor said in one row: off, or a value."""

    at: float
    off: bool


def _sensors(rows: Sequence[Row], *, interval_s: float) -> Iterator[Found]:
    """One alarm for all sensors of the patient: from one that is off for long until the last one is back."""
    marks = {vital: _marks(rows, vital) for vital in POSSIBLE}
    times = sorted(at for at, values in rows if values)
    i = 0
    while i < len(times):
        due = [v for v in marks if _is_long_off(marks[v], times[i], spot=_is_spot(v, interval_s))]
        if not due:
            i += 1
            continue
        off = {v: since for v in marks if (since := _off_since(marks[v], times[i])) is not None}
        run_from, raised_at = min(off.values()), times[i]
        while off and i + 1 < len(times):
            i += 1
            for vital, seen in marks.items():
                last = next((mark for mark in seen if mark.at == times[i]), None)
                if last and last.off:
                    off.setdefault(vital, last.at)
                elif last and vital in off and _is_back(seen, last.at, off[vital], vital, interval_s):
                    del off[vital]
        yield Found("sensor_off", run_from, raised_at, None if off else times[i], "low", "low")
        i += 1


def _marks(rows: Sequence[Row], vital: str) -> list[Mark]:
    return [Mark(at, vital in refused(values)) for at, values in rows if vital in values]


def _is_spot(vital: str, interval_s: float) -> bool:
    return vital not in CONTINUOUS or interval_s > 60


def _off_since(marks: list[Mark], at: float) -> float | None:
    """When the off time that the sensor is in at that moment began, None if it is not in one."""
    since = None
    for mark in marks:
        if mark.at <= at:
            since = (mark.at if since is None else since) if mark.off else None
    return since


def _is_long_off(marks: list[Mark], at: float, *, spot: bool) -> bool:
    if not any(mark.at == at and mark.off for mark in marks):
        return False
    since = _off_since(marks, at)
    if since is None:
        return False
    return at - since >= OFF_S or (spot and at > since)


def _is_back(marks: list[Mark], at: float, off_at: float, vital: str, interval_s: float) -> bool:
    """Back for long enough: values alone for 15 s without a long gap; one is enough for a spot value."""
    if _is_spot(vital, interval_s):
        return True
    since, before = at, at
    for mark in reversed([mark for mark in marks if off_at <= mark.at <= at]):
        if mark.off or before - mark.at > 3 * interval_s:
            break
        since = before = mark.at
    return at - since >= CLEAR_S
