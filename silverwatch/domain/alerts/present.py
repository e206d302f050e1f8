"""A patient now, as the live regions of their page show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from silverwatch.domain.alerts import queries, whereabouts
from silverwatch.domain.alerts.board import AlarmLine, PauseLine, Tile
from silverwatch.domain.alerts.layers import limits_of
from silverwatch.domain.alerts.limits import Limit
from silverwatch.domain.alerts.pause_lines import open_pauses
from silverwatch.domain.devices.check_list import Overdue, overdue_calibrations


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """The open alarms of a patient, most urgent first, acknowledged ones last; and what is paused, standby first."""

    patient_id: UUID
    lines: tuple[AlarmLine, ...] = ()
    pauses: tuple[PauseLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The newest values of a patient, as on their tile, and the limits that apply to each vital.

    `overdue`: devices of theirs that are past their calibration.
    """

    patient_id: UUID
    tile: Tile
    limits: Mapping[str, Limit]
    overdue: Sequence[Overdue] = ()


def strips(session: Session, patient_ids: Sequence[UUID], now: datetime) -> dict[UUID, Strip]:
    """The open alarms of each of these patients that exists."""
    lines = queries.lines_of(session, patient_ids, now)
    known = whereabouts.wards_of(session, patient_ids, now=now)
    paused = open_pauses(session, patient_ids)
    return {
        patient_id: Strip(
            patient_id=patient_id,
            lines=lines.get(patient_id, ()),
            pauses=tuple(paused.get(patient_id, ())),
        )
        for patient_id in known
    }


def latest(session: Session, patient_ids: Sequence[UUID], now: datetime) -> dict[UUID, Latest]:
    """The newest values of each of these patients that exists."""
    tiles = queries.tiles_of(session, patient_ids, now)
    limits = limits_of(session, tiles, now=now)
    overdue = overdue_calibrations(session, list(tiles), since=now, until=now)
    return {
        patient_id: Latest(
            patient_id=patient_id,
            tile=tile,
            limits=limits[patient_id].by_vital,
            overdue=overdue.get(patient_id, ()),
        )
        for patient_id, tile in tiles.items()
    }
