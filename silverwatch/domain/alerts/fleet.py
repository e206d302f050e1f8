"""The devices of an actor's wards and of the store: how they do by the clock, and what their last day looked like."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor, Permission
from silverwatch.domain.accounts.directory import plain
from silverwatch.domain.alerts.device_state import ORDER, DeviceFacts, DeviceState, state_of
from silverwatch.domain.alerts.tiles import signal_bars
from silverwatch.domain.devices.kinds import GATEWAY
from silverwatch.domain.errors import NotFoundError

PAGE: Final = 50
MAX_SEARCH: Final = 60
BARS: Final = 48
BAR: Final = timedelta(minutes=30)
SLOTS: Final = 3
"""So many parts of a bar are looked at: a bar is whole if there was a reading in each."""

_DEVICES = """
SELECT d.id, d.serial, d.kind, d.interval_s, d.location, d.retired_at, d.created_at, d.sensitivity, d.sample_rate_hz,
       d.settings_version, d.ward_id, own.name AS ward, ds.last_seen_at, ds.last_reading_at,
       ds.battery, ds.signal_dbm, ds.firmware, ds.skew_s, lower(bi.during) AS bound_at, b.label AS bed,
       w.name AS bed_ward, p.ends_at AS paused_until, ch.due_at AS check_due_at, ch.kind AS check_kind
FROM device d
JOIN device_state ds ON ds.device_id = d.id
LEFT JOIN ward own ON own.id = d.ward_id
LEFT JOIN binding bi ON bi.device_id = d.id AND bi.during @> CAST(:now AS timestamptz)
LEFT JOIN stay s ON s.patient_id = bi.patient_id AND s.during @> CAST(:now AS timestamptz)
LEFT JOIN bed b ON b.id = s.bed_id
LEFT JOIN ward w ON w.id = b.ward_id
LEFT JOIN pause p ON p.patient_id = bi.patient_id AND p.scope = 'patient' AND p.ended_at IS NULL AND p.ends_at > :now
LEFT JOIN LATERAL (SELECT c.due_at, c.kind FROM device_check c
  WHERE c.device_id = d.id AND c.ended_at IS NULL AND c.due_at <= :now ORDER BY c.due_at LIMIT 1) ch ON true
