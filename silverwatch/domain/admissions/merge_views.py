"""Two records side by side, before they become one; and where a record went that was merged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor, Permission
from silverwatch.domain.accounts.directory import plain
from silverwatch.domain.alerts import limit_versions
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.readings.attribution import MOST as MOST_READINGS

MAX_SEARCH: Final = 60
MOST: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two records. `here`: ward and bed now; `stays`: from when to when (None: still), ward and bed.

    `readings` stops at one more than can be moved; `limits`: vitals with own limits now.
    """

    id: UUID
    hospital_number: str
    family_name: str
    given_name: str
    born_on: date
    sex: str
    phone: str
    address: str
    simulated: bool
    spo2_scale: int
    former: tuple[str, ...]
    ward_id: UUID | None
    here: str
    stays: tuple[tuple[datetime, datetime | None, str], ...]
    devices: tuple[str, ...]
    alarms: int
    readings: int
    notes: int
    entries: int
    tasks: int
    fluids: int
    limits: tuple[str, ...]

    @property
    def is_too_large(self) -> bool:
        """Are these more readings than can go along?"""
        return self.readings > MOST_READINGS


_SIDES = """
SELECT p.id, p.hospital_number, p.family_name, p.given_name, p.born_on, p.sex, p.phone, p.address, p.simulated,
  p.spo2_scale, b.ward_id, w.name || ' · ' || b.label AS here,
  ARRAY(SELECT f.hospital_number FROM patient f WHERE f.merged_into = p.id ORDER BY f.merged_at) AS former,
  ARRAY(SELECT d.serial FROM binding x JOIN device d ON d.id = x.device_id
        WHERE x.patient_id = p.id AND upper_inf(x.during) ORDER BY d.serial) AS devices,
  (SELECT count(*) FROM alert a WHERE a.patient_id = p.id AND a.closed_at IS NULL) AS alarms,
  (SELECT count(*) FROM (SELECT 1 FROM reading r WHERE r.patient_id = p.id LIMIT :most) r) AS readings,
  (SELECT count(*) FROM note n WHERE n.patient_id = p.id) AS notes,
  (SELECT count(*) FROM record_entry e WHERE e.patient_id = p.id) AS entries,
  (SELECT count(*) FROM task t WHERE t.patient_id = p.id AND t.done_at IS NULL AND t.cancelled_at IS NULL) AS tasks,
  (SELECT count(*) FROM fluid f WHERE f.patient_id = p.id) AS fluids
FROM patient p
LEFT JOIN stay s ON s.patient_id = p.id AND upper_inf(s.during)
LEFT JOIN bed b ON b.id = s.bed_id LEFT JOIN ward w ON w.id = b.ward_id
WHERE p.id = ANY(:ids) AND p.merged_into IS NULL
"""
_STAYS = """
SELECT s.patient_id, lower(s.during) AS since, upper(s.during) AS until, w.name || ' · ' || b.label AS place
FROM stay s JOIN bed b ON b.id = s.bed_id JOIN ward w ON w.id = b.ward_id
WHERE s.patient_id = ANY(:ids) ORDER BY s.during DESC LIMIT 60
"""


def pair_for(
    session: Session, actor: Actor, patient_id: UUID, other_id: UUID, *, number: str
) -> tuple[Side, Side]:
    """Both records, if the actor may merge them; raises NotFoundError for what is not theirs as for none.

    The first one is the actor's. The other one too, or they lie nowhere and the actor knows their whole `number`.
    """
    found = sides(session, [patient_id, other_id])
    one, other = found.get(patient_id), found.get(other_id)
    if one is None or other is None or one is other or not actor.may(Permission.MERGE_PATIENTS):
        raise NotFoundError("There is no such patient.")
    is_named = not other.here and other.hospital_number.upper() == number.upper()
    if not _is_theirs(actor, one) or not (_is_theirs(actor, other) or is_named):
        raise NotFoundError("There is no such patient.")
    return one, other


def _is_theirs(actor: Actor, side: Side) -> bool:
    return side.ward_id in actor.ward_ids or side.id in actor.care_team_of


def sides(session: Session, patient_ids: Iterable[UUID]) -> dict[UUID, Side]:
    """These records, those that were not merged; so many statements for however many."""
    params = {"ids": list(patient_ids), "most": MOST_READINGS + 1}
    stays: dict[UUID, list[tuple[datetime, datetime | None, str]]] = {}
    for row in session.execute(text(_STAYS), params):
        stays.setdefault(row.patient_id, []).append((row.since, row.until, row.place))
    return {
        row.id: _side(session, row, stays.get(row.id, [])) for row in session.execute(text(_SIDES), params)
    }


def _side(session: Session, row: Row[Any], stays: Sequence[tuple[datetime, datetime | None, str]]) -> Side:
    values = dict(row._mapping)
    values.update(
        former=tuple(row.former), devices=tuple(row.devices), here=row.here or "", stays=tuple(stays),
        limits=own_limits(session, row.id),
    )  # fmt: skip
    return Side(**values)


_LIMITS = """
SELECT jsonb_object_keys(cells) FROM limit_version
WHERE layer = 'patient' AND patient_id = :id AND superseded_at IS NULL
"""


