"""Rules within the fold: after each reading that they watch, which stand, and the alarm of each kind."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from msgspec.structs import replace

from silverwatch.domain.alerts.conditions import (
    ANY_PART,
    Leaf,
    Points,
    Rise,
    Score,
    Slope,
    Value,
    leaves,
    truth,
)
from silverwatch.domain.alerts.episode import Episode
from silverwatch.domain.alerts.evidence import Evidence, Trail
from silverwatch.domain.alerts.latch import RANK, Sample, Side
from silverwatch.domain.alerts.reading import SPOT, Reading
from silverwatch.domain.alerts.rule_set import Applied, RuleSet
from silverwatch.domain.alerts.rule_state import Holding, Standing, step
from silverwatch.domain.readings.vitals import BIT, CONSCIOUSNESS

_DECIDES_ALONE: Final = SPOT | {CONSCIOUSNESS}


class Cause(NamedTuple):
    """What of a condition is true: a vital or None for NEWS2, its side, value and bound. `partial`: at least that."""

    vital: str | None
    side: Side
    value: float
    limit: float
    partial: bool = False


class RuleFold:
    """The rules under way; `standing` holds only what goes on, `ended` what a reading has ended."""

    def __init__(self, standing: Mapping[str, Standing], rules: RuleSet, evidence: Evidence) -> None:
        self.standing = dict(standing)
        self.ended: list[Episode] = []
        self._rules = rules
        self._evidence = evidence

    @property
    def trails(self) -> dict[str, Trail]:
        """Values of before, for slopes."""
        return self._evidence.trails

    def add(self, reading: Reading) -> None:
        """Look at every rule that watches what this reading gives, and at those that were taken away."""
        for slope in self._rules.slopes:
            self._evidence.follow(slope, reading)
        gives = given(reading)
        for kind, group in self._rules.groups.items():
            self._look(kind, group, gives=gives, reading=reading)
        for kind in self.standing.keys() - self._rules.groups.keys():
            self._look(kind, (), gives=gives, reading=reading)

    def _look(
        self, kind: str, group: tuple[Applied, ...], *, gives: frozenset[str], reading: Reading
    ) -> None:
        before = self.standing.get(kind)
        holdings: dict[str, Holding] = {}
        heard = False
        for applied in group:
            holding = before.rules.get(applied.key) if before else None
            schedule = applied.rule.schedule
            if schedule and not schedule.holds(reading.event_at, self._rules.zone):
                continue
            if not applied.watches.isdisjoint(gives):
                says = self._says(applied, holding, reading.event_at)
                heard = heard or says is not None
                holding = step(
                    holding, says, sample=_sample(applied, gives, reading), hold_s=applied.rule.hold_s,
                    present=self._evidence.news.present,
                )  # fmt: skip
            if holding:
                holdings[applied.key] = holding
        if before or holdings:
            self._follow(kind, group, before=before, holdings=holdings, reading=reading, heard=heard)

    def _says(self, applied: Applied, holding: Holding | None, at: datetime) -> bool | None:
        return truth(
            applied.rule.condition, self._evidence, at,
            raised=holding is not None and holding.raised, basis=holding.basis if holding else 0,
        )  # fmt: skip

    def _follow(
        self, kind: str, group: tuple[Applied, ...], *, before: Standing | None,
        holdings: dict[str, Holding], reading: Reading, heard: bool,
    ) -> None:  # fmt: skip
        raised = [a for a in group if a.key in holdings and holdings[a.key].raised]
        deciding = max(raised, key=lambda a: (RANK[a.rule.priority], a.key), default=None)
        episode = before.episode if before else None
        if deciding is None:
            if episode is not None:
                self.ended.append(replace(episode, ended_at=reading.event_at))
            episode = None
        elif episode is None:
            run_from = min(holdings[a.key].run.first_at for a in raised)
            episode = self._raise(kind, deciding, run_from=run_from, reading=reading)
        elif heard or episode.rule != deciding.key:
            episode = self._go_on(episode, deciding, reading=reading)
        if holdings:
            self.standing[kind] = Standing(holdings, episode)
        else:
            self.standing.pop(kind, None)

    def _raise(self, kind: str, deciding: Applied, *, run_from: datetime, reading: Reading) -> Episode:
        cause = self._cause(deciding, reading.event_at)
        return Episode(
            kind=kind,
            priority=deciding.rule.priority,
            peak_priority=deciding.rule.priority,
            run_from=run_from,
            raised_at=reading.event_at,
            last_at=reading.event_at,
            spot=_sample(deciding, given(reading), reading).spot,
            interval_s=reading.interval_s,
            vital=cause.vital if cause else None,
            side=cause.side if cause else None,
            value=cause.value if cause else None,
            limit=cause.limit if cause else None,
            worst=cause.value if cause else None,
            latest=cause.value if cause else None,
            rule=deciding.key,
            partial=cause is not None and cause.partial,
            notify=deciding.rule.action == "notify",
        )

    def _go_on(self, episode: Episode, deciding: Applied, *, reading: Reading) -> Episode:
        cause = self._cause(deciding, reading.event_at)
        changed = cause is not None and episode.rule != deciding.key
        worst, latest = episode.worst, episode.latest
        if cause is not None and cause.vital == episode.vital and worst is not None:
            worst = max(worst, cause.value) if cause.side == "high" else min(worst, cause.value)
            latest = cause.value
        return replace(
            episode,
            priority=deciding.rule.priority,
            peak_priority=max(episode.peak_priority, deciding.rule.priority, key=RANK.__getitem__),
            last_at=reading.event_at,
            spot=_sample(deciding, given(reading), reading).spot,
            interval_s=reading.interval_s,
            value=cause.value if cause and changed else episode.value,
            limit=cause.limit if cause and changed else episode.limit,
            partial=cause.partial if cause and changed else episode.partial,
            worst=worst,
            latest=latest,
            rule=deciding.key,
            notify=deciding.rule.action == "notify",
        )

    def _cause(self, applied: Applied, at: datetime) -> Cause | None:
        """The first part of the condition that is true now."""
        found = (self._true(leaf, at) for leaf in leaves(applied.rule.condition))
        return next((cause for cause in found if cause), None)

    def _true(self, leaf: Leaf, at: datetime) -> Cause | None:
        if truth(leaf, self._evidence, at, raised=False, basis=0) is not True:
            return None
        news = self._evidence.news
        if isinstance(leaf, Value):
            value = self._evidence.value(leaf.vital, at)
            side: Side = "high" if leaf.operator[0] == ">" else "low"
            return None if value is None else Cause(leaf.vital, side, value, leaf.bound)
        if isinstance(leaf, Slope):
            change = self._evidence.change(leaf, at)
            side = "high" if leaf.direction == "rises" else "low"
            return None if change is None else Cause(None, side, change, leaf.by)
        if isinstance(leaf, Score):
            return Cause(None, "high", news.total, leaf.at_least, partial=not news.complete)
        if isinstance(leaf, Rise):
            return Cause(None, "high", news.rise or 0, leaf.at_least)
        if isinstance(leaf, Points):
            points = news.points.values() if leaf.part == ANY_PART else [news.points[leaf.part]]
            return Cause(None, "high", max(points), leaf.at_least)
        return None


def given(reading: Reading) -> frozenset[str]:
    """The vitals of which this reading gives a value, consciousness too."""
    names = [name for name in reading.values if not reading.sensor_off & BIT[name]]
    return frozenset([*names, CONSCIOUSNESS] if reading.consciousness else names)


def _sample(applied: Applied, gives: frozenset[str], reading: Reading) -> Sample:
    spot = reading.spot or gives & applied.watches <= _DECIDES_ALONE
    return Sample(reading.event_at, 0.0, spot, reading.interval_s)
