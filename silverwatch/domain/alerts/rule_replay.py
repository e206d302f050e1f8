"""What a rule would have said about the readings that are stored: the same fold, nothing stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.alerts.conditions import watched
from silverwatch.domain.alerts.folding import reading_of
from silverwatch.domain.alerts.house_rule import Rule
from silverwatch.domain.alerts.limits import Limits
from silverwatch.domain.alerts.rule_set import RuleSet
from silverwatch.domain.alerts.rules import Checkpoint, Reading, evaluate
from silverwatch.domain.readings import news2
from silverwatch.domain.readings.vitals import BY_NAME, CONSCIOUSNESS, NUMERIC

SPANS: Final = {"24 h": timedelta(hours=24), "14 days": timedelta(days=14)}
MOST: Final = 40_000
"""So many readings are looked at, the newest ones: a page must answer while a person waits."""

_READINGS = f"""
SELECT r.patient_id, r.measured_at, r.received_at, r.source_id, r.sensor_off, r.consciousness, d.interval_s,
       p.spo2_scale, p.born_on, {", ".join(f"r.{name}" for name in NUMERIC)}
FROM reading r
JOIN patient p ON p.id = r.patient_id
LEFT JOIN device d ON d.id = r.source_id
WHERE r.patient_id = ANY(:patients) AND r.measured_at > :since AND r.measured_at <= :now AND ({{watched}})
ORDER BY r.measured_at DESC LIMIT :most
"""
_LYING = """
SELECT s.patient_id FROM stay s JOIN bed b ON b.id = s.bed_id
WHERE b.ward_id = ANY(:wards) AND s.during @> CAST(:now AS timestamptz)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What came out. `since`: how far back the readings reach that were looked at; `capped`: not as far as asked."""

    alarms: int
    patients: int
    of_patients: int
    readings: int
    since: datetime
    capped: bool
    span: str


def replay(
    session: Session, rule: Rule, *, patient_ids: Sequence[UUID], span: str, now: datetime, most: int = MOST
) -> Replay:
    """Fold the stored readings of these patients by this rule alone."""
    since = now - SPANS[span]
    names = sorted(watched(rule.condition) & {*BY_NAME, CONSCIOUSNESS})
    query = _READINGS.format(watched=" OR ".join(f"r.{name} IS NOT NULL" for name in names))
    rows = session.execute(
        text(query), {"patients": list(patient_ids), "since": since, "now": now, "most": most}
    ).all()
    by_patient: dict[UUID, list[Row[Any]]] = {}
    for row in rows:
        by_patient.setdefault(row.patient_id, []).append(row)
    rules = RuleSet({"replay": rule}, clock.site_zone())
    found = [_count(of, rules, now=now) for of in by_patient.values()]
    return Replay(
        alarms=sum(found),
        patients=sum(count > 0 for count in found),
        of_patients=len(patient_ids),
        readings=len(rows),
        since=rows[-1].measured_at if len(rows) == most else since,
        capped=len(rows) == most,
        span=span,
    )


def lying_in(session: Session, ward_ids: Sequence[UUID], *, now: datetime) -> list[UUID]:
    """The patients who lie in these wards."""
    return list(session.scalars(text(_LYING), {"wards": list(ward_ids), "now": now}))


def _count(rows: Sequence[Row[Any]], rules: RuleSet, *, now: datetime) -> int:
    readings: list[Reading] = [reading_of(row) for row in rows]
    scale = news2.scale_for(rows[0].spo2_scale, born_on=rows[0].born_on, on=now.date())
    _, verdicts = evaluate(Checkpoint.empty(), readings, limits=Limits({}), now=now, rules=rules, scale=scale)
    return len(verdicts)
