"""An alarm from its raising to its end, and the watch on one side of one vital that finds it.

Warning and critical level of a side are one alarm whose priority rises and falls. Pure and immutable.
"""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from silverwatch.domain.alerts.board import Priority
from silverwatch.domain.alerts.latch import RANK, Latch, Level, Sample, Side, step
from silverwatch.domain.readings.vitals import silent_after_s

SPOT_GRACE_S: Final = 30 * 60.0


class Episode(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alarm from its raising to its end; (kind, raised_at) names it.

    `run_from`: first reading of the run that raised it; `raised_at`: the reading that decided. `value` and `limit`:
    what decided and the bound it passed, when the alarm was raised or its priority last changed; `worst` and
    `latest`: of the values beyond a limit.
    `last_at`: newest reading under which the alarm stands, `spot` and `interval_s` those of that reading.
    For `sensor_off` vital, side and the numbers are None and `off_vitals` says which sensors.
    `rule`: key of the house rule that decides, `notify`: its alarm is escalated; `partial`: the value is a NEWS2
    that lacked parts, so that it is at least that.
    """

    kind: str
    priority: Priority
    peak_priority: Priority
    run_from: datetime
    raised_at: datetime
    last_at: datetime
    spot: bool
    interval_s: float
    vital: str | None = None
    side: Side | None = None
    value: float | None = None
    limit: float | None = None
    worst: float | None = None
    latest: float | None = None
    off_vitals: tuple[str, ...] = ()
    ended_at: datetime | None = None
    rule: str | None = None
    partial: bool = False
    notify: bool = True

    @property
    def contradicted(self) -> bool:
        """A newer reading says that the condition has ended."""
        return self.ended_at is not None

    @property
    def fresh_for_s(self) -> float:
        return self.interval_s + SPOT_GRACE_S if self.spot else silent_after_s(self.interval_s)


class Watch(Struct, frozen=True, omit_defaults=True):
    """One side of one vital: the latches of its two levels, and the alarm while one is open."""

    warning: Latch | None = None
    critical: Latch | None = None
    episode: Episode | None = None


def is_live(episode: Episode, now: datetime, *, fresh_for_s: float | None = None) -> bool:
    """Has it not ended, and is the newest reading that supports it still fresh at `now`?"""
    fresh_s = episode.fresh_for_s if fresh_for_s is None else fresh_for_s
    return not episode.contradicted and now - episode.last_at < timedelta(seconds=fresh_s)


def look(
    watch: Watch | None, vital: str, *, levels: tuple[Level, Level], sample: Sample
) -> tuple[Watch | None, Episode | None]:
    """The watch after one more valid value of its vital (None: nothing goes on), and the episode it has ended."""
    watch = watch or Watch()
    warning = step(watch.warning, levels[0], sample=sample)
    critical = step(watch.critical, levels[1], sample=sample)
    episode, ended = watch.episode, None
    deciding = _deciding((warning, critical), levels)
    if deciding is None:
        ended = replace(episode, ended_at=sample.at) if episode else None
        episode = None
    elif episode is None:
        episode = _raise(vital, (warning, critical), level=deciding, sample=sample)
    else:
        episode = _go_on(episode, levels, deciding=deciding, sample=sample)
    return (Watch(warning, critical, episode) if warning or critical else None), ended


def _deciding(latches: tuple[Latch | None, Latch | None], levels: tuple[Level, Level]) -> Level | None:
    """The most urgent level whose latch is closed."""
    closed = [level for latch, level in zip(latches, levels, strict=True) if latch and latch.raised]
    return max(closed, key=lambda level: RANK[level.priority], default=None)


def _raise(
    vital: str, latches: tuple[Latch | None, Latch | None], *, level: Level, sample: Sample
) -> Episode:
    running = [latch for latch in latches if latch]
    worst = running[0].worst
    for latch in running:
        worst = level.worse(worst, latch.worst)
    return Episode(
        kind=f"{vital}_{level.side}",
        priority=level.priority,
        peak_priority=level.priority,
        run_from=min(latch.run.first_at for latch in running),
        raised_at=sample.at,
        last_at=sample.at,
        spot=sample.spot,
        interval_s=sample.interval_s,
        vital=vital,
        side=level.side,
        value=sample.value,
        limit=level.bound,
        worst=worst,
        latest=sample.value,
    )


def _go_on(episode: Episode, levels: tuple[Level, Level], *, deciding: Level, sample: Sample) -> Episode:
    worst, latest = episode.worst, episode.latest
    if any(level.is_beyond(sample.value) for level in levels):
        latest = sample.value
        worst = latest if worst is None else deciding.worse(worst, latest)
    changed = deciding.priority != episode.priority
    return replace(
        episode,
        value=latest if changed else episode.value,
        limit=deciding.bound if changed else episode.limit,
        priority=deciding.priority,
        peak_priority=max(episode.peak_priority, deciding.priority, key=RANK.__getitem__),
        last_at=sample.at,
        spot=sample.spot,
        interval_s=sample.interval_s,
        worst=worst,
        latest=latest,
    )
