"""Finding a patient: the list of all whom a caregiver may open, searched, narrowed, sorted and paged."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.access import Actor, Permission
from silverwatch.domain.accounts.directory import plain
from silverwatch.domain.alerts import queries, scoring
from silverwatch.domain.alerts.board import Tile
from silverwatch.domain.errors import NotFoundError

PAGE: Final = 50
MAX_SEARCH: Final = 60
MAX_PAGE: Final = 1000
PART: Final = 3
"""So many signs of a hospital number tell it from others; fewer are in too many."""
MOST: Final = 5000
"""So many patients are sorted at most: more than one person can have in their wards."""


class Sort(StrEnum):
    """What comes first. `due`: whoever is to be looked after first; `news`: the highest score."""

    BED = "bed"
    NAME = "name"
    NEWS = "news"
    DUE = "due"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whom to list. `text` is looked for in names, hospital numbers and beds, word by word, without accents."""

    text: str = ""
    ward_id: UUID | None = None
    sort: Sort = Sort.BED
    page: int = 1

    @property
    def is_narrowed(self) -> bool:
        """Is anybody left out?"""
        return bool(self.text or self.ward_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One patient of the list. `set_at` is the time of the newest complete set of observations."""

    tile: Tile
    hospital_number: str
    bed_label: str | None
    ward_name: str | None
    set_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of the list; `total` is how many fit, `all` how many there are."""

    entries: tuple[Entry, ...]
    total: int
    page: int
    pages: int


# Beds lead to patients and not the other way round: what is asked is as large as the wards of who asks.
_REACH = """
SELECT p.id, p.hospital_number, p.family_name, p.given_name, b.label, b.position, w.name AS ward_name, js.news,
       ARRAY(SELECT f.hospital_number FROM patient f WHERE f.merged_into = p.id) AS former,
       (SELECT minutes FROM interval_decision o
        WHERE o.patient_id = p.id AND o.ended_at IS NULL AND o.until > CAST(:now AS timestamptz)) AS own_minutes
FROM (SELECT s.patient_id FROM stay s JOIN bed b ON b.id = s.bed_id
      WHERE b.ward_id = ANY(:wards) AND s.during @> CAST(:now AS timestamptz)
      UNION SELECT unnest(CAST(:others AS uuid[]))) k
JOIN patient p ON p.id = k.patient_id
LEFT JOIN stay s ON s.patient_id = p.id AND s.during @> CAST(:now AS timestamptz)
LEFT JOIN bed b ON b.id = s.bed_id
LEFT JOIN ward w ON w.id = b.ward_id
LEFT JOIN judge_state js ON js.patient_id = p.id
WHERE CAST(:ward AS uuid) IS NULL OR b.ward_id = :ward
ORDER BY w.name NULLS LAST, b.position, p.family_name, p.id
LIMIT :most
"""


def patients(session: Session, actor: Actor, wanted: Wanted, *, now: datetime) -> Found:
    """A page of the patients of the actor's wards, care team and emergencies; six statements, however many they are.

    Raises NotFoundError for a ward that is not the actor's.
    """
    if not actor.may(Permission.SEE_PATIENT):
        raise NotFoundError("There are no patients here.")
    if wanted.ward_id is not None and wanted.ward_id not in actor.ward_ids:
        raise NotFoundError("There is no such ward.")
    params = {
        "wards": list(actor.ward_ids),
        "others": [str(known) for known in actor.care_team_of | actor.emergency_for],
        "ward": wanted.ward_id,
        "now": now,
        "most": MOST,
    }
    words = plain(wanted.text[:MAX_SEARCH].replace("\0", "")).split()
    rows = [row for row in session.execute(text(_REACH), params) if _fits(row, words)]
    rows.sort(key=_KEYS[wanted.sort])
    pages = max(1, -(-len(rows) // PAGE))
    page = min(max(1, wanted.page), pages)
    shown = rows[(page - 1) * PAGE : page * PAGE]
    tiles = queries.tiles_of_patients(session, [row.id for row in shown], now) if shown else {}
    return Found(
        entries=tuple(_entry(row, tiles[row.id]) for row in shown if row.id in tiles),
        total=len(rows),
        page=page,
        pages=pages,
    )


def _fits(row: Row[Any], words: list[str]) -> bool:
    """Does each word begin a part of the name or the hospital number, stand in the number, or is it the bed?"""
    numbers = (row.hospital_number, *row.former)
    begins = [plain(part) for part in (*row.family_name.split(), *row.given_name.split(), *numbers)]
    bed = plain(row.label or "")
    inside = [plain(number) for number in numbers]
    return all(
        word == bed
        or (len(word) >= PART and any(word in number for number in inside))
        or any(b.startswith(word) for b in begins)
        for word in words
    )


def _entry(row: Row[Any], tile: Tile) -> Entry:
    news: Mapping[str, Any] = row.news or {}
    return Entry(
        tile=tile,
        hospital_number=row.hospital_number,
        bed_label=row.label,
        ward_name=row.ward_name,
        set_at=clock.from_epoch_ms(news["set_at"]) if "set_at" in news else None,
    )


def _by_bed(row: Row[Any]) -> tuple[bool, str, int, str]:
    return row.ward_name is None, row.ward_name or "", row.position or 0, row.family_name


def _by_name(row: Row[Any]) -> tuple[str, str]:
    return plain(row.family_name), plain(row.given_name)


def _by_news(row: Row[Any]) -> tuple[int, tuple[bool, str, int, str]]:
    return -(row.news or {}).get("score", -1), _by_bed(row)


def _by_due(row: Row[Any]) -> tuple[float, tuple[bool, str, int, str]]:
    """Who has no complete set is due now."""
    due_at = scoring.due_at(row.news or {}, own_minutes=row.own_minutes)
    return due_at.timestamp() if due_at else 0.0, _by_bed(row)


_KEYS: Final[Mapping[Sort, Any]] = {
    Sort.BED: _by_bed,
    Sort.NAME: _by_name,
    Sort.NEWS: _by_news,
    Sort.DUE: _by_due,
}
