"""When the next set of observations of a patient is due, and by whose word: the chart's, or a clinician's own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.alerts import decisions
from silverwatch.domain.alerts.tiles import age_years
from silverwatch.domain.readings import news2

Why = Literal["chart", "decision", "first", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The next set is due `at`, `interval_s` after the last one of `set_at`.

    `why`: by the "chart" for `risk`, by a clinician's "decision" (`by`, `because`, `until`), or it is the "first"
    set of the stay; "none" where nothing says when (in no bed, or NEWS2 is not for this patient).
    """

    at: datetime | None
    now: datetime
    why: Why
    interval_s: int | None = None
    set_at: datetime | None = None
    risk: news2.Risk = "none"
    by: str | None = None
    because: str | None = None
    until: datetime | None = None

    @property
    def overdue_s(self) -> float:
        """Seconds since when it is overdue; 0 before."""
        return max(0.0, (self.now - self.at).total_seconds()) if self.at else 0.0


_FACTS: Final = """
SELECT p.id, p.born_on, js.news, vs.latest->'consciousness'->>1 AS looked_ms, lower(s.during) AS here_since
FROM patient p
LEFT JOIN judge_state js ON js.patient_id = p.id
LEFT JOIN vital_state vs ON vs.patient_id = p.id
LEFT JOIN stay s ON s.patient_id = p.id AND s.during @> CAST(:now AS timestamptz)
WHERE p.id = ANY(:ids)
"""


def due(session: Session, patient_ids: Iterable[UUID], *, now: datetime) -> dict[UUID, Due]:
    """Of each of these patients, in two statements."""
    ids = list(patient_ids)
    own = decisions.own_intervals(session, ids, now=now)
    rows = session.execute(text(_FACTS), {"ids": ids, "now": now})
    return {row.id: _due(row, own.get(row.id), now=now) for row in rows}


def _due(row: Row[Any], own: Row[Any] | None, *, now: datetime) -> Due:
    is_scored = age_years(row.born_on, on=now.date()) >= news2.MIN_AGE_YEARS
    news: Mapping[str, Any] = row.news if row.news and is_scored else {}
    # Who is not scored has no complete set: then the last one is when somebody last looked.
    set_ms = news.get("set_at") if is_scored else row.looked_ms
    set_at = clock.from_epoch_ms(int(set_ms)) if set_ms is not None else None
    if own is not None:
        return Due(
            at=(set_at or own.decided_at) + timedelta(minutes=own.minutes),
            now=now,
            why="decision",
            interval_s=own.minutes * 60,
            set_at=set_at,
            risk=news.get("risk", "none"),
            by=own.name,
            because=own.because,
            until=own.until,
        )
    if not is_scored:
        return Due(at=None, now=now, why="none", set_at=set_at)
    if set_at is None:
        return Due(at=row.here_since, now=now, why="first" if row.here_since else "none")
    interval_s = news2.observation_interval_s(news["risk"])
    return Due(
        at=set_at + timedelta(seconds=interval_s),
        now=now,
        why="chart",
        interval_s=interval_s,
        set_at=set_at,
        risk=news["risk"],
    )
