"""NEWS2 explained: why this score, from which values, how old they are, who measured them, and what follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.alerts import decisions, scoring
from silverwatch.domain.alerts.due import Due, due
from silverwatch.domain.alerts.tiles import age_years
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.readings import news2
from silverwatch.domain.readings.accept import AHEAD
from silverwatch.domain.readings.vitals import CONSCIOUSNESS
from silverwatch.domain.records.models import Patient

OXYGEN: Final = "supplemental_oxygen"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPart:
    """One of the seven parts. `points` is None where it cannot be scored now: never measured, or too old (`stale`).

    `vital` gave the value: the pulse stands in for a heart rate. `band` holds the values that earn as many points
    (None for consciousness and oxygen, which have no numbers). `device` or, for a set by hand, `by` measured it.
    """

    name: str
    vital: str
    points: int | None
    value: news2.Value | None = None
    at: datetime | None = None
    stale: bool = False
    band: news2.Band | None = None
    device: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleChoice:
    """The scale that the saturation is scored on; the others are None while nobody has decided."""

    scale: int
    by: str | None = None
    at: datetime | None = None
    because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsCard:
    """NEWS2 of a patient at `now`.

    `applies` is False for who is too young: then nothing is scored. `score` with its `risk` is the last complete one,
    `at` the time of its oldest part, None if there never was one; while it is `partial` the true score is `at_least`
    so many, and `risk_now` is the higher one of both. `change` is against the set before. `typed`: the vitals
    whose values are not stored yet.
    """

    patient_id: UUID
    now: datetime
    typed: frozenset[str] = frozenset()
    applies: bool
    age_years: int
    score: int | None
    risk: news2.Risk
    risk_now: news2.Risk
    single_three: bool
    change: int
    at: datetime | None
    partial: bool
    at_least: int
    parts: tuple[CardPart, ...]
    scale: ScaleChoice
    due: Due


_PATIENT = """
SELECT p.born_on, p.spo2_scale, vs.latest, js.news FROM patient p
LEFT JOIN vital_state vs ON vs.patient_id = p.id
LEFT JOIN judge_state js ON js.patient_id = p.id
WHERE p.id = :id
"""

_RISKS: Final[tuple[news2.Risk, ...]] = ("none", "low", "low-medium", "medium", "high")


def latest_of(session: Session, patient_id: UUID) -> dict[str, Any]:
    """The newest value of each vital: `vital_state.latest`."""
    row = session.execute(text(_PATIENT), {"id": patient_id}).first()
    return (row.latest if row else None) or {}


def news_card(
    session: Session, patient_id: UUID, *, now: datetime, entered: Mapping[str, news2.Value] | None = None
) -> NewsCard:
    """The card of one patient; a fixed number of statements. Raises NotFoundError.

    With the values `entered` it is what the card would be if they had been measured now.
    """
    row = session.execute(text(_PATIENT), {"id": patient_id}).first()
    if row is None:
        raise NotFoundError("There is no such patient.")
    now_ms = clock.epoch_ms(now)
    typed = {name: [value, now_ms, None] for name, value in (entered or {}).items()}
    latest, last = {**(row.latest or {}), **typed}, row.news or {}
    if typed and last:
        last = {**last, "previous": last.get("score")}
    assessment = scoring.assess(latest, last, scale=row.spo2_scale, now=now)
    badge = scoring.badge(latest, last, scale=row.spo2_scale, now=now)
    years = age_years(row.born_on, on=now.date())
    applies = years >= news2.MIN_AGE_YEARS
    at_least = news2.risk_of(assessment.at_least, single_three=assessment.single_three)
    return NewsCard(
        patient_id=patient_id,
        now=now,
        typed=frozenset(typed),
        applies=applies,
        age_years=years,
        score=badge.score,
        risk=badge.risk,
        risk_now=max(badge.risk, at_least, key=_RISKS.index) if badge.partial else badge.risk,
        single_three=assessment.single_three,
        change=badge.change,
        at=badge.at,
        partial=badge.partial,
        at_least=badge.at_least,
        parts=_parts(session, patient_id, assessment, latest, scale=row.spo2_scale) if applies else (),
        scale=_scale(session, patient_id, row.spo2_scale),
        due=due(session, [patient_id], now=now)[patient_id],
    )


def news_cards(session: Session, patient_ids: Sequence[UUID], now: datetime) -> dict[UUID, NewsCard]:
    """The card of each of these patients that exists: the few whose pages somebody has open."""
    known = session.scalars(select(Patient.id).where(Patient.id.in_(patient_ids)))
    return {patient_id: news_card(session, patient_id, now=now) for patient_id in known.all()}


def _scale(session: Session, patient_id: UUID, scale: int) -> ScaleChoice:
    decided = decisions.scales_of(session, patient_id, limit=1)
    if not decided:
        return ScaleChoice(scale=scale)
    newest = decided[0]
    return ScaleChoice(scale=scale, by=newest.name, at=newest.decided_at, because=newest.because)


def _parts(
    session: Session, patient_id: UUID, found: news2.Assessment, latest: Mapping[str, Any], *, scale: int
) -> tuple[CardPart, ...]:
    vitals = {part.name: _vital(part, latest) for part in found.parts}
    seen = {vitals[part.name]: part.at for part in found.parts if part.at is not None}
    sources = _sources(session, patient_id, seen)
    oxygen = next(part for part in found.parts if part.name == OXYGEN)
    on_oxygen = oxygen.points is not None and oxygen.points > 0
    return tuple(
        _part(part, vitals[part.name], sources.get(vitals[part.name]), scale=scale, on_oxygen=on_oxygen)
        for part in found.parts
    )


def _part(part: news2.Part, vital: str, source: Row[Any] | None, *, scale: int, on_oxygen: bool) -> CardPart:
    band = None
    if part.points is not None and part.value is not None and part.name not in (OXYGEN, CONSCIOUSNESS):
        band = news2.band_of(part.name, part.value, scale=cast(news2.Scale, scale), on_oxygen=on_oxygen)
    return CardPart(
        name=part.name,
        vital=vital,
        points=part.points,
        value=part.value,
        at=part.at,
        stale=part.at is not None and part.points is None,
        band=band,
        device=source.serial if source else None,
        by=source.name if source else None,
    )


def _vital(part: news2.Part, latest: Mapping[str, Any]) -> str:
    """The vital that gave the part: the pulse where its value is the one that is shown."""
    if part.name != "heart_rate" or part.at is None:
        return part.name
    own = latest.get("heart_rate")
    return "heart_rate" if own and own[1] == clock.epoch_ms(part.at) else "pulse_rate"


# The set that a latest value came from: of that event time, which a fast clock can put before `measured_at`.
_SOURCE = """
(SELECT '{v}' AS vital, d.serial, a.name FROM reading r
 LEFT JOIN device d ON d.id = r.source_id
 LEFT JOIN observation_entry e ON e.patient_id = r.patient_id AND e.measured_at = r.measured_at
   AND e.source_id = r.source_id
 LEFT JOIN account a ON a.id = e.account_id
 WHERE r.patient_id = :patient AND r.measured_at >= :{v} AND r.measured_at <= CAST(:{v} AS timestamptz) + :ahead
   AND least(r.measured_at, r.received_at) < CAST(:{v} AS timestamptz) + :tick AND r.{v} IS NOT NULL
 ORDER BY r.measured_at DESC LIMIT 1)"""


def _sources(session: Session, patient_id: UUID, seen: Mapping[str, datetime]) -> dict[str, Row[Any]]:
    """Who measured each vital at its time: device or person, in one statement."""
    if not seen:
        return {}
    query = " UNION ALL ".join(_SOURCE.format(v=vital) for vital in seen)
    # Latest values keep their time in milliseconds.
    params = {"patient": patient_id, "ahead": AHEAD, "tick": timedelta(milliseconds=1), **seen}
    return {row.vital: row for row in session.execute(text(query), params)}
