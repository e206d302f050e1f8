"""Pure: from rows to what a tile shows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final, Literal, cast

from silverwatch import clock
from silverwatch.domain.alerts import scoring
from silverwatch.domain.alerts.board import (
    PRIORITIES,
    AlarmLine,
    Board,
    Cell,
    DeviceBadge,
    NewsBadge,
    PatientHeader,
    PauseLine,
    Priority,
    Tile,
    TileState,
)
from silverwatch.domain.readings.news2 import MIN_AGE_YEARS, observation_interval_s
from silverwatch.domain.readings.vitals import CONSCIOUSNESS, silent_after_s

CELLS: Final = (
    ("heart_rate", ("heart_rate", "pulse_rate"), 10.0),
    ("oxygen_saturation", ("oxygen_saturation",), 3.0),
    ("blood_pressure", ("systolic_bp",), 0.0),
    ("respiratory_rate", ("respiratory_rate",), 4.0),
    ("temperature", ("temperature",), 0.0),
)
"""Cell, the vitals that fill it (the first known one), and the change over a quarter hour that is no noise."""

VITALS_OF: Final[dict[str, frozenset[str]]] = {
    "heart_rate": frozenset({"heart_rate", "pulse_rate"}),
    "oxygen_saturation": frozenset({"oxygen_saturation"}),
    "blood_pressure": frozenset({"systolic_bp", "diastolic_bp", "mean_bp"}),
    "respiratory_rate": frozenset({"respiratory_rate"}),
    "temperature": frozenset({"temperature"}),
}

SPOT_GRACE_S: Final = 30 * 60
SIGNAL_BARS: Final = ((-55, 4), (-67, 3), (-75, 2), (-85, 1))


def line(row: Any) -> AlarmLine:
    """One open alert as a line."""
    return AlarmLine(
        id=row.id,
        kind=row.kind,
        priority=row.priority,
        technical=row.technical,
        raised_at=row.raised_at,
        bed_id=row.bed_id,
        bed_label=row.bed_label,
        vital=row.vital,
        value=row.value,
        worst=row.worst,
        limit=row.limit,
        relation={"low": "below", "high": "above"}.get(row.side),  # type: ignore[arg-type]
        since=row.run_from,
        ended_at=row.ended_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        off_vitals=tuple(row.off_vitals),
        device_serial=row.serial,
        rule=row.rule_name,
        partial=row.partial,
        muted_by=row.muted_by,
        times=row.times,
        escalated_at=row.escalated_at,
        escalate_at=row.escalate_at,
        realarm_at=row.realarm_at,
        realarmed_at=row.realarmed_at,
    )


def urgency(item: AlarmLine) -> tuple[bool, bool, int, datetime]:
    """The order of alarms: those to be taken first, physiological before technical, high before low, oldest first."""
    return (
        not item.is_to_be_taken,
        item.technical and item.priority != "high",
        PRIORITIES.index(item.priority),
        item.raised_at,
    )


def tile(
    row: Any,
    *,
    devices: Sequence[Any],
    lines: Sequence[AlarmLine],
    pauses: Sequence[PauseLine] = (),
    before: Any | None,
    switched_off: frozenset[str] = frozenset(),
    now: datetime,
) -> Tile:
    """The tile of one bed. `row`: bed, patient and state; `before`: the vitals a quarter of an hour ago.

    `switched_off`: the vitals of which a limit is switched off.
    """
    if row.patient_id is None:
        return Tile(bed_id=row.bed_id, bed_label=row.label, state="empty")
    latest: Mapping[str, Any] = row.latest or {}
    ordered = sorted(lines, key=urgency)
    device = devices[0] if devices else None
    news = row.news or {}
    oxygen = latest.get("supplemental_oxygen")
    consciousness = latest.get(CONSCIOUSNESS)
    return Tile(
        bed_id=row.bed_id,
        bed_label=row.label,
        state=_state(ordered, pauses, devices, latest, now=now),
        patient=patient_header(row, now=now),
        unacknowledged=any(item.is_to_be_taken for item in ordered),
        line=ordered[0] if ordered else None,
        more=max(0, len(ordered) - 1),
        cells=tuple(
            replace(cell, limit_off=not switched_off.isdisjoint(VITALS_OF[cell.name]))
            if switched_off
            else cell
            for cell in _cells(
                latest, row.off or {}, ordered, pauses=pauses, before=before, news=news, now=now
            )
        ),
        device=_device(device, now=now) if device is not None else None,
        oxygen_l_min=oxygen[0] if oxygen else None,
        consciousness=consciousness[0] if consciousness else None,
        news=_news(row, latest, news, now=now),
        observations_due_at=scoring.due_at(news, own_minutes=row.own_minutes),
        pauses=tuple(pauses),
        latest_at=_latest_at(latest),
    )


def _vital_of(kind: str) -> str:
    """The vital of an alarm's kind: `heart_rate` of `heart_rate_low`."""
    return kind.removesuffix("_low").removesuffix("_high")


def by_acuity(board: Board) -> Board:
    """The board with the most urgent beds first; beds of one urgency keep their order."""
    order: dict[TileState, int] = {
        "high": 0, "medium": 1, "offline": 3, "stale": 3, "low": 4, "acknowledged": 5, "calm": 6, "paused": 7,
        "empty": 8,
    }  # fmt: skip

    def rank(item: Tile) -> tuple[float, int]:
        score = item.news.score or 0
        place = float(order[item.state])
        return (min(place, 2.0) if item.state != "empty" and score >= 5 else place, -score)

    return replace(board, tiles=tuple(sorted(board.tiles, key=rank)))


