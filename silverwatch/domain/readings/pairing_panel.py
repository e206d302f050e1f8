"""What the panel of a pairing shows: does the device have its key, and does it talk?"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from silverwatch.domain.devices.pairing import MOST_TRIES
from silverwatch.domain.devices.pairing_models import Pairing
from silverwatch.domain.readings import vitals

State = Literal["waiting", "claimed", "connected", "tries", "expired", "replaced"]
"""waiting: nobody came with the code yet; claimed: the device has its key; connected: it has sent something."""

_PANELS = """
SELECT p.id, p.expires_at, p.wrong_tries, p.ended_at, p.ended_as, p.met, p.met_serial, p.kind, p.device_id,
  d.serial, ds.last_seen_at, q.item, q.code, q.detail, m.id AS met_id,
  (SELECT w.name || ' · ' || b.label FROM binding bi JOIN stay s ON s.patient_id = bi.patient_id
     AND s.during @> CAST(:now AS timestamptz) JOIN bed b ON b.id = s.bed_id JOIN ward w ON w.id = b.ward_id
   WHERE bi.device_id = coalesce(m.id, p.device_id) AND bi.during @> CAST(:now AS timestamptz)) AS bed
FROM pairing p
LEFT JOIN device d ON d.id = p.device_id
LEFT JOIN device_state ds ON ds.device_id = d.id
LEFT JOIN device m ON m.serial = p.met_serial AND m.ward_id = p.ward_id
LEFT JOIN LATERAL (
  SELECT item, code, detail FROM quarantine
  WHERE p.ended_as = 'claimed' AND device_id = p.device_id AND received_at >= p.ended_at
  ORDER BY received_at DESC, id DESC LIMIT 1) q ON true
WHERE p.id = ANY(:ids)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One pairing. `met` as `pairing.Because`; `bed` is that of the device that is paired, or was met."""

    id: UUID
    state: State
    expires_at: datetime
    tries_left: int
    met: str | None
    met_serial: str | None
    met_id: UUID | None
    device_id: UUID | None
    serial: str | None
    heard_at: datetime | None
    value: tuple[str, str] | None
    """Label and value of what came first of a device that nobody wears: of a patient's it would be their vitals."""
    refused: str | None
    bed: str | None

    @property
    def is_open(self) -> bool:
        """Does its code still work?"""
        return self.state == "waiting"


def panels(session: Session, pairing_ids: Sequence[UUID], now: datetime) -> Mapping[UUID, Panel]:
    """The panels of these pairings, in one statement."""
    rows = session.execute(text(_PANELS), {"ids": list(pairing_ids), "now": now})
    return {row.id: _panel(row, now=now) for row in rows}


def wards_of(session: Session, pairing_ids: Sequence[UUID]) -> dict[UUID, UUID | None]:
    """Whose devices these pairings are about: their wards, None for the whole site's."""
    rows = session.execute(select(Pairing.id, Pairing.ward_id).where(Pairing.id.in_(pairing_ids)))
    return {row.id: row.ward_id for row in rows}


def _panel(row: Row[Any], *, now: datetime) -> Panel:
    heard = row.last_seen_at if row.ended_as == "claimed" and _since(row) else None
    return Panel(
        id=row.id,
        state=_state(row, heard=heard is not None, now=now),
        expires_at=row.expires_at,
        tries_left=MOST_TRIES - row.wrong_tries,
        met=row.met,
        met_serial=row.met_serial,
        met_id=row.met_id,
        device_id=row.device_id,
        serial=row.serial,
        heard_at=heard,
        value=_value(row.item) if row.code == "unbound" else None,
        refused=row.detail if row.code not in (None, "unbound") else None,
        bed=row.bed,
    )


def _since(row: Row[Any]) -> bool:
    return row.last_seen_at is not None and row.last_seen_at >= row.ended_at


def _state(row: Row[Any], *, heard: bool, now: datetime) -> State:
    if row.ended_as == "claimed":
        return "connected" if heard else "claimed"
    if row.ended_as in ("tries", "replaced"):
        return "tries" if row.ended_as == "tries" else "replaced"
    return "expired" if row.ended_as == "expired" or row.expires_at <= now else "waiting"


def _value(item: str) -> tuple[str, str] | None:
    """The first vital of a reading that waits in quarantine, in the words of its sender."""
    try:
        said = json.loads(item)
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    for vital in vitals.ALL:
        value = said.get(vital.name)
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and vital.low <= value <= vital.high
        ):
            return vital.label, f"{value:.{vital.precision}f} {vital.unit}"
    return None


_BED = """
SELECT w.name || ' · ' || b.label FROM binding bi
JOIN stay s ON s.patient_id = bi.patient_id AND s.during @> CAST(:now AS timestamptz)
JOIN bed b ON b.id = s.bed_id JOIN ward w ON w.id = b.ward_id
WHERE bi.device_id = :id AND bi.during @> CAST(:now AS timestamptz)
"""


def bed_of(session: Session, device_id: UUID, *, now: datetime) -> str | None:
    """The bed whose patient wears the device now: ward and label, no name."""
    found: str | None = session.scalar(text(_BED), {"id": device_id, "now": now})
    return found
