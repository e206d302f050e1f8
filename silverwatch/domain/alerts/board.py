"""What the ward board shows, as plain values: no session, no request, no text in any language.

`queries.ward_board` builds these; the templates of the live regions draw them. All times are aware UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from uuid import UUID

Priority = Literal["high", "medium", "low"]
TileState = Literal["calm", "high", "medium", "low", "acknowledged", "stale", "offline", "paused", "empty"]
"""`low` covers technical alarms too; `stale`: the device talks but brings no values; `offline`: it is silent;
`paused`: the patient is in standby."""

PRIORITIES: tuple[Priority, ...] = ("high", "medium", "low")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientHeader:
    """Who lies in the bed. `sex` is F, M, O (other) or U (unknown)."""

    id: UUID
    family_name: str
    given_name: str
    title: str | None
    born_on: date
    age_years: int
    sex: str
    simulated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmLine:
    """One open alert as a line: "Bed 7 · SpO₂ 84 % below 88".

    `kind` is `<vital>_low`, `<vital>_high`, `sensor_off`, `device_silent`, `low_battery`, `fall`, `help`, ...
    `value` is the value that decided and `limit` the bound it passed, both in the unit of `vital`.
    `worst` is the worst value since.
    `bed_id` and `bed_label` are None for an alarm about the system, or about a ward as a whole.
    `rule` is the name of the house rule that decided; `partial`: its NEWS2 lacked parts and is at least `value`.
    `times`: how often the condition came; `muted_by`: why it does not sound.
    `ended_at` is set when the condition has ended but nobody has taken the alarm yet (latched).
    """

    id: UUID
    kind: str
    priority: Priority
    technical: bool
    raised_at: datetime
    bed_id: UUID | None
    bed_label: str | None
    vital: str | None = None
    value: float | None = None
    worst: float | None = None
    limit: float | None = None
    relation: Literal["below", "above"] | None = None
    since: datetime | None = None
    ended_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    off_vitals: tuple[str, ...] = ()
    device_serial: str | None = None
    rule: str | None = None
    partial: bool = False
    muted_by: Literal["device", "standby", "pause"] | None = None
    times: int = 1
    escalated_at: datetime | None = None
    escalate_at: datetime | None = None
    realarm_at: datetime | None = None
    realarmed_at: datetime | None = None

    @property
    def is_to_be_taken(self) -> bool:
        """Does it sound until somebody takes it?"""
        return self.acknowledged_at is None and self.muted_by is None


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseLine:
    """An open pause of an alarm (`kind`), of a patient (standby), or of a ward's sound, by whom and until when."""

    id: UUID
    scope: Literal["alarm", "patient", "sound"]
    kind: str | None
    reason: str
    note: str
    by: str
    started_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One of the five vital cells of a tile.

    `name` is `heart_rate`, `oxygen_saturation`, `blood_pressure`, `respiratory_rate` or `temperature`.
    `second` is the diastolic pressure. `slope` is -1, 0 or 1: the change over 15 minutes beyond noise.
    `alarm` is the priority of the open unacknowledged alert on this vital, `acknowledged`, or None. `paused`: an alarm
    on it is paused. `limit_off`: somebody switched off an alarm limit of it.
    """

    name: str
    value: float | None = None
    second: float | None = None
    at: datetime | None = None
    stale: bool = False
    sensor_off: bool = False
    slope: int = 0
    alarm: Priority | Literal["acknowledged"] | None = None
    paused: bool = False
    limit_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceBadge:
    """The device of the bed. `signal_bars` 0 to 4, `battery` in per cent; None where it never said."""

    serial: str
    battery: int | None = None
    signal_bars: int | None = None
    silent_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsPart:
    """One of the seven parts of NEWS2. `points` is None when the part is missing or too old."""

    name: str
    points: int | None
    value: float | str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsBadge:
    """NEWS2 of a tile.

    `score` is the last complete score (None if there never was one), `at` the time of its oldest part.
    `partial` says that a part is missing or too old now, so the score is shown hollow, with `at_least`: the
    points of the parts that are present. `risk` follows RCP chart 4. `change` is against the set before. `scale` is
    that of the saturation. `applies` is False for who is too young for the chart: nothing is scored.
    """

    score: int | None = None
    risk: Literal["none", "low", "low-medium", "medium", "high"] = "none"
    change: int = 0
    at: datetime | None = None
    partial: bool = True
    at_least: int = 0
    parts: tuple[NewsPart, ...] = ()
    scale: int = 1
    applies: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One bed of the board. `line` is the one most important open alert, `more` how many others there are."""

    bed_id: UUID
    bed_label: str
    state: TileState
    patient: PatientHeader | None = None
    unacknowledged: bool = False
    line: AlarmLine | None = None
    more: int = 0
    cells: tuple[Cell, ...] = ()
    device: DeviceBadge | None = None
    oxygen_l_min: float | None = None
    consciousness: str | None = None
    news: NewsBadge = field(default_factory=NewsBadge)
    observations_due_at: datetime | None = None
    pauses: tuple[PauseLine, ...] = ()
    latest_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Open alerts of a ward, taken or not, by what the header shows; `low` ones that are not technical.

    `places`: how many tiles the board has. A screen that shows others reads itself again.
    """

    ward_id: UUID
    places: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0
    technical: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmBar:
    """The open alerts of a ward, most urgent first, acknowledged and muted ones last.

    `sound_pause`: the ward's sound is paused for the alarms that it knew then.
    """

    ward_id: UUID
    lines: tuple[AlarmLine, ...] = ()
    sound_pause: PauseLine | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """One sparkline. `points` are (x, value) with x from 0 (oldest) to 1 (now); None breaks the line.

    `low` and `high` are the patient's alarm limits, drawn as a band; the y range is the same for all beds.
    """

    name: str
    points: tuple[tuple[float, float] | None, ...] = ()
    low: float | None = None
    high: float | None = None
    dots: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BedTrend:
    """The sparklines of one bed: HR, SpO₂ and RR over 60 minutes, BP and temperature over 24 hours."""

    bed_id: UUID
    sparks: tuple[Spark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WardHeader:
    """Which ward the board shows."""

    id: UUID
    slug: str
    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The whole board: what the page, its fragment and the pushes are drawn from."""

    ward: WardHeader
    now: datetime
    counts: Counts
    alarm_bar: AlarmBar
    tiles: tuple[Tile, ...] = ()
    trends: Mapping[UUID, BedTrend] = field(default_factory=dict)
