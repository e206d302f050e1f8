"""Wards with their rooms and beds, as administrators see them: how many, free, occupied, closed; no names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch.domain.errors import NotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class BedLine:
    """A bed: occupied, closed, or free."""

    id: UUID
    label: str
    room_id: UUID | None
    occupied: bool
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomLine:
    """A room with its beds in the order of the board. The beds of no room are in one without an id."""

    id: UUID | None
    name: str
    closed_at: datetime | None
    beds: tuple[BedLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WardLine:
    """A ward in the list."""

    id: UUID
    slug: str
    name: str
    description: str
    closed_at: datetime | None
    rooms: int
    occupied: int
    free: int
    closed: int
    home: int


_TAKEN: Final = "EXISTS (SELECT FROM stay s WHERE s.bed_id = b.id AND upper_inf(s.during))"
_WARDS: Final = f"""
SELECT w.id, w.slug, w.name, w.description, w.closed_at,
       (SELECT count(*) FROM room r WHERE r.ward_id = w.id AND r.closed_at IS NULL) AS rooms,
       count(*) FILTER (WHERE b.kind = 'bed' AND b.taken) AS occupied,
       count(*) FILTER (WHERE b.kind = 'bed' AND NOT b.taken AND b.closed_at IS NULL) AS free,
       count(*) FILTER (WHERE b.kind = 'bed' AND NOT b.taken AND b.closed_at IS NOT NULL) AS closed,
       count(*) FILTER (WHERE b.kind = 'home' AND b.taken) AS home
FROM ward w LEFT JOIN LATERAL (
  SELECT b.kind, b.closed_at, {_TAKEN} AS taken FROM bed b WHERE b.ward_id = w.id) b ON true
WHERE CAST(:ward AS uuid) IS NULL OR w.id = :ward
GROUP BY w.id ORDER BY w.closed_at IS NOT NULL, w.name
"""
_ROOMS: Final = (
    "SELECT id, name, closed_at FROM room WHERE ward_id = :ward ORDER BY closed_at IS NOT NULL, name"
)
_BEDS: Final = f"""
SELECT b.id, b.label, b.room_id, b.closed_at, {_TAKEN} AS occupied
FROM bed b WHERE b.ward_id = :ward AND b.kind = 'bed' ORDER BY b.position, b.label
"""


def wards(session: Session, ward_id: UUID | None = None) -> list[WardLine]:
    """Every ward, the open ones first, by name; or one."""
    return [WardLine(**row._mapping) for row in session.execute(text(_WARDS), {"ward": ward_id})]


def ward(session: Session, ward_id: UUID) -> WardLine:
    """One ward; raises NotFoundError."""
    found = wards(session, ward_id)
    if not found:
        raise NotFoundError("There is no such ward.")
    return found[0]


def rooms(session: Session, ward_id: UUID) -> Sequence[RoomLine]:
    """The rooms of a ward with their beds, then the beds of no room."""
    beds = [BedLine(**row._mapping) for row in session.execute(text(_BEDS), {"ward": ward_id})]
    found = [
        RoomLine(
            id=row.id,
            name=row.name,
            closed_at=row.closed_at,
            beds=tuple(bed for bed in beds if bed.room_id == row.id),
        )
        for row in session.execute(text(_ROOMS), {"ward": ward_id})
    ]
    loose = tuple(bed for bed in beds if bed.room_id is None)
    if loose:
        found.append(RoomLine(id=None, name="", closed_at=None, beds=loose))
    return found
