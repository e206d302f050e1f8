"""The alarm load: how many alarms, of what kind, by whom they were answered, and how soon.

Counted are live alarms that were raised in the period about patients who then lay in the wards. Retrospective ones are
counted apart, drills not at all. "Acted on": somebody acknowledged, resolved, or noted what they did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts.board import PatientHeader
from silverwatch.domain.alerts.tiles import patient_header

PERIODS: Final[Mapping[str, timedelta]] = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
NOT_COUNTED: Final = ("drill",)
DAY_S: Final = 86_400
MOST_KINDS: Final = 30
TOP_SHARE: Final = 0.1
"""The patients with the most alarms: the top tenth, as in the studies (clinical facts 6)."""
MOST_PATIENTS: Final = 10

# `came`: alarms with how they were answered. The acknowledgement that counts is the first one.
_CAME: Final = """
WITH came AS (
  SELECT a.id, a.kind, a.technical, a.peak_priority, a.live, a.patient_id, a.event_at, a.times, a.closed_as, b.ward_id,
    (SELECT min(k.at) FROM acknowledgement k WHERE k.alert_id = a.id) AS taken_at, a.raised_at, a.realarmed_at,
    (EXISTS (SELECT 1 FROM acknowledgement k WHERE k.alert_id = a.id) OR a.resolved_by IS NOT NULL
     OR EXISTS (SELECT 1 FROM alert_action x WHERE x.alert_id = a.id AND x.what <> 'undo_escalation')) AS acted
  FROM alert a
  JOIN stay s ON s.patient_id = a.patient_id AND s.during @> a.event_at
  JOIN bed b ON b.id = s.bed_id
  WHERE b.ward_id = ANY(:wards) AND a.event_at >= CAST(:since AS timestamptz)
    AND a.event_at <= CAST(:now AS timestamptz)
    AND a.kind <> ALL(:not_counted) AND (a.live OR a.closed_as <> 'withdrawn')
)
"""
# An alarm that came back in between was raised anew; the first acknowledgement belongs to the first raising.
_SOON: Final = (
    "percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM taken_at - event_at))"
    " FILTER (WHERE live AND taken_at >= event_at)"
)

_SUMMARY: Final = f"""{_CAME}
SELECT count(*) FILTER (WHERE live) AS alarms, count(*) FILTER (WHERE NOT live) AS late,
  count(*) FILTER (WHERE live AND acted) AS acted, {_SOON} AS median_s,
  count(*) FILTER (WHERE live AND NOT acted AND closed_as = 'ended') AS by_themselves
FROM came
"""
_KINDS: Final = f"""{_CAME}
SELECT kind, technical, count(*) AS alarms, sum(times) AS times, count(*) FILTER (WHERE acted) AS acted,
  count(*) FILTER (WHERE NOT acted AND closed_as = 'ended') AS by_themselves, {_SOON} AS median_s
FROM came WHERE live GROUP BY kind, technical ORDER BY alarms DESC, kind LIMIT :most
"""
_PATIENTS: Final = f"""{_CAME}
SELECT p.id AS patient_id, p.family_name, p.given_name, p.title, p.born_on, p.sex, p.simulated, found.alarms,
  found.kind, b.label AS bed_label
FROM (SELECT patient_id, count(*) AS alarms, mode() WITHIN GROUP (ORDER BY kind) AS kind FROM came WHERE live
      GROUP BY patient_id ORDER BY alarms DESC, patient_id LIMIT :most) found
JOIN patient p ON p.id = found.patient_id
LEFT JOIN stay s ON s.patient_id = p.id AND s.during @> CAST(:now AS timestamptz)
LEFT JOIN bed b ON b.id = s.bed_id
ORDER BY found.alarms DESC, p.id
"""
_PER_PATIENT: Final = (
    f"{_CAME} SELECT count(*) AS alarms FROM came WHERE live GROUP BY patient_id ORDER BY alarms DESC"
)
_HOURS: Final = f"""{_CAME}
SELECT CAST(extract(hour FROM event_at AT TIME ZONE :zone) AS int) AS hour, count(*) AS alarms
FROM came WHERE live GROUP BY hour
"""
_BED_DAYS: Final = """
SELECT coalesce(sum(extract(epoch FROM least(coalesce(upper(s.during), :now), CAST(:now AS timestamptz))
  - greatest(lower(s.during), CAST(:since AS timestamptz)))), 0) AS seconds
