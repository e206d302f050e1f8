"""Several wards beside each other: what is open, full, overdue, silent, who is there. A fixed number of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts import queries
from silverwatch.domain.alerts.board import AlarmBar, Tile
from silverwatch.domain.wards import roster
from silverwatch.domain.wards.roster import OnDuty


@dataclass(frozen=True, slots=True, kw_only=True)
class WardSummary:
    """One ward in figures. Alarms by priority; `untaken_high` and `untaken` nobody has acknowledged yet, the oldest of
    them since `untaken_since`.

    `score` is the highest NEWS2 of the ward and `score_bed` whose; None where nobody has a complete set.
    `overdue`: patients whose observations are overdue, `without_set`: who never had a complete set.
    """

    id: UUID
    slug: str
    name: str
    description: str
    beds: int
    patients: int
    high: int
    medium: int
    technical: int
    untaken: int
    untaken_high: int
    untaken_since: datetime | None
    score: int | None
    score_bed: str | None
    risk: str
    overdue: int
    without_set: int
    silent: tuple[str, ...]
    on_duty: tuple[OnDuty, ...]

    @property
    def here(self) -> tuple[OnDuty, ...]:
        """Who has accepted duty."""
        return tuple(person for person in self.on_duty if person.is_here)

    @property
    def free(self) -> int:
        """Beds in which nobody lies."""
        return self.beds - self.patients


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The wards of one person, the worst first."""

    account_id: UUID
    wards: tuple[WardSummary, ...] = ()


def overviews(session: Session, account_ids: Sequence[UUID], now: datetime) -> dict[UUID, Overview]:
    """Account id to the wards of each of these people."""
    rows = session.execute(
        text(
            "SELECT m.account_id, w.id, w.slug, w.name, w.description FROM membership m"
            " JOIN ward w ON w.id = m.ward_id WHERE m.account_id = ANY(:ids) ORDER BY w.name"
        ),
        {"ids": list(account_ids)},
    ).all()
    ward_ids = list({row.id for row in rows})
    tiles = queries.tiles_of_wards(session, ward_ids, now)
    bars = queries.alarm_bars(session, ward_ids, now)
    duty = roster.on_duty(session, ward_ids, now=now)
    known = {
        row.id: _summary(row, tiles[row.id], bars[row.id], duty[row.id], now=now)
        for row in {row.id: row for row in rows}.values()
    }
    found: dict[UUID, list[WardSummary]] = {account_id: [] for account_id in account_ids}
    for row in rows:
        found[row.account_id].append(known[row.id])
    return {
        account_id: Overview(account_id=account_id, wards=tuple(sorted(wards, key=_worst)))
        for account_id, wards in found.items()
    }


def _worst(ward: WardSummary) -> tuple[int, int, int, int, int, str]:
    """Alarms that nobody has taken come first, then the sickest patient, then what is overdue; by name among equals."""
    return (
        -ward.untaken_high,
        -(ward.untaken - ward.untaken_high),
        -(ward.score or 0),
        -(ward.overdue + ward.without_set),
        -len(ward.silent),
        ward.name,
    )


def _summary(
    row: Row[Any], tiles: Sequence[Tile], bar: AlarmBar, duty: tuple[OnDuty, ...], *, now: datetime
) -> WardSummary:
    # Alarms of the system stand on every bar and say nothing about this ward.
    lines = [line for line in bar.lines if line.bed_id is not None]
    untaken = [line for line in lines if line.acknowledged_at is None and not line.technical]
    taken = [tile for tile in tiles if tile.patient is not None]
    sickest = max(taken, key=lambda tile: -1 if tile.news.score is None else tile.news.score, default=None)
    due = [tile.observations_due_at for tile in taken]
    return WardSummary(
        id=row.id,
        slug=row.slug,
        name=row.name,
        description=row.description,
        beds=len(tiles),
        patients=len(taken),
        high=sum(line.priority == "high" and not line.technical for line in lines),
        medium=sum(line.priority == "medium" and not line.technical for line in lines),
        technical=sum(line.technical for line in lines),
        untaken=len(untaken),
        untaken_high=sum(line.priority == "high" for line in untaken),
        untaken_since=min((line.since or line.raised_at for line in untaken), default=None),
        score=sickest.news.score if sickest else None,
        score_bed=sickest.bed_label if sickest and sickest.news.score is not None else None,
        risk=sickest.news.risk if sickest else "none",
        overdue=sum(at is not None and at < now for at in due),
        without_set=sum(at is None for at in due),
        silent=tuple(tile.bed_label for tile in taken if tile.device and tile.device.silent_since),
        on_duty=duty,
    )
