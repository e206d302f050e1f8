"""Pure: what the rules found against the alerts that are stored. Late readings may have changed both ways."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from silverwatch.domain.alerts.latch import RANK
from silverwatch.domain.alerts.rules import Episode, Verdict

REWRITE_AFTER: Final = timedelta(seconds=10)
"""How often a lasting alert's newest supporting reading is written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An alert of the patient as stored, or an earlier episode of one (`closed`).

    `held`: a person resolved it for a reason while its condition went on, and the time for that is not over.
    """

    key: object
    kind: str
    priority: str
    run_from: datetime
    event_at: datetime
    last_at: datetime
    ended_at: datetime | None
    closed: bool
    held: bool = False
    off_vitals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Raise:
    """A new alert, live or retrospective."""

    episode: Episode
    live: bool


@dataclass(frozen=True, slots=True)
class Follow:
    """A stored alert goes on, changes priority, ends, or is open again."""

    key: object
    episode: Episode
    reopen: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A late reading has shown that this alert's condition never lasted: it closes and stays in history."""

    key: object


Change = Raise | Follow | Withdraw


def reconcile(
    verdicts: Iterable[Verdict], stored: Sequence[Stored], *, since: datetime, until: datetime | None = None
) -> list[Change]:
    """Match each episode to a stored alert of its kind that overlaps it, and say what must change.

    Readings were folded from after `since` to before `until` (None: to the newest): only an alert that was
    decided within can turn out to be without an episode.
    """
    changes: list[Change] = []
    free = sorted(stored, key=lambda row: (row.event_at, row.run_from))
    for verdict in sorted(verdicts, key=lambda item: item.episode.raised_at):
        episode, live = verdict.episode, verdict.live
        match = _match(episode, free)
        if match is None:
            changes.append(Raise(episode, live))
            continue
        free.remove(match)
        change = _follow(match, episode, live=live)
        if change is not None:
            changes.append(change)
    changes.extend(
        Withdraw(row.key)
        for row in free
        if not row.closed
        and row.ended_at is None
        and row.event_at > since
        and (until is None or row.event_at < until)
    )
    return changes


def _match(episode: Episode, free: Sequence[Stored]) -> Stored | None:
    """The stored alert that is this episode: same kind and overlapping, else one that is still open.

    At most one alert of a kind is open, so a new episode while an ended one waits to be seen is the same
    alert again.
    """
    # An open one first: to open a closed one beside it would make two.
    same = sorted((row for row in free if row.kind == episode.kind), key=lambda row: row.closed)
    for row in same:
        if _overlap(row, episode):
            return row
    return next((row for row in same if not row.closed and episode.ended_at is None), None)


def _overlap(row: Stored, episode: Episode) -> bool:
    row_end = row.ended_at or row.last_at if row.closed else row.ended_at
    starts_before_row_ends = row_end is None or episode.run_from <= row_end
    ends_after_row_starts = episode.ended_at is None or episode.ended_at >= row.run_from
    return starts_before_row_ends and ends_after_row_starts


def _follow(row: Stored, episode: Episode, *, live: bool) -> Follow | None:
    if row.held and RANK[episode.priority] <= RANK[row.priority]:  # type: ignore[index]
        has_moved = episode.ended_at is not None or episode.last_at - row.last_at >= REWRITE_AFTER
        return Follow(row.key, episode, quiet=True) if has_moved else None
    if row.closed:
        return Follow(row.key, episode, reopen=True) if live else None
    if row.ended_at != episode.ended_at or row.priority != episode.priority:
        return Follow(row.key, episode)
    if tuple(row.off_vitals) != tuple(episode.off_vitals):
        return Follow(row.key, episode)
    moved = row.run_from != episode.run_from or row.event_at != episode.raised_at
    if moved or episode.last_at - row.last_at >= REWRITE_AFTER:
        return Follow(row.key, episode, quiet=True)
    return None
