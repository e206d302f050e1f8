"""Pure: what the rules found against the alerts that are stored. Late readings may have changed all of it.

The law (decision 0016): whatever order the readings came in, what is stored and not withdrawn says the same as one
fold over all of them in order. Nothing that was live is taken away: what the readings no longer show is withdrawn.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from silverwatch.domain.alerts.latch import RANK
from silverwatch.domain.alerts.rules import Episode, Verdict

REWRITE_AFTER: Final = timedelta(seconds=10)
"""How often a lasting alert's newest supporting reading is written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An alert of the patient as stored, or what one said before it came back (`earlier`, and then `closed`).

    `says`: those of `columns` that are stored. `live`: people were told while it was true, so its peak is a fact.
    `held`: a person resolved it for a reason while its condition went on, and the time for that is not over.
    """

    key: object
    kind: str
    priority: str
    peak_priority: str
    run_from: datetime
    event_at: datetime
    last_at: datetime
    ended_at: datetime | None
    closed: bool
    live: bool = True
    held: bool = False
    withdrawn: bool = False
    earlier: bool = False
    says: Mapping[str, object] = field(default_factory=dict)

    @property
    def known_until(self) -> datetime:
        """As far as it was known to stand; what is withdrawn has an end that no reading gave."""
        return self.last_at if self.ended_at is None or self.withdrawn else self.ended_at


@dataclass(frozen=True, slots=True)
class Raise:
    """A new alert, live or retrospective."""

    episode: Episode
    live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """A stored alert goes on, changes priority, ends, or is another one in hindsight. `live`: it is true now."""

    key: object
    episode: Episode
    live: bool
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The readings do not show this alert (any more): it closes, stays in history and counts as none."""

    key: object


Change = Raise | Follow | Withdraw
Pair = tuple[Verdict, Stored]


def columns(episode: Episode) -> dict[str, Any]:
    """What of an alert follows the readings, but its priority at the worst and its end."""
    return {
        "run_from": episode.run_from,
        "event_at": episode.raised_at,
        "priority": episode.priority,
        "last_at": episode.last_at,
        "vital": episode.vital,
        "side": episode.side,
        "value": episode.value,
        "limit": episode.limit,
        "worst": episode.worst,
        "off_vitals": list(episode.off_vitals),
        "rule_id": UUID(episode.rule) if episode.rule else None,
        "partial": episode.partial,
        "notify": episode.notify,
    }


def reconcile(
    verdicts: Iterable[Verdict],
    stored: Sequence[Stored],
    *,
    since: datetime,
    until: datetime | None = None,
) -> list[Change]:
    """Give each episode the stored alert that it is, and say what must change: withdrawals first, then by time.

    Readings were folded from after `since` to before `until` (None: to the newest). What was decided within is no
    alert unless it has an episode. What was decided later is left to the fold that goes on from there, and what is
    true at `until` is not raised yet: it may have ended long ago.
    """
    found: dict[str, tuple[list[Verdict], list[Stored]]] = defaultdict(lambda: ([], []))
    for verdict in sorted(verdicts, key=lambda item: item.episode.raised_at):
        found[verdict.episode.kind][0].append(verdict)
    for row in sorted(stored, key=lambda row: (row.event_at, row.run_from)):
        if until is None or row.event_at < until:
            found[row.kind][1].append(row)
    withdrawn: list[Change] = []
    changes: list[tuple[datetime, Change]] = []
    for told, rows in found.values():
        begun = {verdict.episode.raised_at for verdict in told}
        # What was decided before is not in question; one that goes on, or has just ended, began at the same reading.
        pairs = _pairs(told, [r for r in rows if not _was_over(r, since) or r.event_at in begun])
        taken = {row.key for _, row in pairs}
        matched = {id(verdict): row for verdict, row in pairs}
        withdrawn += [
            Withdraw(row.key)
            for row in rows
            if row.key not in taken
            and (row.event_at > since or _went_on(row, since=since, begun=begun))
            and not row.withdrawn
        ]
        for verdict in told:
            change = _change(verdict, matched.get(id(verdict)), cut=until is not None)
            if change is not None:
                changes.append((verdict.episode.raised_at, change))
    return withdrawn + [change for _, change in sorted(changes, key=lambda pair: pair[0])]


def _was_over(row: Stored, since: datetime) -> bool:
    """Decided before `since`, and over: also where it stands open because nobody has seen it yet."""
    return row.event_at <= since and (row.closed or (row.ended_at is not None and row.ended_at <= since))


