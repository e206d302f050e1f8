"""NEWS2 at each set of observations: computed from what is stored, so that a late reading is in the score."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from silverwatch.domain.readings import history, news2
from silverwatch.domain.readings.news2 import Measured

LONGEST: Final = timedelta(hours=12, minutes=30)
FREQUENT: Final = timedelta(minutes=15)
"""The oldest values that a score may take (news2.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A set at `at` and the score it gave. `total` is None while a part was missing: it was at least `at_least`.

    `oxygen_l_min` and `consciousness` are those of the set itself; `by_hand`: a person entered it.
    """

    id: UUID
    at: datetime
    by_hand: bool
    total: int | None
    at_least: int
    risk: news2.Risk
    single_three: bool
    oxygen_l_min: float | None
    consciousness: str | None
    values: Mapping[str, float]


def scored(
    session: Session, patient_id: UUID, *, since: datetime, now: datetime, scale: int, limit: int,
    before: datetime | None = None,
) -> list[Score]:  # fmt: skip
    """The newest sets after `since` with their scores, oldest first; two statements."""
    until = before or now + timedelta(minutes=10)
    rows = history.sets(session, patient_id, since=since, until=until, limit=limit)
    moments = [row.measured_at for row in rows]
    known = history.as_of(session, patient_id, moments, seldom=LONGEST, frequent=FREQUENT)
    return list(fold(rows, known, scale=scale))


def fold(rows: Sequence[Row[Any]], known: Mapping[datetime, Row[Any]], *, scale: int) -> Iterable[Score]:
    """Pure: the score at each set, in order of time. How old a part may be hangs on the score before."""
    risk: news2.Risk = "none"
    for row in rows:
        found = news2.assess(
            _measured(known[row.measured_at]),
            now=row.at,
            observation_interval_s=news2.observation_interval_s(risk),
            scale=cast(news2.Scale, scale),
        )
        if found.score is not None:
            risk = found.score.risk
        yield Score(
            id=row.source_id,
            at=row.at,
            by_hand=row.source_kind == "manual",
            total=found.score.total if found.score else None,
            at_least=found.at_least,
            risk=found.score.risk if found.score else "none",
            single_three=found.single_three,
            oxygen_l_min=row.supplemental_oxygen,
            consciousness=row.consciousness,
            values=_own(row),
        )


def _measured(row: Row[Any]) -> dict[str, Measured]:
    names = (*history.FREQUENT, *history.SELDOM)
    values = row._mapping
    return {name: Measured(values[name], values[f"{name}_at"]) for name in names if values[name] is not None}


def _own(row: Row[Any]) -> dict[str, float]:
    values = row._mapping
    names = (*history.FREQUENT, "systolic_bp", "diastolic_bp", "temperature")
    return {name: values[name] for name in names if values[name] is not None}
