"""What a patient is judged by changes while they are watched: each reading is judged by what held at its time.

At the moment of a change of limits the newest values are judged again under the new ones; rules and the scale of NEWS2
are asked with the next reading. Pure.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from silverwatch.domain.alerts.episode import Episode, Watch, look
from silverwatch.domain.alerts.latch import Latch, Level, Sample
from silverwatch.domain.alerts.limits import Limits
from silverwatch.domain.alerts.reading import SPOT, Reading
from silverwatch.domain.alerts.rule_set import NO_RULES, RuleSet
from silverwatch.domain.alerts.rules import Checkpoint, VitalState
from silverwatch.domain.readings.vitals import NUMERIC

Levels = tuple[Level, Level]
Held = TypeVar("Held")


class Span(NamedTuple):
    """These limits and rules apply from then on. `scale`: of NEWS2, None for who is too young to be scored."""

    since: datetime
    limits: Limits
    rules: RuleSet = NO_RULES
    scale: int | None = 1


class Piece(NamedTuple):
    """Readings that are judged by the same. `moved_at`: before the first of them it became that."""

    moved_at: datetime | None
    by: Span
    readings: Sequence[Reading]


def together(
    limits: Sequence[tuple[datetime, Limits]],
    rules: Sequence[tuple[datetime, RuleSet]],
    scales: Sequence[tuple[datetime, int | None]],
) -> tuple[Span, ...]:
    """Three courses of the same beginning as one: a span for each moment at which any of them changes."""
    if len(limits) == len(rules) == len(scales) == 1:
        return (Span(limits[0][0], limits[0][1], rules[0][1], scales[0][1]),)
    moments = sorted({at for course in (limits, rules, scales) for at, _ in course})
    return tuple(Span(at, _then(limits, at), _then(rules, at), _then(scales, at)) for at in moments)


def _then(course: Sequence[tuple[datetime, Held]], at: datetime) -> Held:
    return course[max(0, bisect_right(course, at, key=lambda item: item[0]) - 1)][1]


def pieces(readings: Sequence[Reading], spans: Sequence[Span], *, size: int) -> Iterator[Piece]:
    """The readings, which are in order of event time, with what held at their time, about `size` at once."""
    first = 0
    for number, span in enumerate(spans):
        is_last = number + 1 == len(spans)
        stop = (
            len(readings)
            if is_last
            else bisect_left(readings, spans[number + 1].since, key=lambda reading: reading.event_at)
        )
        part = readings[first:stop]
        start, moved_at = 0, span.since if number else None
        while start < len(part) or not start:
            end = _end_of_moment(part, start + size)
            yield Piece(moved_at, span, part[start:end])
            if not part:
                break
            start, moved_at = end, None
        first = stop


def _end_of_moment(readings: Sequence[Reading], end: int) -> int:
    """Readings of one moment stay together: a checkpoint between them would know only some of them."""
    while 0 < end < len(readings) and readings[end].event_at == readings[end - 1].event_at:
        end += 1
    return end


def relimit(
    checkpoint: Checkpoint, *, before: Limits, after: Limits, at: datetime
) -> tuple[Checkpoint, list[Episode]]:
    """The checkpoint once other limits apply from `at` on, and the episodes that are over by it.

    A value that came now and then decides alone and at once, as long as it is fresh: nobody waits hours for the next
    one. What comes continuously is judged by its next reading, without the hysteresis of a limit that was not passed.
    """
    vitals, ended = dict(checkpoint.vitals), []
    spots = _spots(checkpoint, at=at)
    for name in NUMERIC:
        if name not in vitals and name not in spots:
            continue
        state, sides = vitals.get(name, VitalState()), {}
        for side in ("low", "high"):
            old, new = before.levels[name][side], after.levels[name][side]
            watch = getattr(state, side)
            if old != new:
                watch, over = _judge(watch, name, old=old, new=new, sample=spots.get(name))
                ended += [over] if over else []
            sides[side] = watch
        if any(sides.values()):
            vitals[name] = VitalState(**sides)
        else:
            vitals.pop(name, None)
    return replace(checkpoint, at=at, vitals=vitals), ended


def _judge(
    watch: Watch | None, name: str, *, old: Levels, new: Levels, sample: Sample | None
) -> tuple[Watch | None, Episode | None]:
    if watch is not None:
        warning = _move(watch.warning, old[0], new[0])
        critical = _move(watch.critical, old[1], new[1])
        watch = Watch(warning, critical, watch.episode) if warning or critical else None
    return look(watch, name, levels=new, sample=sample) if sample else (watch, None)


def _move(latch: Latch | None, old: Level, new: Level) -> Latch | None:
    if latch is None or (old.bound, old.back) == (new.bound, new.back):
        return latch
    # Readings beyond the old bound say nothing about how long the new one has been passed.
    return replace(latch, calm=None, moved=True) if latch.raised else None


def _spots(checkpoint: Checkpoint, *, at: datetime) -> dict[str, Sample]:
    """The newest value of each vital that decides alone, as if it were measured at `at`, and old as soon as it is."""
    found = {}
    for said in checkpoint.said:
        age_s = (at - said.event_at).total_seconds()
        for name, value in said.values.items():
            if (said.spot or name in SPOT) and name not in checkpoint.off:
                sample = Sample(at, value, spot=True, interval_s=said.interval_s - age_s)
                found[name] = sample
    return found
