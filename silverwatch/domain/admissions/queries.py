"""Who lies in which bed, which are free, who can be admitted, and what was done just now."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor
from silverwatch.domain.accounts.directory import plain
from silverwatch.domain.admissions.undo import WITHIN
from silverwatch.domain.alerts import tiles as compose
from silverwatch.domain.alerts.board import PatientHeader
from silverwatch.domain.records.stays import HOME

MAX_SEARCH: Final = 60
MOST: Final = 20
"""So many who could be admitted are shown; more are too many to choose from."""
LEFT: Final = timedelta(days=1)
"""So long after a discharge those who saw the patient find them by name, to admit them again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BedRow:
    """A bed and who lies in it since when, with what on."""

    id: UUID
    label: str
    is_home: bool
    patient: PatientHeader | None = None
    hospital_number: str = ""
    since: datetime | None = None
    devices: tuple[str, ...] = ()
    room: str = ""
    is_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeBeds:
    """The free beds of a ward, in the order of its board."""

    ward_id: UUID
    ward: str
    beds: tuple[tuple[UUID, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who lies in no bed and can be admitted."""

    patient: PatientHeader
    hospital_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentMove:
    """What was done just now and can be undone. `to` is empty for a discharge, `origin` for an admission."""

    act_id: UUID
    kind: str
    at: datetime
    by: str
    patients: tuple[PatientHeader, ...]
    origin: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StayLine:
    """The patient lay in a bed from `since` to `until` (None: still)."""

    since: datetime
    until: datetime | None
    ward: str
    label: str
    is_home: bool


_WHO = "p.id AS patient_id, p.family_name, p.given_name, p.title, p.born_on, p.sex, p.simulated, p.hospital_number"
_BEDS = f"""
SELECT b.id, b.ward_id, b.label, b.kind, b.closed_at, r.name AS room, lower(s.during) AS since, {_WHO},
       (SELECT array_agg(d.serial ORDER BY d.serial) FROM binding bi JOIN device d ON d.id = bi.device_id
        WHERE bi.patient_id = p.id AND bi.during @> CAST(:now AS timestamptz)) AS devices
FROM bed b
LEFT JOIN room r ON r.id = b.room_id
LEFT JOIN stay s ON s.bed_id = b.id AND upper_inf(s.during)
LEFT JOIN patient p ON p.id = s.patient_id
WHERE b.ward_id = ANY(:wards) AND (b.kind = 'bed' OR s.id IS NOT NULL)
ORDER BY b.ward_id, b.position, b.label
"""


def beds_of(session: Session, ward_ids: Collection[UUID], *, now: datetime) -> dict[UUID, list[BedRow]]:
    """Ward id to its beds in the order of the board; places at home while somebody has them."""
    found: dict[UUID, list[BedRow]] = {ward_id: [] for ward_id in ward_ids}
    for row in session.execute(text(_BEDS), {"wards": list(ward_ids), "now": now}):
        found[row.ward_id].append(_bed(row, now=now))
    return found


def _bed(row: Row[Any], *, now: datetime) -> BedRow:
    return BedRow(
        id=row.id,
        label=row.label,
        is_home=row.kind == HOME,
        patient=compose.patient_header(row, now=now) if row.patient_id else None,
        hospital_number=row.hospital_number or "",
        since=row.since,
        devices=tuple(row.devices or ()),
        room=row.room or "",
        is_closed=row.closed_at is not None,
    )


_FREE = """
SELECT w.id AS ward_id, w.name, b.id, b.label FROM ward w
LEFT JOIN bed b ON b.ward_id = w.id AND b.kind = 'bed' AND b.closed_at IS NULL
  AND NOT EXISTS (SELECT FROM stay s WHERE s.bed_id = b.id AND upper_inf(s.during))
WHERE w.closed_at IS NULL AND (CAST(:wards AS uuid[]) IS NULL OR w.id = ANY(:wards))
ORDER BY w.name, b.position, b.label
"""


def free_beds(session: Session, ward_ids: Collection[UUID] | None = None) -> list[FreeBeds]:
    """The free beds of these wards, or of all: for a transfer, which says nothing of who lies in the others."""
    params = {"wards": list(ward_ids) if ward_ids is not None else None}
    found: dict[UUID, tuple[str, list[tuple[UUID, str]]]] = {}
    for row in session.execute(text(_FREE), params):
        _, beds = found.setdefault(row.ward_id, (row.name, []))
        if row.id is not None:
            beds.append((row.id, row.label))
    return [FreeBeds(ward_id=key, ward=name, beds=tuple(beds)) for key, (name, beds) in found.items()]


# Whoever is theirs, who left their wards lately, and whose whole number somebody knows.
_CANDIDATES = f"""
SELECT {_WHO}, f.former FROM patient p
CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(g.hospital_number), '{{}}') AS former FROM patient g WHERE g.merged_into = p.id) f
WHERE NOT EXISTS (SELECT FROM stay s WHERE s.patient_id = p.id AND upper_inf(s.during)) AND p.merged_into IS NULL
  AND (p.id = ANY(CAST(:own AS uuid[])) OR upper(p.hospital_number) = upper(:number)
       OR upper(:number) = ANY(SELECT upper(n) FROM unnest(f.former) n) OR p.id IN (
    SELECT m.patient_id FROM move m JOIN bed b ON b.id = m.from_bed_id
    WHERE m.kind = 'discharge' AND m.at > :left AND b.ward_id = ANY(:wards)))
