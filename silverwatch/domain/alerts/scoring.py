"""NEWS2 of a patient from what is stored: the present assessment, and the last complete score."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import msgspec

from silverwatch import clock
from silverwatch.domain.alerts.board import NewsBadge, NewsPart
from silverwatch.domain.alerts.folding import Fold
from silverwatch.domain.readings import news2

Latest = Mapping[str, Any]
"""`vital_state.latest`: vital to [value, event time in epoch ms, interval]."""


def assess(latest: Latest, last: Mapping[str, Any], *, scale: int, now: datetime) -> news2.Assessment:
    """What NEWS2 says now. How old a part may be hangs on the risk of the last complete score."""
    measured = {
        name: news2.Measured(value=entry[0], at=clock.from_epoch_ms(entry[1]))
        for name, entry in latest.items()
    }
    interval_s = news2.observation_interval_s(cast(news2.Risk, last.get("risk", "none")))
    return news2.assess(measured, now=now, observation_interval_s=interval_s, scale=cast(news2.Scale, scale))


def news(fold: Fold) -> dict[str, Any]:
    """The last complete score, to be stored: what the fold found, by event time.

    `set_at` is the time of the newest set by hand, `previous` the score before that set.
    """
    if fold.scale is None:
        return {}
    last = fold.checkpoint.news
    if last is not None:
        found: dict[str, Any] = msgspec.to_builtins(last)
        return found
    # A score out of the stretch that was folded anew rested on what is corrected or struck out now.
    is_gone = fold.news and fold.refolded and fold.news["set_at"] > clock.epoch_ms(fold.start)
    return {} if is_gone else fold.news


def badge(latest: Latest, last: Mapping[str, Any], *, scale: int, now: datetime) -> NewsBadge:
    """The badge of a tile: whole while every part is young enough, hollow with the last score otherwise."""
    assessment = assess(latest, last, scale=scale, now=now)
    parts = tuple(
        NewsPart(name=part.name, points=part.points, value=part.value, at=part.at)
        for part in assessment.parts
    )
    score: int | None = last.get("score")
    risk: news2.Risk = last.get("risk", "none")
    at = clock.from_epoch_ms(last["at"]) if last else None
    if assessment.score is not None:
        score, risk, at = assessment.score.total, assessment.score.risk, assessment.oldest_at
    previous = last.get("previous")
    return NewsBadge(
        score=score,
        risk=risk,
        change=score - previous if score is not None and previous is not None else 0,
        at=at,
        partial=assessment.score is None,
        at_least=assessment.at_least,
        parts=parts,
    )


def due_at(last: Mapping[str, Any], *, own_minutes: int | None = None) -> datetime | None:
    """When the next set by hand is due, by a clinician's own interval or NEWS2's minimum monitoring; None without a
    complete set."""
    if not last:
        return None
    interval_s = own_minutes * 60 if own_minutes else news2.observation_interval_s(last["risk"])
    return clock.from_epoch_ms(last["set_at"] + interval_s * 1000)