def _went_on(row: Stored, *, since: datetime, begun: Set[datetime]) -> bool:
    """It went on after `since`, and so does the episode that began at its reading: another alert is that one now."""
    return row.event_at in begun and (row.ended_at is None or row.ended_at > since)


def _pairs(verdicts: Sequence[Verdict], rows: Sequence[Stored]) -> list[Pair]:
    """Which alert each of these episodes is, all of one kind and in order of time.

    An open alert comes first, and stays open if it can: nobody is told again of what they see. Then those that began
    at the same reading, then those that overlap, and at last what was withdrawn before.
    """
    pairing = _Pairing(verdicts, rows)
    is_open, is_closed, is_gone = _is_open, _is_closed, _is_gone
    pairing.take(is_open, _stood_then)
    pairing.take(is_open, _same)
    pairing.take(is_open, _overlap)
    pairing.take(is_closed, _same)
    pairing.take(is_closed, _overlap)
    pairing.take(is_gone, _same)
    pairing.take(is_gone, _overlap)
    return pairing.pairs


class _Pairing:
    """Pairs under way; the newest episode is asked first, for it may be true now."""

    def __init__(self, verdicts: Sequence[Verdict], rows: Sequence[Stored]) -> None:
        self.pairs: list[Pair] = []
        self._verdicts = list(reversed(verdicts))
        self._rows = list(rows)

    def take(self, wanted: Callable[[Stored], bool], fits: Callable[[Episode, Stored], bool]) -> None:
        """Pair what is left with the wanted rows that fit."""
        for verdict in list(self._verdicts):
            row = next((row for row in self._rows if wanted(row) and _may(verdict.episode, row)
                        and fits(verdict.episode, row)), None)  # fmt: skip
            if row is not None:
                self.pairs.append((verdict, row))
                self._verdicts.remove(verdict)
                self._rows.remove(row)


def _is_open(row: Stored) -> bool:
    return not row.closed


def _is_closed(row: Stored) -> bool:
    return row.closed and not row.withdrawn


def _is_gone(row: Stored) -> bool:
    return row.closed and row.withdrawn


def _may(episode: Episode, row: Stored) -> bool:
    """What an alert said before it came back is over: it cannot go on."""
    return not row.earlier or episode.ended_at is not None


def _stood_then(episode: Episode, row: Stored) -> bool:
    """The alert was told to stand when this episode, which goes on, was decided: nothing new for who sees it."""
    is_on = episode.ended_at is None and row.ended_at is None
    return is_on and row.event_at <= episode.raised_at <= row.last_at


def _same(episode: Episode, row: Stored) -> bool:
    return episode.raised_at == row.event_at


def _overlap(episode: Episode, row: Stored) -> bool:
    until = episode.ended_at
    return episode.run_from <= row.known_until and (until is None or row.run_from <= until)


def _change(verdict: Verdict, row: Stored | None, *, cut: bool) -> Change | None:
    episode, goes_on = verdict.episode, verdict.episode.ended_at is None
    live = verdict.live and not cut
    if cut and goes_on and (row is None or not row.closed):
        return None
    if row is None:
        return Raise(episode, live)
    follow = Follow(key=row.key, episode=episode, live=live)
    quiet = Follow(key=row.key, episode=episode, live=False, quiet=True)
    differs = row.withdrawn or row.ended_at != episode.ended_at or _differs(row, episode)
    if row.held and RANK[episode.priority] <= RANK[row.priority]:  # type: ignore[index]
        return quiet if differs else None
    if row.closed:
        return follow if live else quiet if differs else None
    if row.ended_at != episode.ended_at or row.priority != episode.priority:
        return follow
    if tuple(row.says.get("off_vitals", ())) != episode.off_vitals:  # type: ignore[arg-type]
        return follow
    return quiet if differs else None


def _differs(row: Stored, episode: Episode) -> bool:
    now, moved = columns(episode), abs(episode.last_at - row.last_at)
    worse = RANK[episode.peak_priority] - RANK[row.peak_priority]  # type: ignore[index]
    return bool(
        moved >= REWRITE_AFTER or (moved and episode.ended_at is not None)
        or worse > 0 or (worse < 0 and not row.live)
        or any(now[name] != value for name, value in row.says.items() if name != "last_at")
    )  # fmt: skip
