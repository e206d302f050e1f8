"""Which house rules apply to which patient, in layers; one of a lower layer may stand instead of one above."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.alerts.conditions import ANY_PART, Points, Rise, Score
from silverwatch.domain.alerts.house_rule import Rule
from silverwatch.domain.alerts.rule_set import RuleSet

NEWS_HOLD_S: Final = 60.0
"""The parts that come continuously flicker around the edges of their bands (proposal)."""

SITE_RULES: Final[Mapping[str, Rule]] = {
    "01980000-0000-7000-8000-000000000701": Rule(
        name="NEWS2 of 7 or more", condition=Score(at_least=7), hold_s=NEWS_HOLD_S, priority="high"
    ),
    "01980000-0000-7000-8000-000000000501": Rule(
        name="NEWS2 of 5 or more", condition=Score(at_least=5), hold_s=NEWS_HOLD_S
    ),
    "01980000-0000-7000-8000-000000000301": Rule(
        name="One part of NEWS2 has 3 points", condition=Points(part=ANY_PART, at_least=3),
        hold_s=NEWS_HOLD_S, priority="low", action="show", enabled=False,
    ),
    "01980000-0000-7000-8000-000000000201": Rule(
        name="NEWS2 has risen by 2", condition=Rise(at_least=2), hold_s=NEWS_HOLD_S, priority="low",
        action="show", enabled=False,
    ),
}  # fmt: skip
"""What a new site begins with (the migration writes them)."""

# A rule that came with the site, whoever made it, held ever since; everybody else's from when it was written.
_VERSIONS = """
SELECT r.id, r.ward_id, r.patient_id, r.instead_of, r.created_at, CAST(v.rule AS text) AS rule,
       CASE WHEN v.number > 1 OR v.changed_by IS NOT NULL THEN v.changed_at END AS since,
       least(r.retired_at, n.changed_at) AS until
FROM alarm_rule r JOIN alarm_rule_version v ON v.rule_id = r.id
LEFT JOIN alarm_rule_version n ON n.rule_id = r.id AND n.number = v.number + 1
WHERE least(r.retired_at, n.changed_at) IS NULL OR least(r.retired_at, n.changed_at) > :since
ORDER BY r.id, v.number
"""
# From bed to bed without a gap is one stay.
_STAYS = """
SELECT s.patient_id, b.ward_id, lower(s.during) AS since, upper(s.during) AS until,
       (SELECT lower(r) FROM (SELECT unnest(range_agg(e.during)) AS r FROM stay e WHERE e.patient_id = s.patient_id) x
        WHERE r @> lower(s.during)) AS here_since
FROM stay s JOIN bed b ON b.id = s.bed_id
WHERE s.patient_id = ANY(:patients) AND s.during && tstzrange(:since, :now, '[]')
"""
Applying = list[tuple[str, str]]
"""The rules that apply to a patient as (key, rule in JSON)."""


def rules_of(session: Session, patient_ids: Iterable[UUID], *, now: datetime) -> dict[UUID, RuleSet]:
    """The rules that apply to each of these patients now; who has the same ones shares an instance."""
    courses = courses_of(session, dict.fromkeys(patient_ids, now), now=now)
    return {patient_id: course[-1][1] for patient_id, course in courses.items()}


def courses_of(
    session: Session, since: Mapping[UUID, datetime], *, now: datetime
) -> dict[UUID, tuple[tuple[datetime, RuleSet], ...]]:
    """Which rules applied to each of these patients from their `since` to `now`: one set where none changed."""
    zone = clock.site_zone()
    return {
        patient_id: tuple((at, _prepared(tuple(rules), zone)) for at, rules in course)
        for patient_id, course in _courses(session, since, now=now).items()
    }


def in_force(session: Session, patient_ids: Iterable[UUID], *, now: datetime) -> dict[UUID, Applying]:
    """What applies now, those too that are off or found by the clock alone."""
    courses = _courses(session, dict.fromkeys(patient_ids, now), now=now)
    return {patient_id: course[-1][1] for patient_id, course in courses.items()}


def _courses(
    session: Session, since: Mapping[UUID, datetime], *, now: datetime
) -> dict[UUID, list[tuple[datetime, Applying]]]:
    params = {"patients": list(since), "since": min(since.values(), default=now), "now": now}
    rows = session.execute(text(_VERSIONS), params).all()
    stays: dict[UUID, list[Row[Any]]] = {}
    if any(row.ward_id or row.patient_id for row in rows):
        for stay in session.execute(text(_STAYS), params):
            stays.setdefault(stay.patient_id, []).append(stay)
    return {
        patient_id: _course(rows, stays.get(patient_id, ()), patient_id, since=start, now=now)
        for patient_id, start in since.items()
    }


def _course(
    rows: Sequence[Row[Any]], stays: Sequence[Row[Any]], patient_id: UUID, *, since: datetime, now: datetime
) -> list[tuple[datetime, Applying]]:
    edges = {at for row in (*rows, *stays) for at in (row.since, row.until) if at is not None}
    course: list[tuple[datetime, Applying]] = []
    for moment in sorted({since, *(at for at in edges if since < at <= now)}):
        held = [row for row in rows if _holds(row, moment)]
        where = next((stay for stay in stays if _holds(stay, moment)), None)
        applying = [(str(row.id), row.rule) for row in _winning(held, patient_id, where)]
        if not course or course[-1][1] != applying:
            course.append((moment, applying))
    return course


def _holds(row: Row[Any], at: datetime) -> bool:
    return (row.since is None or row.since <= at) and (row.until is None or at < row.until)


def decode(rule: str | Mapping[str, Any]) -> Rule:
    """A rule as it is stored."""
    return _decoded(rule) if isinstance(rule, str) else msgspec.convert(rule, Rule)


def _winning(rows: Sequence[Row[Any]], patient_id: UUID, where: Row[Any] | None) -> list[Row[Any]]:
    """The rules that apply, without those in whose place another one of a lower layer stands."""
    applied = [row for row in rows if _applies(row, patient_id, where)]
    lowest: dict[UUID, Row[Any]] = {}
    for row in applied:
        root = row.instead_of or row.id
        # Of one layer the newest.
        if root not in lowest or _depth(row) >= _depth(lowest[root]):
            lowest[root] = row
    return [row for row in applied if lowest[row.instead_of or row.id] is row]


def _depth(row: Row[Any]) -> int:
    return 2 if row.patient_id else 1 if row.ward_id else 0


def _applies(row: Row[Any], patient_id: UUID, where: Row[Any] | None) -> bool:
    if row.ward_id is not None:
        return where is not None and row.ward_id == where.ward_id
    if row.patient_id is not None:
        # A patient's own rule ends with the stay that it was made in.
        return bool(row.patient_id == patient_id and where is not None and row.created_at >= where.here_since)
    return True


@lru_cache(maxsize=1024)
def _decoded(rule: str) -> Rule:
    return msgspec.json.decode(rule, type=Rule)


@lru_cache(maxsize=256)
def _prepared(rules: tuple[tuple[str, str], ...], zone: tzinfo) -> RuleSet:
    return RuleSet({key: _decoded(rule) for key, rule in rules}, zone)