FROM stay s JOIN bed b ON b.id = s.bed_id
WHERE b.ward_id = ANY(:wards)
  AND s.during && tstzrange(CAST(:since AS timestamptz), CAST(:now AS timestamptz), '[)')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The load of a period. `bed_days`: of beds with somebody in. Shares are 0 to 1, None without alarms."""

    alarms: int
    late: int
    acted: int
    by_themselves: int
    bed_days: float
    median_s: float | None

    @property
    def per_bed_day(self) -> float | None:
        """Alarms per occupied bed and day; None where nobody lay there long enough to say."""
        return self.alarms / self.bed_days if self.bed_days > LEAST_BED_DAYS else None

    @property
    def acted_share(self) -> float | None:
        """How many of them somebody acted on."""
        return self.acted / self.alarms if self.alarms else None

    @property
    def by_themselves_share(self) -> float | None:
        """How many ended before anybody did anything."""
        return self.by_themselves / self.alarms if self.alarms else None


LEAST_BED_DAYS: Final = 1 / 24
"""Under one hour of one bed nothing is said per bed and day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindLoad:
    """One kind of alarm: how many, how often its condition came, and how they were answered."""

    kind: str
    technical: bool
    alarms: int
    times: int
    acted: int
    by_themselves: int
    median_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientLoad:
    """A patient with many alarms, and the kind that most of them were."""

    patient: PatientHeader
    bed_label: str | None
    alarms: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The whole page. `hours`: alarms by hour of the day, 0 to 23. `top`: the share of the alarms that the
    `top_patients` patients with the most of them had; None under ten patients with alarms."""

    summary: Summary
    kinds: tuple[KindLoad, ...]
    patients: tuple[PatientLoad, ...]
    hours: tuple[int, ...]
    with_alarms: int
    top_patients: int
    top: float | None


def summary(session: Session, ward_ids: Sequence[UUID], *, since: datetime, now: datetime) -> Summary:
    """The load in one line, in two statements."""
    params = _params(ward_ids, since=since, now=now)
    row = session.execute(text(_SUMMARY), params).one()
    seconds = float(session.scalar(text(_BED_DAYS), params) or 0)
    return Summary(
        alarms=row.alarms,
        late=row.late,
        acted=row.acted,
        by_themselves=row.by_themselves,
        bed_days=seconds / DAY_S,
        median_s=row.median_s,
    )


def load(session: Session, ward_ids: Sequence[UUID], *, since: datetime, now: datetime, zone: str) -> Load:
    """The load of these wards since then, hours in the IANA zone of the site; six statements."""
    params = _params(ward_ids, since=since, now=now)
    counts = list(session.scalars(text(_PER_PATIENT), params))
    top = max(1, round(len(counts) * TOP_SHARE))
    hours = {row.hour: row.alarms for row in session.execute(text(_HOURS), {**params, "zone": zone})}
    return Load(
        summary=summary(session, ward_ids, since=since, now=now),
        kinds=kinds(session, ward_ids, since=since, now=now),
        patients=tuple(
            PatientLoad(
                patient=patient_header(row, now=now),
                bed_label=row.bed_label,
                alarms=row.alarms,
                kind=row.kind,
            )
            for row in session.execute(text(_PATIENTS), {**params, "most": MOST_PATIENTS})
        ),
        hours=tuple(hours.get(hour, 0) for hour in range(24)),
        with_alarms=len(counts),
        top_patients=top,
        top=sum(counts[:top]) / sum(counts) if len(counts) >= 1 / TOP_SHARE else None,
    )


def kinds(
    session: Session, ward_ids: Sequence[UUID], *, since: datetime, now: datetime
) -> tuple[KindLoad, ...]:
    """The load by kind of alarm, the most frequent one first."""
    params = {**_params(ward_ids, since=since, now=now), "most": MOST_KINDS}
    return tuple(
        KindLoad(
            kind=row.kind,
            technical=row.technical,
            alarms=row.alarms,
            times=int(row.times),
            acted=row.acted,
            by_themselves=row.by_themselves,
            median_s=row.median_s,
        )
        for row in session.execute(text(_KINDS), params)
    )


def _params(ward_ids: Sequence[UUID], *, since: datetime, now: datetime) -> dict[str, Any]:
    return {"wards": list(ward_ids), "since": since, "now": now, "not_counted": list(NOT_COUNTED)}