ORDER BY p.family_name, p.given_name, p.id LIMIT 500
"""


def candidates(session: Session, actor: Actor, search: str, *, now: datetime) -> list[Candidate]:
    """Who lies in no bed and fits: of the actor's own, of those who left lately, or by their whole hospital number."""
    said = search[:MAX_SEARCH].replace("\0", "").strip()
    params = {
        "own": [str(known) for known in actor.care_team_of | actor.emergency_for],
        "number": said,
        "left": now - LEFT,
        "wards": list(actor.ward_ids),
    }
    words = plain(said).split()
    rows = [row for row in session.execute(text(_CANDIDATES), params) if _fits(row, words)]
    return [
        Candidate(patient=compose.patient_header(row, now=now), hospital_number=row.hospital_number)
        for row in rows[:MOST]
    ]


# The last thing that happened to the patient was to be sent away from there.
_LEFT = """
SELECT 1 FROM move m JOIN bed b ON b.id = m.from_bed_id
WHERE m.patient_id = :patient AND m.undone_at IS NULL AND m.at > :left AND b.ward_id = ANY(:wards)
  AND NOT EXISTS (SELECT FROM move l WHERE l.patient_id = m.patient_id AND l.at > m.at AND l.undone_at IS NULL)
"""


def left_lately(session: Session, actor: Actor, patient_id: UUID, *, now: datetime) -> bool:
    """Did the patient last go away from a bed of the actor's wards, within a day?"""
    params = {"patient": patient_id, "left": now - LEFT, "wards": list(actor.ward_ids)}
    return session.execute(text(_LEFT), params).first() is not None


_AT = """
SELECT s.patient_id FROM stay s JOIN bed b ON b.id = s.bed_id JOIN ward w ON w.id = b.ward_id
WHERE w.slug = :slug AND b.label = :label AND w.id = ANY(:wards) AND upper_inf(s.during)
"""


def patient_at(session: Session, actor: Actor, slug: str, label: str) -> UUID | None:
    """Who lies in the bed of a ward of the actor's that is called so; None for nobody and for no such bed."""
    params = {"slug": slug.replace("\0", ""), "label": label.replace("\0", ""), "wards": list(actor.ward_ids)}
    found: UUID | None = session.execute(text(_AT), params).scalar()
    return found


def _fits(row: Row[Any], words: Sequence[str]) -> bool:
    parts = (*row.family_name.split(), *row.given_name.split(), row.hospital_number, *row.former)
    begins = [plain(part) for part in parts]
    return all(any(part.startswith(word) for part in begins) for word in words)


_RECENT = f"""
SELECT m.act_id, m.kind, m.at, a.name AS by, f.label AS origin, t.label AS "to", {_WHO}
FROM move m JOIN patient p ON p.id = m.patient_id JOIN account a ON a.id = m.account_id
LEFT JOIN bed f ON f.id = m.from_bed_id LEFT JOIN bed t ON t.id = m.to_bed_id
WHERE m.at > :since AND m.undone_at IS NULL AND (f.ward_id = ANY(:wards) OR t.ward_id = ANY(:wards))
  AND NOT EXISTS (SELECT FROM move l WHERE l.patient_id = m.patient_id AND l.at > m.at AND l.undone_at IS NULL)
ORDER BY m.at DESC, m.id
"""


def recent_moves(session: Session, ward_ids: Iterable[UUID], *, now: datetime) -> list[RecentMove]:
    """What was done in these wards so lately that it can be undone, the newest first."""
    acts: dict[UUID, list[Row[Any]]] = {}
    for row in session.execute(text(_RECENT), {"since": now - WITHIN, "wards": list(ward_ids)}):
        acts.setdefault(row.act_id, []).append(row)
    return [
        RecentMove(
            act_id=act_id,
            kind=rows[0].kind,
            at=rows[0].at,
            by=rows[0].by,
            patients=tuple(compose.patient_header(row, now=now) for row in rows),
            origin=rows[0].origin or "",
            to=rows[0].to or "",
        )
        for act_id, rows in acts.items()
    ]


_STAYS = """
SELECT lower(s.during) AS since, upper(s.during) AS until, w.name, b.label, b.kind
FROM stay s JOIN bed b ON b.id = s.bed_id JOIN ward w ON w.id = b.ward_id
WHERE s.patient_id = :patient ORDER BY s.during DESC LIMIT 50
"""


def stays_of(session: Session, patient_id: UUID) -> list[StayLine]:
    """Where the patient lay, the newest first."""
    return [
        StayLine(since=row.since, until=row.until, ward=row.name, label=row.label, is_home=row.kind == HOME)
        for row in session.execute(text(_STAYS), {"patient": patient_id})
    ]