def _state(
    ordered: Sequence[AlarmLine],
    pauses: Sequence[PauseLine],
    devices: Sequence[Any],
    latest: Mapping[str, Any],
    *,
    now: datetime,
) -> TileState:
    fresh = [item for item in ordered if item.is_to_be_taken]
    for priority in ("high", "medium"):
        if any(item.priority == priority and not item.technical for item in fresh):
            return priority
    if any(item.priority == "high" for item in fresh):
        return "high"
    if any(pause.scope == "patient" for pause in pauses):
        return "paused"
    if devices and all(_is_silent(device, now=now) for device in devices):
        talks = any(
            device.last_seen_at is not None
            and (now - device.last_seen_at).total_seconds() < silent_after_s(device.interval_s)
            for device in devices
        )
        return "stale" if talks or not latest else "offline"
    if not devices and _has_gone_quiet(latest, now=now):
        return "stale"
    if fresh:
        return "low"
    return "acknowledged" if ordered else "calm"


def _has_gone_quiet(latest: Mapping[str, Any], *, now: datetime) -> bool:
    """No device is on the patient any more, and what came continuously is old."""
    ends = [(entry[1] / 1000 + silent_after_s(entry[2])) for entry in latest.values() if entry[2] is not None]
    return bool(ends) and max(ends) <= now.timestamp()


def _is_silent(device: Any, *, now: datetime) -> bool:
    if device.last_reading_at is None:
        return True
    return bool((now - device.last_reading_at).total_seconds() >= silent_after_s(device.interval_s))


def patient_header(row: Any, *, now: datetime) -> PatientHeader:
    """Who it is, from a row with the patient's columns."""
    return PatientHeader(
        id=row.patient_id,
        family_name=row.family_name,
        given_name=row.given_name,
        title=row.title,
        born_on=row.born_on,
        age_years=age_years(row.born_on, on=now.date()),
        sex=row.sex,
        simulated=row.simulated,
    )


def age_years(born_on: date, *, on: date) -> int:
    """Completed years of life."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def _cells(
    latest: Mapping[str, Any],
    off: Mapping[str, int],
    lines: Sequence[AlarmLine],
    *,
    pauses: Sequence[PauseLine],
    before: Any | None,
    news: Mapping[str, Any],
    now: datetime,
) -> tuple[Cell, ...]:
    spot_s = observation_interval_s(news.get("risk", "none")) + SPOT_GRACE_S
    cells = []
    for name, sources, noise in CELLS:
        source = next((item for item in sources if item in latest), sources[0])
        value, at_ms, interval_s = latest.get(source, (None, None, None))
        at = clock.from_epoch_ms(at_ms) if at_ms is not None else None
        lasts_s = silent_after_s(interval_s) if interval_s is not None else spot_s
        was = getattr(before, name, None) if noise else None
        second = latest.get("diastolic_bp") if name == "blood_pressure" else None
        cells.append(
            Cell(
                name=name,
                value=value,
                second=second[0] if second else None,
                at=at,
                stale=at is not None and (now - at).total_seconds() >= lasts_s,
                sensor_off=any(item in off for item in sources),
                slope=0 if was is None or value is None else _slope(value - was, noise),
                alarm=_cell_alarm(name, lines),
                paused=any(pause.kind and _vital_of(pause.kind) in VITALS_OF[name] for pause in pauses),
            )
        )
    return tuple(cells)


def _news(row: Any, latest: Mapping[str, Any], last: Mapping[str, Any], *, now: datetime) -> NewsBadge:
    """The badge; of who is too young for the chart one without a score."""
    if age_years(row.born_on, on=now.date()) < MIN_AGE_YEARS:
        return NewsBadge(applies=False)
    return replace(scoring.badge(latest, last, scale=row.spo2_scale, now=now), scale=row.spo2_scale)


def _slope(change: float, noise: float) -> int:
    return 0 if abs(change) < noise else (1 if change > 0 else -1)


def _cell_alarm(name: str, lines: Sequence[AlarmLine]) -> Priority | Literal["acknowledged"] | None:
    mine = [item for item in lines if item.vital in VITALS_OF[name]]
    # A latched alarm whose condition is over fills no cell: the value there is in range again.
    fresh = [item.priority for item in mine if item.is_to_be_taken and item.ended_at is None]
    if fresh:
        return min(fresh, key=PRIORITIES.index)
    return "acknowledged" if mine else None


def _device(device: Any, *, now: datetime) -> DeviceBadge:
    return DeviceBadge(
        serial=device.serial,
        battery=device.battery,
        signal_bars=signal_bars(device.signal_dbm),
        silent_since=cast(datetime | None, device.last_reading_at) if _is_silent(device, now=now) else None,
    )


def signal_bars(dbm: int | None) -> int | None:
    """0 to 4 bars of a radio signal in dBm."""
    if dbm is None:
        return None
    return next((bars for floor, bars in SIGNAL_BARS if dbm >= floor), 0)


def _latest_at(latest: Mapping[str, Any]) -> datetime | None:
    continuous = [entry[1] for entry in latest.values() if entry[2] is not None]
    times = continuous or [entry[1] for entry in latest.values()]
    return clock.from_epoch_ms(max(times)) if times else None
