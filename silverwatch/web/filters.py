"""How values look on a screen: times, ages, numbers and names. Only months speak a language."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial

from silverwatch.clock import epoch_ms, site_zone
from silverwatch.domain.alerts.board import Cell, PatientHeader
from silverwatch.domain.readings.units import Units, shown
from silverwatch.domain.readings.vitals import BY_NAME
from silverwatch.web.audience import Names

MISSING = "– –"
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
SUFFIX = {"oxygen_saturation": "%", "temperature": "°"}
"""The units that stay with the number even where there is no room; the rest stand in the legend."""


def time_zone() -> str:
    """The IANA name of the zone that times are shown in."""
    return site_zone().key


def clock_time(moment: datetime) -> str:
    """14:32 in the zone of the site."""
    return moment.astimezone(site_zone()).strftime("%H:%M")


def local_input(moment: datetime) -> str:
    """2026-11-22T14:32 in the zone of the site, as a field of type datetime-local has it."""
    return moment.astimezone(site_zone()).strftime("%Y-%m-%dT%H:%M")


def from_local(written: str) -> datetime | None:
    """The moment of such a field, aware; None for what is none."""
    try:
        found = datetime.fromisoformat(written)
        return (found if found.tzinfo else found.replace(tzinfo=site_zone())).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def clock_time_s(moment: datetime) -> str:
    """14:32:18 in the zone of the site."""
    return moment.astimezone(site_zone()).strftime("%H:%M:%S")


def midnight(moment: datetime) -> datetime:
    """The beginning of its day in the zone of the site."""
    return moment.astimezone(site_zone()).replace(hour=0, minute=0, second=0, microsecond=0)


def span(seconds: float) -> str:
    """0:51, from one hour on 1 h 05."""
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02}" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60:02}"


def share(part: float) -> str:
    """71%, of a share from 0 to 1."""
    return f"{100 * part:.0f}%"


def day(moment: datetime, months: str = MONTHS) -> str:
    """22-Nov-2026 in the zone of the site."""
    return calendar_day(moment.astimezone(site_zone()).date(), months)


def short_day(moment: datetime, months: str = MONTHS) -> str:
    """22-Nov in the zone of the site."""
    return day(moment, months)[:6]


def local_minute(moment: datetime) -> str:
    """2026-11-22T14:32 in the zone of the site, as a field for day and time holds it."""
    return moment.astimezone(site_zone()).strftime("%Y-%m-%dT%H:%M")


def from_local_minute(written: str) -> datetime:
    """The moment of such a field, in UTC; raises ValueError."""
    local = datetime.strptime(written, "%Y-%m-%dT%H:%M").replace(tzinfo=site_zone())
    try:
        return local.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time of these centuries") from None


def local_date(moment: datetime) -> date:
    """The day of the site that a moment lies in."""
    return moment.astimezone(site_zone()).date()


def calendar_day(on: date, months: str = MONTHS) -> str:
    """22-Nov-2026."""
    return f"{on.day:02}-{months.split()[on.month - 1]}-{on.year}"


def age(moment: datetime, now: datetime) -> str:
    """How old a value is: 4 s, 14 min, 1 h 05, 3 d. `ages.js` counts on with the same words."""
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 86400:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02}"
    return f"{seconds // 86400} d"


def duration(moment: datetime, now: datetime) -> str:
    """How long something has lasted: 0:42 and 3:10, from one hour on 1 h 05."""
    seconds = max(0, int((now - moment).total_seconds()))
    return f"{seconds // 60}:{seconds % 60:02}" if seconds < 3600 else age(moment, now)


def number(value: float, vital: str) -> str:
    """A value with the decimals of its vital and no unit."""
    known = BY_NAME.get(vital)
    return f"{value:.{known.precision if known else 0}f}"


def plain_in_units(value: float, vital: str, units: Units) -> str:
    """A stored value in the units of the reader, without the unit."""
    return shown(vital, value, units)


def in_units(value: float, vital: str, units: Units, said: Callable[[str], str] = str) -> str:
    """A stored value in the units of the reader, with its unit: 101.3 °F."""
    return f"{shown(vital, value, units)} {said(units.of(vital))}"


def measured(value: float, vital: str) -> str:
    """A value as it stands in a sentence: 84%, 39.2°, 26."""
    return number(value, vital) + SUFFIX.get(vital, "")


def cell_value(cell: Cell) -> str:
    """The figure of a cell without its unit: 72, 134/78, 36.6; two dashes where there is none."""
    if cell.value is None:
        return MISSING
    if cell.name == "blood_pressure":
        second = "–" if cell.second is None else f"{cell.second:.0f}"
        return f"{cell.value:.0f}/{second}"
    return number(cell.value, cell.name)


def patient_name(patient: PatientHeader, names: Names) -> str:
    """KAMAU, Grace or G.K.; empty where only the bed may be shown."""
    if names == "bed":
        return ""
    if names == "initials":
        return "".join(f"{part[0].upper()}." for part in (patient.given_name, patient.family_name) if part)
    return f"{patient.family_name.upper()}, {patient.given_name}"


FILTERS: dict[str, Callable[..., object]] = {
    "clock_time": clock_time,
    "local_input": local_input,
    "clock_time_s": clock_time_s,
    "day": day,
    "short_day": short_day,
    "span": span,
    "share": share,
    "local_date": local_date,
    "calendar_day": calendar_day,
    "in_units": in_units,
    "plain_in_units": plain_in_units,
    "age": age,
    "duration": duration,
    "epoch_ms": epoch_ms,
    "number": number,
    "measured": measured,
    "cell_value": cell_value,
    "patient_name": patient_name,
}


def of(said: Callable[[str], str]) -> dict[str, Callable[..., object]]:
    """The filters in a language: only months and steps have names."""
    months = said(MONTHS)
    named = {each.__name__: partial(each, months=months) for each in (day, short_day, calendar_day)}
    return {**FILTERS, **named, "in_units": partial(in_units, said=said)}
