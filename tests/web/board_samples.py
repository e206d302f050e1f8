"""An invented ward of twelve beds with a tile in every state, for the tests of the templates."""

import math
from datetime import date, datetime, timedelta
from uuid import UUID

from silverwatch.clock import now as moment_now
from silverwatch.domain.alerts.board import (
    AlarmBar,
    AlarmLine,
    BedTrend,
    Board,
    Cell,
    Counts,
    DeviceBadge,
    NewsBadge,
    PatientHeader,
    Priority,
    Spark,
    Tile,
    TileState,
    WardHeader,
)

WARD = UUID(int=0x4B)
PEOPLE = (
    ("Kamau", "Grace", 82, "F"), ("Ochieng", "Peter", 76, "M"), ("Njeri", "Ruth", 79, "F"),
    ("Abdi", "Hassan", 71, "M"), ("Wanjiku", "Mary", 88, "F"), ("Mutua", "Joseph", 80, "M"),
    ("Hughes", "Margaret", 78, "F"), ("Kiprotich", "Daniel", 69, "M"), ("Akinyi", "Rose", 84, "F"),
    ("Sharma", "Anil", 74, "M"), ("Baker", "Thomas", 86, "M"),
)  # fmt: skip
VALUES = (
    (72, 97, 134, 78, 16, 36.6), (88, 95, 142, 84, 18, 37.1), (96, 94, 118, 70, 26, 37.9),
    (64, 98, 128, 74, 14, 36.4), (70, 96, 130, 76, 16, 36.7), (58, 97, 122, 68, 15, 36.2),
    (118, 84, 104, 62, 24, 38.4), (78, 97, 136, 82, 17, 36.9), (74, 97, 138, 80, 16, 36.5),
    (92, 96, 148, 88, 19, 37.4), (104, 95, 126, 72, 20, 39.2),
)  # fmt: skip
STATES: dict[int, TileState] = {
    3: "medium",
    5: "stale",
    7: "high",
    8: "low",
    9: "offline",
    11: "acknowledged",
}
NEWS = {
    3: NewsBadge(score=5, risk="medium", change=3, partial=False),
    7: NewsBadge(score=11, risk="high", change=4, partial=False),
    10: NewsBadge(score=1, risk="low", change=-1, partial=False),
    11: NewsBadge(score=4, risk="low", change=1, partial=False),
}


def bed_id(number: int) -> UUID:
    """The bed of a number."""
    return UUID(int=0xBED0 + number)


