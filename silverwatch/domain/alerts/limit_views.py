"""What pages show of limits: each cell with the layer that won, the card of a patient, the history of a scope."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from silverwatch.domain.accounts.models import Account
from silverwatch.domain.alerts import layers, limit_versions
from silverwatch.domain.alerts.limit_cells import (
    CELLS,
    VITALS,
    Key,
    Layer,
    Own,
    Setting,
    applied,
    is_looser,
    settings_of,
)
from silverwatch.domain.alerts.limit_models import LimitVersion
from silverwatch.domain.alerts.limit_proposal import Scope

DAY: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What stands in a cell, which layer won, and who set it when, why and until when (None as delivered).

    `inherited`: what would stand there if the scope that was asked about set nothing; `looser`: than that.
    """

    setting: Setting
    inherited: Setting
    layer: Layer | Literal["delivered"] = "delivered"
    own: bool = False
    looser: bool = False
    by: str | None = None
    at: datetime | None = None
    reason: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VitalLimits:
    """The cells of one vital. `alarms`: how many alarms they made in the last 24 hours, where that was asked."""

    vital: str
    cells: Mapping[str, Cell]
    alarms: int = 0

    @property
    def own(self) -> tuple[Cell, ...]:
        """The cells that the scope itself sets."""
        return tuple(cell for cell in self.cells.values() if cell.own)

    @property
    def layer(self) -> str:
        """The nearest layer that sets any of them."""
        order = ("patient", "ward", "site", "delivered")
        return min((cell.layer for cell in self.cells.values()), key=order.index)

    @property
    def off(self) -> tuple[str, ...]:
        """The cells that somebody switched off."""
        return tuple(name for name, cell in self.cells.items() if cell.setting.off)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitCard:
    """The alarm limits of a patient as the card on their page shows them."""

    rows: tuple[VitalLimits, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One version of a scope in its history. `by` is None where the clock made it."""

    number: int
    at: datetime
    by: str | None
    reason: str
    until: datetime | None
    lines: tuple[Mapping[str, Any], ...]
    stands: bool


def limit_rows(session: Session, scope: Scope, *, now: datetime) -> tuple[VitalLimits, ...]:
    """Every vital that has limits, with its cells as they apply in the scope now."""
    stack = _stack(session, scope, now=now)
    names = _names(session, {own.by for _, cells in stack for own in cells.values() if own.by})
    inherited = limits = layers.delivered(session)
    winners: dict[Key, tuple[Layer, Own]] = {}
    for layer, cells in stack:
        if layer != scope.layer:
            inherited = applied(inherited, {key: own.setting for key, own in cells.items()})
        limits = applied(limits, {key: own.setting for key, own in cells.items()})
        winners |= {key: (layer, own) for key, own in cells.items()}
    base, here = settings_of(inherited), settings_of(limits)

    def cell(key: Key) -> Cell:
        winner = winners.get(key)
        layer, own = winner or ("delivered", None)
        mine = layer == scope.layer
        return Cell(
            setting=here[key],
            inherited=base[key],
            layer=winner[0] if winner else "delivered",
            own=mine,
            looser=mine and is_looser(key.cell, here[key], base[key]),
            by=names.get(own.by) if own and own.by else None,
            at=own.at if own else None,
            reason=own.reason if own else "",
            until=own.until if own else None,
        )

    return tuple(
        VitalLimits(vital=vital, cells={name: cell(Key(vital, name)) for name in CELLS}) for vital in VITALS
    )


def _stack(session: Session, scope: Scope, *, now: datetime) -> list[tuple[Layer, Mapping[Key, Own]]]:
    """What each layer down to the scope sets now, the farthest first."""
    ward_id = scope.ward_id
    if scope.patient_id is not None:
        ward_id = session.scalar(
            text(
                "SELECT b.ward_id FROM stay s JOIN bed b ON b.id = s.bed_id"
                " WHERE s.patient_id = :id AND s.during @> CAST(:now AS timestamptz)"
            ),
            {"id": scope.patient_id, "now": now},
        )
    wanted = [LimitVersion.layer == "site"]
    if ward_id is not None:
        wanted.append(LimitVersion.ward_id == ward_id)
        if scope.patient_id is not None:
            wanted.append(LimitVersion.patient_id == scope.patient_id)
    rows = session.scalars(select(LimitVersion).where(or_(*wanted), LimitVersion.superseded_at.is_(None)))
    order: tuple[Layer, ...] = ("site", "ward", "patient")
    found = {row.layer: limit_versions.alive(row.cells, now=now) for row in rows}
    return [(layer, found[layer]) for layer in order if layer in found]


def _names(session: Session, account_ids: Iterable[UUID]) -> dict[UUID, str]:
    rows = session.execute(select(Account.id, Account.name).where(Account.id.in_(set(account_ids))))
    return {row.id: row.name for row in rows}


_ALARMS: Final = """
SELECT vital, count(*) AS alarms FROM alert
WHERE patient_id = :patient AND vital IS NOT NULL AND event_at > :since AND event_at <= :now
  AND closed_as IS DISTINCT FROM 'withdrawn'
GROUP BY vital
"""


def limit_rows_with_alarms(session: Session, patient_id: UUID, *, now: datetime) -> tuple[VitalLimits, ...]:
    """The rows of a patient, with how many alarms each vital made in the last 24 hours."""
    params = {"patient": patient_id, "since": now - DAY, "now": now}
    counted = {row.vital: row.alarms for row in session.execute(text(_ALARMS), params)}
    return tuple(
        VitalLimits(vital=row.vital, cells=row.cells, alarms=counted.get(row.vital, 0))
        for row in limit_rows(session, Scope.of_patient(patient_id), now=now)
    )


def changes_of(session: Session, scope: Scope) -> tuple[Change, ...]:
    """The newest versions of a scope, newest first."""
    versions = limit_versions.history(session, scope)
    names = _names(session, {version.account_id for version in versions if version.account_id})
    return tuple(
        Change(
            number=version.number,
            at=version.at,
            by=names.get(version.account_id) if version.account_id else None,
            reason=version.reason,
            until=version.ends_at,
            lines=tuple(version.changes),
            stands=version.superseded_at is None,
        )
        for version in versions
    )
