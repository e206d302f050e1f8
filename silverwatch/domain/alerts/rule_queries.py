"""Questions about house rules: what makes noise here, and how one rule came to be what it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor, Permission
from silverwatch.domain.alerts.house_rule import Rule
from silverwatch.domain.alerts.reach import Place
from silverwatch.domain.alerts.rule_book import decode, in_force
from silverwatch.domain.alerts.rule_models import AlarmRule
from silverwatch.domain.errors import NotFoundError

NOISE: Final = timedelta(days=7)

# The wards that an actor sees: a patient's own rule shows where the patient lies now.
_VISIBLE = """
SELECT r.id, r.ward_id, r.patient_id, r.version, r.created_at, r.retired_at, r.retired_because,
       v.rule, v.changed_at, v.reason, c.name AS changed_by, r.instead_of,
       (SELECT rv.rule->>'name' FROM alarm_rule ar JOIN alarm_rule_version rv
          ON rv.rule_id = ar.id AND rv.number = ar.version WHERE ar.id = r.instead_of) AS instead_of_name,
       w.name AS ward, b.label AS bed, bw.name AS bed_ward
FROM alarm_rule r
JOIN alarm_rule_version v ON v.rule_id = r.id AND v.number = r.version
LEFT JOIN account c ON c.id = v.changed_by
LEFT JOIN ward w ON w.id = r.ward_id
LEFT JOIN stay s ON s.patient_id = r.patient_id AND s.during @> CAST(:now AS timestamptz)
LEFT JOIN bed b ON b.id = s.bed_id
LEFT JOIN ward bw ON bw.id = b.ward_id
WHERE (r.ward_id IS NULL AND r.patient_id IS NULL OR r.ward_id = ANY(:wards)
       OR (:patients AND b.ward_id = ANY(:wards) AND r.created_at >= lower(s.during)))
  AND {condition}
ORDER BY r.patient_id IS NOT NULL, r.ward_id IS NOT NULL, w.name, v.rule->>'name'
LIMIT :limit
"""
_NOISE = """
SELECT a.{key} AS key, count(*) AS fired,
       count(*) FILTER (WHERE EXISTS (SELECT 1 FROM acknowledgement k WHERE k.alert_id = a.id)) AS acted
FROM alert a
JOIN stay s ON s.patient_id = a.patient_id AND s.during @> a.event_at
JOIN bed b ON b.id = s.bed_id
WHERE a.event_at >= :since AND a.event_at <= :now AND b.ward_id = ANY(:wards)
  AND (a.live OR a.closed_as <> 'withdrawn') AND {condition}
GROUP BY a.{key}
"""
_VERSIONS = """
SELECT v.number, v.rule, v.changed_at, v.reason, c.name AS changed_by
FROM alarm_rule_version v LEFT JOIN account c ON c.id = v.changed_by
WHERE v.rule_id = :id ORDER BY v.number
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How often it raised in 7 days in these wards, and how many of these somebody took."""

    fired: int = 0
    acted: int = 0

    @property
    def acted_percent(self) -> int | None:
        """None where it never raised."""
        return round(100 * self.acted / self.fired) if self.fired else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """One rule of the list. `where`: the name of the ward, or the bed of the patient. `reason`: of its version.

    `instead_of`: the rule of a layer above in whose place it stands, with its name.
    """

    id: UUID
    rule: Rule
    layer: str
    where: str
    ward_id: UUID | None
    patient_id: UUID | None
    version: int
    changed_at: datetime
    changed_by: str | None
    reason: str
    instead_of: UUID | None
    instead_of_name: str | None
    retired_at: datetime | None
    retired_because: str | None
    noise: Noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version; `before`: the rule as it was until then, None for the first."""

    number: int
    rule: Rule
    changed_at: datetime
    changed_by: str | None
    reason: str
    before: Rule | None


def book(
    session: Session, actor: Actor, *, ward_ids: Sequence[UUID], now: datetime, limit: int = 200
) -> list[RuleLine]:
    """The rules that hold in these wards, the site's first."""
    rows = _rows(session, actor, "r.retired_at IS NULL", ward_ids, now=now, limit=limit)
    noise = noise_of(session, "rule_id", "a.rule_id IS NOT NULL", ward_ids=ward_ids, now=now)
    return [_line(row, noise.get(row.id, Noise())) for row in rows]


def of_patient(session: Session, actor: Actor, place: Place, *, now: datetime) -> list[RuleLine]:
    """The rules that hold for a patient whom the actor may see: of each the one of the lowest layer."""
    if place.ward_id is None:
        return []
    patient_id = place.patient.id
    held = [UUID(key) for key, _ in in_force(session, [patient_id], now=now)[patient_id]]
    rows = _rows(session, actor, "r.id = ANY(:held)", [place.ward_id], now=now, limit=200, held=held)
    return [_line(row, Noise()) for row in rows]


def one(session: Session, actor: Actor, rule_id: UUID, *, now: datetime) -> RuleLine:
    """A rule that the actor may see, retired or not; raises NotFoundError for a foreign one as for none."""
    wards = sorted(actor.ward_ids)
    rows = _rows(session, actor, "r.id = :id", wards, now=now, id=rule_id)
    if not rows:
        raise NotFoundError("There is no such rule.")
    noise = noise_of(session, "rule_id", "a.rule_id = :id", ward_ids=wards, now=now, id=rule_id)
    return _line(rows[0], noise.get(rule_id, Noise()))


def stored(session: Session, rule_id: UUID) -> AlarmRule:
    """The row, to be changed."""
    found = session.get(AlarmRule, rule_id)
    if found is None:
        raise NotFoundError("There is no such rule.")
    return found


def versions(session: Session, rule_id: UUID) -> list[Version]:
    """All versions, the newest first."""
    found: list[Version] = []
    for row in session.execute(text(_VERSIONS), {"id": rule_id}):
        found.append(
            Version(
                number=row.number,
                rule=decode(row.rule),
                changed_at=row.changed_at,
                changed_by=row.changed_by,
                reason=row.reason,
                before=found[-1].rule if found else None,
            )
        )
    return found[::-1]


def noise_of(
    session: Session, key: str, condition: str, *, ward_ids: Sequence[UUID], now: datetime, **params: Any
) -> dict[Any, Noise]:
    """Noise by a column of `alert`: by rule, or by kind for the limits."""
    query = text(_NOISE.format(key=key, condition=condition))
    rows = session.execute(query, {"wards": list(ward_ids), "since": now - NOISE, "now": now, **params})
    return {row.key: Noise(fired=row.fired, acted=row.acted) for row in rows}


def _rows(
    session: Session, actor: Actor, condition: str, ward_ids: Sequence[UUID], *, now: datetime, **params: Any
) -> Sequence[Row[Any]]:
    patients = actor.may(Permission.SEE_PATIENT)
    return session.execute(
        text(_VISIBLE.format(condition=condition)),
        {"wards": list(ward_ids), "now": now, "patients": patients, "limit": 1, **params},
    ).all()


def _line(row: Row[Any], noise: Noise) -> RuleLine:
    in_bed = f"{row.bed_ward}, bed {row.bed}" if row.bed else ""
    return RuleLine(
        id=row.id,
        rule=decode(row.rule),
        layer="patient" if row.patient_id else "ward" if row.ward_id else "site",
        where=in_bed if row.patient_id else row.ward or "",
        ward_id=row.ward_id,
        patient_id=row.patient_id,
        version=row.version,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        reason=row.reason,
        instead_of=row.instead_of,
        instead_of_name=row.instead_of_name,
        retired_at=row.retired_at,
        retired_because=row.retired_because,
        noise=noise,
    )