def own_limits(session: Session, patient_id: UUID) -> tuple[str, ...]:
    """The vitals of which a patient has limits of their own."""
    return tuple(sorted(session.scalars(text(_LIMITS), {"id": patient_id})))


# Whoever is theirs; and who lies nowhere, if the whole number is known.
_OTHERS = """
SELECT p.id, p.hospital_number, p.family_name, p.given_name, p.born_on, w.name || ' · ' || b.label AS here
FROM patient p
LEFT JOIN stay s ON s.patient_id = p.id AND upper_inf(s.during)
LEFT JOIN bed b ON b.id = s.bed_id LEFT JOIN ward w ON w.id = b.ward_id
WHERE p.merged_into IS NULL AND p.id <> :id
  AND (b.ward_id = ANY(:wards) OR p.id = ANY(CAST(:own AS uuid[]))
       OR (s.id IS NULL AND upper(p.hospital_number) = upper(:number)))
ORDER BY p.family_name, p.given_name, p.id LIMIT 500
"""


def others(session: Session, actor: Actor, side: Side, search: str) -> list[Row[Any]]:
    """With whom a record could be one: those who fit the search, or without one who is called and born the same."""
    said = search[:MAX_SEARCH].replace("\0", "").strip()
    params = {
        "id": side.id,
        "number": said,
        "wards": list(actor.ward_ids),
        "own": [str(known) for known in actor.care_team_of],
    }
    rows = session.execute(text(_OTHERS), params).all()
    if not said:
        names = {plain(side.family_name), plain(side.given_name)}
        rows = [
            row
            for row in rows
            if row.born_on == side.born_on and {plain(row.family_name), plain(row.given_name)} == names
        ]
    words = plain(said).split()
    return [row for row in rows if _fits(row, words)][:MOST]


def _fits(row: Row[Any], words: Sequence[str]) -> bool:
    begins = [
        plain(part) for part in (*row.family_name.split(), *row.given_name.split(), row.hospital_number)
    ]
    return all(any(part.startswith(word) for part in begins) for word in words)


# Whoever has a birthday of one of these and is theirs.
_BORN_SO = """
SELECT p.id, p.hospital_number, p.family_name, p.given_name, p.born_on
FROM patient p
LEFT JOIN stay s ON s.patient_id = p.id AND upper_inf(s.during)
LEFT JOIN bed b ON b.id = s.bed_id
WHERE p.merged_into IS NULL AND (b.ward_id = ANY(:wards) OR p.id = ANY(CAST(:own AS uuid[])))
  AND p.born_on IN (SELECT born_on FROM patient WHERE id = ANY(:ids))
ORDER BY p.hospital_number, p.id LIMIT 1000
"""


def twins(session: Session, actor: Actor, patient_ids: Iterable[UUID]) -> dict[UUID, list[Row[Any]]]:
    """Who of the actor's patients is called and born as each of these: they may be one person. One statement."""
    if not actor.may(Permission.MERGE_PATIENTS):
        return {}
    ids = set(patient_ids)
    params = {
        "ids": list(ids),
        "wards": list(actor.ward_ids),
        "own": [str(known) for known in actor.care_team_of],
    }
    alike: dict[Any, list[Row[Any]]] = {}
    for row in session.execute(text(_BORN_SO), params):
        key = (row.born_on, frozenset({plain(row.family_name), plain(row.given_name)}))
        alike.setdefault(key, []).append(row)
    return {
        row.id: [other for other in group if other.id != row.id]
        for group in alike.values()
        if len(group) > 1
        for row in group
        if row.id in ids
    }


def theirs(session: Session, actor: Actor, patient_ids: Iterable[UUID]) -> set[UUID]:
    """Which of these the actor sees by ward or care team."""
    return {side.id for side in sides(session, patient_ids).values() if _is_theirs(actor, side)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Own limits of a record that was merged into this one: they ended with it. `lines` as in a version of limits."""

    number: str
    at: datetime
    by: str
    lines: tuple[dict[str, Any], ...]


_DROPPED = """
SELECT p.hospital_number, p.merged_at, a.name, v.changes
FROM patient p JOIN limit_version v ON v.patient_id = p.id AND v.reason = :reason AND v.at = p.merged_at
JOIN account a ON a.id = p.merged_by
WHERE p.merged_into = :id ORDER BY p.merged_at DESC
"""


def dropped_limits(session: Session, patient_id: UUID) -> list[Dropped]:
    """Which own limits ended because their record was merged into this one, the newest first."""
    rows = session.execute(text(_DROPPED), {"id": patient_id, "reason": limit_versions.MERGED})
    return [
        Dropped(number=row.hospital_number, at=row.merged_at, by=row.name, lines=tuple(row.changes))
        for row in rows
    ]


def survivor_of(session: Session, patient_id: UUID) -> tuple[UUID, str] | None:
    """Where a merged record went, and its own number; None for a record that was not merged."""
    query = "SELECT merged_into, hospital_number FROM patient WHERE id = :id AND merged_into IS NOT NULL"
    row = session.execute(text(query), {"id": patient_id}).first()
    return (row.merged_into, row.hospital_number) if row else None
