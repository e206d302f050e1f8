"""Which house rules apply to which patient, in layers; one of a lower layer may stand instead of one above."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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

_IN_FORCE = """
SELECT r.id, r.ward_id, r.patient_id, r.instead_of, r.created_at, CAST(v.rule AS text) AS rule
FROM alarm_rule r JOIN alarm_rule_version v ON v.rule_id = r.id AND v.number = r.version
WHERE r.retired_at IS NULL
ORDER BY r.id
"""
_CHANGED = """
SELECT greatest((SELECT max(changed_at) FROM alarm_rule_version WHERE number > 1),
                (SELECT max(retired_at) FROM alarm_rule),
                (SELECT max(created_at) FROM alarm_rule WHERE instead_of IS NOT NULL))
"""
# From bed to bed without a gap is one stay.
_STAYS = """
SELECT s.patient_id, b.ward_id,
       (SELECT lower(r) FROM (SELECT unnest(range_agg(e.during)) AS r FROM stay e WHERE e.patient_id = s.patient_id) x
        WHERE r @> CAST(:now AS timestamptz)) AS since
FROM stay s JOIN bed b ON b.id = s.bed_id
WHERE s.patient_id = ANY(:patients) AND s.during @> CAST(:now AS timestamptz)
"""


@dataclass(frozen=True, slots=True)
class Where:
    """Where a patient lies, and since when."""

    ward_id: UUID
    since: datetime


def rules_of(session: Session, patient_ids: Iterable[UUID], *, now: datetime) -> dict[UUID, RuleSet]:
    """The rules that apply to each of these patients now; who has the same ones shares an instance."""
    applied = in_force(session, patient_ids, now=now)
    zone = clock.site_zone()
    return {patient_id: _prepared(tuple(rules), zone) for patient_id, rules in applied.items()}


def in_force(
    session: Session, patient_ids: Iterable[UUID], *, now: datetime
) -> dict[UUID, list[tuple[str, str]]]:
    """The same as (key, rule in JSON), those too that are off or found by the clock alone."""
    rows = session.execute(text(_IN_FORCE)).all()
    patients = list(patient_ids)
    layered = any(row.ward_id or row.patient_id for row in rows)
    stays = _stays(session, patients, now=now) if layered else {}
    return {
        patient: [(str(row.id), row.rule) for row in _winning(rows, patient, stays.get(patient))]
        for patient in patients
    }


def changed_at(session: Session) -> datetime | None:
    """When a rule was last changed, replaced or retired; None while all are as they were made."""
    found: datetime | None = session.scalar(text(_CHANGED))
    return found


def decode(rule: str | Mapping[str, Any]) -> Rule:
    """A rule as it is stored."""
    return _decoded(rule) if isinstance(rule, str) else msgspec.convert(rule, Rule)


def _stays(session: Session, patients: list[UUID], *, now: datetime) -> dict[UUID, Where]:
    rows = session.execute(text(_STAYS), {"patients": patients, "now": now})
    return {row.patient_id: Where(row.ward_id, row.since) for row in rows}


def _winning(rows: Sequence[Row[Any]], patient_id: UUID, where: Where | None) -> list[Row[Any]]:
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


def _applies(row: Row[Any], patient_id: UUID, where: Where | None) -> bool:
    if row.ward_id is not None:
        return where is not None and row.ward_id == where.ward_id
    if row.patient_id is not None:
        # A patient's own rule ends with the stay that it was made in.
        return bool(row.patient_id == patient_id and where is not None and row.created_at >= where.since)
    return True


@lru_cache(maxsize=1024)
def _decoded(rule: str) -> Rule:
    return msgspec.json.decode(rule, type=Rule)


@lru_cache(maxsize=256)
def _prepared(rules: tuple[tuple[str, str], ...], zone: tzinfo) -> RuleSet:
    return RuleSet({key: _decoded(rule) for key, rule in rules}, zone)
