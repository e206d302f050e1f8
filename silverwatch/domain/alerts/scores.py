"""NEWS2 at each set of observations: computed from what is stored, so that a late reading is in the score."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.readings import history, news2
from silverwatch.domain.readings.history import Moment
from silverwatch.domain.readings.news2 import Measured

LONGEST: Final = timedelta(hours=12, minutes=30)
FREQUENT: Final = timedelta(minutes=15)
"""The oldest values that a score may take (news2.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A set at `at` and the score it gave. `total` is None while a part was missing: it was at least `at_least`.

    `oxygen_l_min` and `consciousness` are those of the set itself, `oxygen_before` that of the last set that said;
    `applies` is False for who was too young to be scored. `by_hand`: a person entered it, `by` name where we know.
    """

    id: UUID
    at: datetime
    by_hand: bool
    by: str | None
    total: int | None
    at_least: int
    risk: news2.Risk
    single_three: bool
    oxygen_l_min: float | None
    oxygen_before: float | None
    consciousness: str | None
    values: Mapping[str, float]
    applies: bool = True

    @property
    def changes_oxygen(self) -> bool:
        """Does the patient get another flow of oxygen than at the set before?"""
        return None not in (self.oxygen_l_min, self.oxygen_before) and self.oxygen_l_min != self.oxygen_before


def scored(
    session: Session, scales: Mapping[UUID, int], *, since: datetime, until: datetime, limit: int
) -> dict[UUID, list[Score]]:
    """Of each patient (id to SpO₂ scale) the newest sets with their scores, oldest first; three statements."""
    rows = history.sets(session, scales, since=since, until=until, limit=limit)
    wanted = [(row.patient_id, row.measured_at) for row in rows]
    known = history.as_of(session, wanted, seldom=LONGEST, frequent=FREQUENT)
    mine: dict[UUID, list[Row[Any]]] = {patient_id: [] for patient_id in scales}
    for row in rows:
        mine[row.patient_id].append(row)
    born_on = _born_on(session, scales)
    return {
        patient_id: list(fold(found, known, scale=scales[patient_id], born_on=born_on[patient_id]))
        for patient_id, found in mine.items()
    }


def _born_on(session: Session, patient_ids: Iterable[UUID]) -> dict[UUID, date]:
    rows = session.execute(
        text("SELECT id, born_on FROM patient WHERE id = ANY(:ids)"), {"ids": list(patient_ids)}
    )
    return {row.id: row.born_on for row in rows}


def fold(
    rows: Sequence[Row[Any]], known: Mapping[Moment, Row[Any]], *, scale: int, born_on: date
) -> Iterable[Score]:
    """Pure: the score at each set, in order of time. How old a part may be hangs on the score before."""
    risk: news2.Risk = "none"
    oxygen: float | None = None
    for row in rows:
        applies = news2.scale_for(scale, born_on=born_on, on=row.at.date()) is not None
        found = news2.assess(
            _measured(known[row.patient_id, row.measured_at]) if applies else {},
            now=row.at,
            observation_interval_s=news2.observation_interval_s(risk),
            scale=cast(news2.Scale, scale),
        )
        if found.score is not None:
            risk = found.score.risk
        given = row.supplemental_oxygen
        yield Score(
            id=row.source_id,
            at=row.at,
            by_hand=row.source_kind == "manual",
            by=row.by,
            total=found.score.total if found.score else None,
            at_least=found.at_least,
            risk=found.score.risk if found.score else "none",
            single_three=found.single_three,
            oxygen_l_min=given,
            oxygen_before=oxygen,
            consciousness=row.consciousness,
            values=_own(row),
            applies=applies,
        )
        oxygen = oxygen if given is None else given


def _measured(row: Row[Any]) -> dict[str, Measured]:
    names = (*history.FREQUENT, *history.SELDOM)
    values = row._mapping
    return {name: Measured(values[name], values[f"{name}_at"]) for name in names if values[name] is not None}


def _own(row: Row[Any]) -> dict[str, float]:
    values = row._mapping
    names = (*history.FREQUENT, "systolic_bp", "diastolic_bp", "temperature")
    return {name: values[name] for name in names if values[name] is not None}


def scores_at(session: Session, scales: Mapping[UUID, int], moment: datetime) -> dict[UUID, int | None]:
    """The score of each of these patients (id to scale of SpO2) then; None: a part was missing, left out: too young."""
    born_on = _born_on(session, scales)
    scaled = {
        id_: news2.scale_for(scale, born_on=born_on[id_], on=moment.date()) for id_, scale in scales.items()
    }
    moments = [(patient_id, moment) for patient_id, scale in scaled.items() if scale is not None]
    known = history.as_of(session, moments, seldom=LONGEST, frequent=FREQUENT)
    found: dict[UUID, int | None] = {}
    for (patient_id, _), row in known.items():
        assessed = news2.assess(
            _measured(row),
            now=moment,
            observation_interval_s=news2.observation_interval_s("none"),
            scale=cast(news2.Scale, scales[patient_id]),
        )
        found[patient_id] = assessed.score.total if assessed.score else None
    return found