WHERE (d.ward_id IS NULL OR d.ward_id = ANY(:wards)) AND (CAST(:id AS uuid) IS NULL OR d.id = :id)
ORDER BY d.serial
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRow:
    """One device, without the patient's name. `bed` is where its wearer lies; `ward` to which ward it belongs.

    `heard_at`: its newest reading; of a gateway, and of what nobody wears, its newest post. `is_worn`: somebody wears
    it, in a bed or not. `check_due_at`, `check_kind`: the check that has been due for longest, None where none is.
    """

    id: UUID
    serial: str
    kind: str
    state: DeviceState
    ward_id: UUID | None = None
    ward: str | None = None
    location: str = ""
    bed: str | None = None
    bed_ward: str | None = None
    is_worn: bool = False
    interval_s: float = 1.0
    battery: int | None = None
    signal_dbm: int | None = None
    signal_bars: int | None = None
    heard_at: datetime | None = None
    firmware: str | None = None
    skew_s: float | None = None
    paused_until: datetime | None = None
    retired_at: datetime | None = None
    created_at: datetime | None = None
    sensitivity: str = "normal"
    sample_rate_hz: float | None = None
    settings_version: int = 1
    check_due_at: datetime | None = None
    check_kind: str | None = None

    @property
    def is_gateway(self) -> bool:
        """Does it speak for others?"""
        return self.kind == GATEWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which devices to list. `state` may also be "free": nobody wears it. `text` is looked for in serial and place."""

    text: str = ""
    state: str = ""
    kind: str = ""
    firmware: str = ""
    page: int = 1

    @property
    def is_narrowed(self) -> bool:
        """Is any left out?"""
        return bool(self.text or self.state or self.kind or self.firmware)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """A page of the devices, worst first. `counts` of all by state, "all" of those in use and "free" among them."""

    rows: tuple[FleetRow, ...]
    total: int
    page: int
    pages: int
    counts: dict[str, int]
    kinds: tuple[str, ...]
    firmwares: tuple[str, ...]


def fleet(session: Session, actor: Actor, wanted: Wanted, *, now: datetime, most: int = PAGE) -> Fleet:
    """A page of the devices of the actor's wards and of the store; one statement."""
    found = _read(session, actor, now=now)
    in_use = [row for row in found if row.state is not DeviceState.RETIRED]
    counts = Counter(row.state.value for row in found)
    counts["all"], counts["free"] = len(in_use), sum(_is_free(row) for row in in_use)
    shown = [row for row in found if _fits(row, wanted)]
    shown.sort(key=lambda row: (ORDER.index(row.state), row.serial))
    pages = max(1, -(-len(shown) // most))
    page = min(max(1, wanted.page), pages)
    return Fleet(
        rows=tuple(shown[(page - 1) * most : page * most]),
        total=len(shown),
        page=page,
        pages=pages,
        counts=dict(counts),
        kinds=tuple(sorted({row.kind for row in found})),
        firmwares=tuple(sorted({row.firmware for row in found if row.firmware})),
    )


def one(session: Session, actor: Actor, device_id: UUID, *, now: datetime) -> FleetRow:
    """A device of the actor's wards or of the store; raises NotFoundError for any other."""
    found = _read(session, actor, now=now, device_id=device_id)
    if not found:
        raise NotFoundError("There is no such device.")
    return found[0]


def _read(session: Session, actor: Actor, *, now: datetime, device_id: UUID | None = None) -> list[FleetRow]:
    if not actor.may(Permission.SEE_DEVICES):
        raise NotFoundError("There are no devices here.")
    params = {"wards": list(actor.ward_ids), "now": now, "id": device_id}
    return [_row(row, now=now) for row in session.execute(text(_DEVICES), params)]


def _row(row: Row[Any], *, now: datetime) -> FleetRow:
    is_gateway = row.kind == GATEWAY
    # What nobody wears has no readings: that it speaks at all is what can be said of it.
    heard_at = row.last_seen_at if is_gateway or row.bound_at is None else row.last_reading_at
    facts = DeviceFacts(
        interval_s=row.interval_s,
        is_gateway=is_gateway,
        heard_at=heard_at,
        bound_at=row.bound_at,
        battery=row.battery,
        is_paused=row.paused_until is not None,
        check_due_at=row.check_due_at,
        retired_at=row.retired_at,
    )
    same = {name: getattr(row, name) for name in _SAME}
    return FleetRow(
        **same,
        state=state_of(facts, now=now),
        is_worn=row.bound_at is not None,
        signal_bars=signal_bars(row.signal_dbm),
        heard_at=heard_at,
    )


_SAME: Final = (
    "id", "serial", "kind", "ward_id", "ward", "location", "bed", "bed_ward", "interval_s", "battery", "signal_dbm",
    "firmware", "skew_s", "paused_until", "retired_at", "created_at", "sensitivity", "sample_rate_hz",
    "settings_version", "check_due_at", "check_kind",
)  # fmt: skip


def _is_free(row: FleetRow) -> bool:
    return not row.is_worn and not row.is_gateway and row.state is not DeviceState.RETIRED


def _fits(row: FleetRow, wanted: Wanted) -> bool:
    if wanted.state == "free":
        has_state = _is_free(row)
    elif wanted.state:
        has_state = row.state.value == wanted.state
    else:
        has_state = row.state is not DeviceState.RETIRED
    if not has_state or wanted.kind not in ("", row.kind) or wanted.firmware not in ("", row.firmware):
        return False
    places = " ".join(part for part in (row.bed, row.bed_ward, row.ward, row.location) if part)
    serial, where = plain(row.serial), plain(places).split()
    words = plain(wanted.text[:MAX_SEARCH].replace("\0", "")).split()
    return all(word in serial or any(part.startswith(word) for part in where) for word in words)


# A probe for each ten minutes of each wearing: it stops at the first reading, however many there are.
_DAY = """
SELECT b.device_id, n.n AS slot, EXISTS (
  SELECT 1 FROM reading r WHERE r.patient_id = b.patient_id AND r.source_id = b.device_id
    AND r.measured_at >= :since AND r.measured_at >= t.lo AND r.measured_at < t.hi) AS filled
FROM binding b
CROSS JOIN generate_series(0, :last) n (n)
CROSS JOIN LATERAL (SELECT
  greatest(lower(b.during), CAST(:since AS timestamptz) + n.n * CAST(:step AS interval)) AS lo,
  least(upper(b.during), CAST(:since AS timestamptz) + (n.n + 1) * CAST(:step AS interval)) AS hi) t
WHERE b.device_id = ANY(:devices) AND b.during && tstzrange(:since, :now) AND t.lo < t.hi
"""
Bars = tuple[str, ...]
"""48 words, the oldest half hour first: "full", "part", "none", or "off" where nobody wore it."""


def last_day(session: Session, rows: Sequence[FleetRow], *, now: datetime) -> dict[UUID, Bars]:
    """Device id to what came from it in each half hour of the last 24 hours; one statement."""
    params = {
        "devices": [row.id for row in rows],
        "since": now - BARS * BAR,
        "now": now,
        "step": BAR / SLOTS,
        "last": BARS * SLOTS - 1,
    }
    seen: dict[UUID, dict[int, bool]] = {row.id: {} for row in rows}
    for device_id, slot, filled in session.execute(text(_DAY), params) if rows else ():
        seen[device_id][slot] = filled or seen[device_id].get(slot, False)
    return {
        row.id: bars(seen[row.id], is_spot=row.interval_s > (BAR / SLOTS).total_seconds()) for row in rows
    }


def bars(slots: dict[int, bool], *, is_spot: bool) -> Bars:
    """Pure: the bars of these ten minutes. One reading fills the bar of a device that measures now and then."""
    return tuple(
        _bar([slots[slot] for slot in range(n * SLOTS, (n + 1) * SLOTS) if slot in slots], is_spot=is_spot)
        for n in range(BARS)
    )


def _bar(slots: Iterable[bool], *, is_spot: bool) -> str:
    known = list(slots)
    if not known:
        return "off"
    if not any(known):
        return "none"
    return "full" if is_spot or all(known) else "part"