def line(
    number: int, kind: str, priority: Priority, since: datetime, *, technical: bool = False, **more: object
) -> AlarmLine:
    """An open alert of a bed."""
    return AlarmLine(
        id=UUID(int=0xA1A0 + number), kind=kind, priority=priority, technical=technical, raised_at=since,
        bed_id=bed_id(number), bed_label=str(number), since=since, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def lines(now: datetime) -> dict[int, AlarmLine]:
    """The open alerts by bed."""

    def ago(**parts: float) -> datetime:
        return now - timedelta(**parts)

    return {
        7: line(7, "oxygen_saturation_low", "high", ago(seconds=42), vital="oxygen_saturation", value=84, limit=88,
                relation="below"),
        3: line(3, "respiratory_rate_high", "medium", ago(minutes=3, seconds=10), vital="respiratory_rate",
                value=26, limit=24, relation="above"),
        9: line(9, "device_silent", "medium", ago(minutes=23), technical=True, device_serial="SW-1103"),
        5: line(5, "sensor_off", "low", ago(minutes=14), technical=True, off_vitals=("oxygen_saturation",)),
        8: line(8, "low_battery", "low", ago(minutes=50), technical=True, value=18, device_serial="SW-1096"),
        11: line(11, "temperature_high", "medium", ago(minutes=20), vital="temperature", value=39.2, limit=38.5,
                 relation="above", acknowledged_at=ago(minutes=4), acknowledged_by="A. Mwangi"),
    }  # fmt: skip


def cells(number: int, now: datetime) -> tuple[Cell, ...]:
    """The five vitals of a bed."""
    heart, oxygen, systolic, diastolic, breaths, warmth = VALUES[number - 1]
    state = STATES.get(number)
    stale = state in ("stale", "offline")
    quick = now - timedelta(minutes=14 if state == "stale" else 23) if stale else now - timedelta(seconds=4)
    spot = now - timedelta(minutes=65 if number == 8 else 38)
    return (
        Cell(name="heart_rate", value=heart, at=quick, stale=stale, slope=1 if number in (3, 7) else 0),
        Cell(name="oxygen_saturation", value=oxygen, at=quick, stale=stale,
             slope=-1 if number == 7 else 0, alarm="high" if number == 7 else None),
        Cell(name="blood_pressure", value=systolic, second=diastolic, at=spot, stale=stale),
        Cell(name="respiratory_rate", value=breaths, at=quick, stale=stale, slope=1 if number in (3, 7) else 0,
             alarm="medium" if number == 3 else None),
        Cell(name="temperature", value=warmth, at=spot, stale=stale, slope=1 if number == 11 else 0,
             alarm="acknowledged" if number == 11 else None),
    )  # fmt: skip


def tile(number: int, now: datetime) -> Tile:
    """One bed; number 12 is empty."""
    if number > len(PEOPLE):
        return Tile(bed_id=bed_id(number), bed_label=str(number), state="empty")
    family, given, years, sex = PEOPLE[number - 1]
    state: TileState = STATES.get(number, "calm")
    score = None if number == 9 else 0
    partial = NewsBadge(score=score, at=now - timedelta(hours=1), partial=True, at_least=number % 4)
    calm = NewsBadge(score=int(number == 2), risk="low" if number == 2 else "none", partial=False)
    return Tile(
        bed_id=bed_id(number), bed_label=str(number), state=state, unacknowledged=state in ("high", "medium", "low"),
        patient=PatientHeader(id=UUID(int=0xFA0 + number), family_name=family, given_name=given, title=None,
                              born_on=date(2026 - years, 3, 14), age_years=years, sex=sex, simulated=True),
        line=lines(now).get(number), more=2 if number == 7 else 0, cells=cells(number, now),
        device=DeviceBadge(serial=f"SW-{1040 + 7 * number}", battery={8: 18, 9: None}.get(number, 95 - 3 * number),
                           signal_bars=number % 3 + 2 if number != 9 else 0,
                           silent_since=now - timedelta(minutes=23) if state == "offline" else None),
        oxygen_l_min=2 if number == 7 else 0, consciousness="A",
        news=partial if state in ("stale", "offline") else NEWS.get(number, calm),
        observations_due_at=now + timedelta(hours=3, minutes=number) if number != 6 else now - timedelta(minutes=9),
        latest_at=now - timedelta(minutes=14 if state == "stale" else 0),
    )  # fmt: skip


def trend(number: int) -> BedTrend:
    """Smooth invented curves that end at the values of the bed."""
    heart, oxygen, systolic, _diastolic, breaths, warmth = VALUES[number - 1]

    def curve(end: float, sway: float, count: int, phase: float) -> tuple[tuple[float, float], ...]:
        steps = range(count)
        return tuple(
            (i / (count - 1), end + sway * math.sin(phase + number + i * 2.3) * (1 - i / count))
            for i in steps
        )

    return BedTrend(
        bed_id=bed_id(number),
        sparks=(
            Spark(name="heart_rate", points=(*curve(heart, 4, 40, 0)[:20], None, *curve(heart, 4, 40, 0)[21:]), low=50,
                  high=120),
            Spark(name="oxygen_saturation", points=curve(oxygen, 1, 40, 1), low=88),
            Spark(name="blood_pressure", points=curve(systolic, 9, 7, 2), low=90, high=160, dots=True),
            Spark(name="respiratory_rate", points=curve(breaths, 2, 40, 3), low=8, high=24),
            Spark(name="temperature", points=curve(warmth, 0.3, 7, 4), low=36, high=38.5, dots=True),
        ),
    )  # fmt: skip


def board(now: datetime | None = None) -> Board:
    """The whole ward."""
    now = now or moment_now()
    alarms = lines(now)
    return Board(
        ward=WardHeader(id=WARD, slug="4b", name="Ward 4B", description="Elderly care"),
        now=now,
        counts=Counts(ward_id=WARD, high=1, medium=1, technical=3),
        alarm_bar=AlarmBar(ward_id=WARD, lines=tuple(alarms[number] for number in (7, 3, 9, 5, 8, 11))),
        tiles=tuple(tile(number, now) for number in range(1, 13)),
        trends={bed_id(number): trend(number) for number in range(1, 12)},
    )
